import { TOTP, Secret } from 'otpauth';
import { knownPlaceOf, offerSignInCode, signIn, signInByCode } from '../../../src/access/signIn.ts';
import { endSessions, sessionsOf, signOut, useSession } from '../../../src/access/sessions.ts';
import { accessPorts, configWithUsers, password, totpSecret } from '../../support/access/accessStage.ts';
import { catalogues, clockAt } from '../../support/catalogue/catalogues.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const now = Date.UTC(2026, 10, 29, 9);
const minuteMs = 60_000;
let files = 0;

async function stage(more: Record<string, unknown> = {}) {
  const clock = clockAt(now);
  const file = folder.path(`${(files += 1)}.db`);
  const catalogue = open(file, clock);
  const config = await configWithUsers(
    { anna: { role: 'coach', lines: ['default'] }, ben: { role: 'officer', totpSecret }, zoe: { role: 'admin' } },
    more,
  );
  const ports = accessPorts(catalogue, config, clock);
  /** What the audit trail has, by whom. */
  const steps = (): [string, string, unknown][] => {
    const database = openSqlite(file, { readonly: true });
    const rows = database.prepare('SELECT event, actor, detail FROM audit ORDER BY id').all() as {
      event: string;
      actor: string;
      detail: string;
    }[];
    database.close();
    return rows.map(({ event, actor, detail }) => [event, actor, JSON.parse(detail)]);
  };

  return { clock, catalogue, config, ports, file, steps };
}

const here = { address: '192.0.2.1' };
const codeAt = (at: number): string => new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp: at });

describe('a user', () => {
  test('signs in by password, and is known by the session until it ends', async () => {
    const { ports, clock, steps } = await stage();
    const signedIn = await signIn(ports, { name: 'anna', password, ...here });
    const anna = { name: 'user:anna', role: 'coach', lines: ['default'], extensions: undefined, purposes: undefined };
    expect(signedIn).toMatchObject({ kind: 'signedIn', actor: anna, endsAt: now + 720 * minuteMs });
    const { secret } = signedIn as { secret: string };
    expect(await useSession(ports, secret)).toEqual({
      actor: anna,
      idleUntil: now + 30 * minuteMs,
      endsAt: now + 720 * minuteMs,
    });
    expect(await useSession(ports, `${secret}x`)).toBeUndefined();
    expect(steps()).toEqual([['signed in', 'user:anna', { role: 'coach', by: 'password' }]]);
    // Used again and again it goes on to its end, and not beyond.
    for (; clock.at < now + 719 * minuteMs; clock.at += 29 * minuteMs) {
      expect(await useSession(ports, secret)).toBeDefined();
    }
    clock.at = now + 720 * minuteMs - 1;
    expect(await useSession(ports, secret)).toMatchObject({ idleUntil: now + 720 * minuteMs });
    clock.at += 1;
    expect(await useSession(ports, secret)).toBeUndefined();
  });

  test('whose session is not used has none any more', async () => {
    const { ports, clock } = await stage();
    const { secret } = (await signIn(ports, { name: 'anna', password, ...here })) as { secret: string };
    clock.at += 30 * minuteMs - 1;
    // Asked for without a use, it goes on for no longer.
    expect(await useSession(ports, secret, false)).toMatchObject({ idleUntil: now + 30 * minuteMs });
    expect(await useSession(ports, secret)).toBeDefined();
    clock.at += 30 * minuteMs;
    expect(await useSession(ports, secret)).toBeUndefined();
  });

  test.each([
    ['with another password', 'anna', `${password}!`],
    ['with none', 'anna', ''],
    ['who does not exist', 'nobody', password],
    ['whose name is that of something else', 'constructor', password],
    ['who types another case', 'Anna', password],
  ])('%s is refused, without a word of which it was', async (_, name, typed) => {
    const { ports, catalogue, steps } = await stage();
    expect(await signIn(ports, { name, password: typed, ...here })).toEqual({ kind: 'refused' });
    expect(await catalogue.sessions.list()).toEqual([]);
    expect(steps()).toEqual([]);
  });

  test('with a secret for one-time codes needs one besides, which counts once', async () => {
    const { ports, clock, steps } = await stage();
    const ben = { name: 'ben', password, ...here };
    expect(await signIn(ports, ben)).toEqual({ kind: 'codeNeeded' });
    expect(await signIn(ports, { ...ben, password: 'guess', code: codeAt(now) })).toEqual({ kind: 'refused' });
    expect(await signIn(ports, { ...ben, code: '000000' })).toEqual({ kind: 'refused' });
    expect(await signIn(ports, { ...ben, code: codeAt(now) })).toMatchObject({ kind: 'signedIn' });
    expect(await signIn(ports, { ...ben, code: codeAt(now) })).toEqual({ kind: 'refused' });
    clock.at += 30_000;
    expect(await signIn(ports, { ...ben, code: codeAt(clock.at) })).toMatchObject({ kind: 'signedIn' });
    expect(steps().map(([event, , detail]) => [event, detail])).toEqual([
      ['signed in', { role: 'officer', by: 'passwordAndCode' }],
      ['signed in', { role: 'officer', by: 'passwordAndCode' }],
    ]);
  });

  test('whose password was changed, or who is configured no more, has no session any more', async () => {
    const { ports } = await stage();
    const { secret } = (await signIn(ports, { name: 'anna', password, ...here })) as { secret: string };
    const anna = ports.access.users['anna'];
    const other = (users: Record<string, unknown>) => ({ ...ports, access: { ...ports.access, users } as never });
    expect(await useSession(other({ anna: { ...anna, passwordHash: 'another' } }), secret)).toBeUndefined();
    expect(await useSession(other({ anna: { ...anna, totpSecret } }), secret)).toBeUndefined();
    expect(await useSession(other({}), secret)).toBeUndefined();
    // With another role they go on, and may what that role may.
    expect(await useSession(other({ anna: { ...anna, role: 'auditor' } }), secret)).toMatchObject({
      actor: { role: 'auditor' },
    });
  });

  test('signs out here or everywhere', async () => {
    const { ports, steps } = await stage();
    const secrets: string[] = [];
    for (let session = 0; session < 3; session += 1) {
      secrets.push(((await signIn(ports, { name: 'anna', password, ...here })) as { secret: string }).secret);
    }
    const { secret: zoes } = (await signIn(ports, { name: 'zoe', password, ...here })) as { secret: string };
    const [one = '', two = '', three = ''] = secrets;
    expect(await signOut(ports, one, 'here')).toBe(1);
    expect(await signOut(ports, one, 'here')).toBe(0);
    expect(await useSession(ports, one)).toBeUndefined();
    expect(await useSession(ports, two)).toBeDefined();
    expect(await signOut(ports, two, 'everywhere')).toBe(2);
    expect(await useSession(ports, three)).toBeUndefined();
    expect(await useSession(ports, zoes)).toBeDefined();
    expect(steps().slice(4)).toEqual([
      ['signed out', 'user:anna', { role: 'coach', sessions: 1 }],
      ['signed out', 'user:anna', { role: 'coach', sessions: 2 }],
    ]);
  });
});

describe('a clock that is set back by a year', () => {
  const yearMs = 365 * 24 * 60 * minuteMs;

  test('ends the sessions that began before, and lets their users sign in again', async () => {
    const { ports, clock } = await stage();
    const { secret } = (await signIn(ports, { name: 'anna', password, ...here })) as { secret: string };
    clock.at -= 10 * minuteMs;
    expect(await useSession(ports, secret)).toBeDefined();
    clock.at -= yearMs;
    expect(await useSession(ports, secret)).toBeUndefined();
    expect(await sessionsOf(ports, 'anna')).toBe(0);
    expect(await signIn(ports, { name: 'anna', password, ...here })).toMatchObject({ kind: 'signedIn' });
  });

  test('lets in by one-time code who has used one before', async () => {
    const { ports, clock } = await stage();
    const ben = { name: 'ben', password, ...here };
    expect(await signIn(ports, { ...ben, code: codeAt(clock.at) })).toMatchObject({ kind: 'signedIn' });
    clock.at -= yearMs;
    expect(await signIn(ports, { ...ben, code: codeAt(clock.at) })).toMatchObject({ kind: 'signedIn' });
    expect(await signIn(ports, { ...ben, code: codeAt(clock.at) })).toEqual({ kind: 'refused' });
  });

  test('knows no browser any more that signed in before', async () => {
    const { ports, clock } = await stage();
    const signedIn = await signIn(ports, { name: 'anna', password, ...here });
    const { browser } = signedIn as { browser: string };
    expect(knownPlaceOf(ports, browser, 'anna')).toBeDefined();
    clock.at -= yearMs;
    expect(knownPlaceOf(ports, browser, 'anna')).toBeUndefined();
  });
});

test('an operator sees how many sessions of a user go on, and ends them', async () => {
  const { ports, clock, steps } = await stage();
  for (let session = 0; session < 2; session += 1) await signIn(ports, { name: 'anna', password, ...here });
  expect(await sessionsOf(ports, 'anna')).toBe(2);
  expect(await sessionsOf(ports, 'ben')).toBe(0);
  expect(await endSessions(ports, 'anna', 'user preavis')).toBe(2);
  expect(await endSessions(ports, 'anna', 'user preavis')).toBe(0);
  expect(await sessionsOf(ports, 'anna')).toBe(0);
  expect(steps().slice(2)).toEqual([['sessions ended', 'user preavis', { user: 'anna', sessions: 2 }]]);
  await signIn(ports, { name: 'anna', password, ...here });
  clock.at += 30 * minuteMs;
  expect(await sessionsOf(ports, 'anna')).toBe(0);
});

describe('after too many failures', () => {
  const guess = (name: string, address = here.address) => ({ name, password: 'guess', address });

  test('a name waits where it was tried, whether or not it exists, longer after each failure, and elsewhere it does not', async () => {
    const { ports, clock, steps } = await stage({ lockOut: { failures: 3, minutes: 10 } });
    for (const name of ['anna', 'nobody']) {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        expect(await signIn(ports, guess(name))).toEqual({ kind: 'refused' });
      }
      expect(await signIn(ports, { ...guess(name), password })).toEqual({ kind: 'lockedOut' });
    }
    clock.at += 10 * minuteMs;
    expect(await signIn(ports, guess('anna'))).toEqual({ kind: 'refused' });
    clock.at += 20 * minuteMs - 1;
    expect(await signIn(ports, { ...guess('anna'), password })).toEqual({ kind: 'lockedOut' });
    // She is somewhere else.
    expect(await signIn(ports, { ...guess('anna', '198.51.100.7'), password })).toMatchObject({ kind: 'signedIn' });
    clock.at += 1;
    expect(await signIn(ports, { ...guess('anna'), password })).toMatchObject({ kind: 'signedIn' });
    // Of names that do not exist the trail says nothing.
    expect(steps().filter(([event]) => event === 'locked out')).toEqual([
      ['locked out', 'user:anna', { role: 'coach', minutes: 10 }],
      ['locked out', 'user:anna', { role: 'coach', minutes: 20 }],
    ]);
  });

  test('whoever guesses from everywhere, or at the same address, keeps nobody from a browser they have signed in with', async () => {
    const { ports, clock } = await stage({
      lockOut: { failures: 3, nameFailures: 6, addressFailures: 6, minutes: 10 },
    });
    const { browser } = (await signIn(ports, { name: 'anna', password, ...here })) as { browser: string };
    for (let hour = 0; hour < 36; hour += 12, clock.at += 720 * minuteMs) {
      for (let guesser = 0; guesser < 8; guesser += 1) {
        await signIn(ports, guess('anna', `203.0.113.${hour + guesser}`));
        await signIn(ports, guess('anna'));
      }
      const anna = { name: 'anna', password, ...here };
      expect(await signIn(ports, { ...anna, address: '198.51.100.7' })).toEqual({ kind: 'lockedOut' });
      expect(await signIn(ports, { ...anna, browser })).toMatchObject({ kind: 'signedIn' });
    }
  });

  test('a browser that is known counts for itself, for its user, and with the password of then', async () => {
    const { ports } = await stage({ lockOut: { failures: 3, minutes: 10 } });
    const { browser } = (await signIn(ports, { name: 'anna', password, ...here })) as { browser: string };
    const { browser: zoes } = (await signIn(ports, { name: 'zoe', password, ...here })) as { browser: string };
    for (let attempt = 0; attempt < 3; attempt += 1) await signIn(ports, { ...guess('anna'), browser });
    expect(await signIn(ports, { ...guess('anna'), password, browser })).toEqual({ kind: 'lockedOut' });
    expect(await signIn(ports, { ...guess('anna'), password })).toMatchObject({ kind: 'signedIn' });
    for (let attempt = 0; attempt < 3; attempt += 1) await signIn(ports, guess('anna'));
    for (const other of [zoes, `${browser.slice(0, -1)}${browser.endsWith('A') ? 'B' : 'A'}`, 'none', '']) {
      expect(await signIn(ports, { ...guess('anna'), password, browser: other })).toEqual({ kind: 'lockedOut' });
    }
    const changed = { ...ports.access.users, zoe: { ...ports.access.users['zoe'], totpSecret } } as never;
    const now = { ...ports, access: { ...ports.access, users: changed } };
    expect(knownPlaceOf(ports, zoes)).toMatch(/^k[0-9a-f]{16}$/);
    expect(knownPlaceOf(now, zoes)).toBeUndefined();
  });

  test('a browser is not known any more 90 days after its last sign-in', async () => {
    const { ports, clock } = await stage();
    const { browser } = (await signIn(ports, { name: 'anna', password, ...here })) as { browser: string };
    clock.at += 90 * 24 * 60 * minuteMs - 1;
    expect(knownPlaceOf(ports, browser, 'anna')).toBeDefined();
    clock.at += 1;
    expect(knownPlaceOf(ports, browser, 'anna')).toBeUndefined();
  });

  test('an address is locked out, its whole network where it is IPv6, and no other', async () => {
    const { ports } = await stage({ lockOut: { failures: 100, addressFailures: 3 } });
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3']) {
      expect(await signIn(ports, guess(`name of ${address}`, address))).toEqual({ kind: 'refused' });
    }
    expect(await signIn(ports, { name: 'anna', password, address: '2001:db8::4' })).toEqual({ kind: 'lockedOut' });
    const elsewhere = await signIn(ports, { name: 'anna', password, address: '2001:db8:0:1::1' });
    expect(elsewhere).toMatchObject({ kind: 'signedIn' });
  });

  test('at once no more are tried than one after the other', async () => {
    const { ports } = await stage({ lockOut: { failures: 3 } });
    const tried = await Promise.all(Array.from({ length: 20 }, () => signIn(ports, guess('anna'))));
    expect(tried.filter(({ kind }) => kind === 'refused')).toHaveLength(3);
    expect(tried.filter(({ kind }) => kind === 'lockedOut')).toHaveLength(17);
  });

  test('wrong one-time codes are counted at all unknown browsers, by themselves, and asking for the code is not', async () => {
    const { ports, clock, steps } = await stage({ lockOut: { failures: 3, minutes: 10 } });
    const ben = { name: 'ben', password, ...here };
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await signIn(ports, ben)).toEqual({ kind: 'codeNeeded' });
    const { browser } = (await signIn(ports, { ...ben, code: codeAt(now) })) as { browser: string };
    for (const [index, code] of ['000000', '000001', '000002'].entries()) {
      const from = { address: `203.0.113.${index}` };
      expect(await signIn(ports, { ...ben, ...from, code })).toEqual({ kind: 'refused' });
    }
    clock.at += 60_000;
    const code = codeAt(clock.at);
    expect(await signIn(ports, { ...ben, address: '198.51.100.7', code })).toEqual({ kind: 'lockedOut' });
    expect(steps().at(-1)).toEqual(['locked out', 'user:ben', { role: 'officer', minutes: 10 }]);
    // Whoever has his password keeps him from no browser that is known.
    expect(await signIn(ports, { ...ben, code, browser })).toMatchObject({ kind: 'signedIn' });
  });

  test('who does not have the password keeps nobody from their second factor', async () => {
    const { ports } = await stage({ lockOut: { failures: 3 } });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await signIn(ports, { ...guess('ben', `203.0.113.${attempt % 6}`), code: '000000' });
    }
    const ben = { name: 'ben', password, address: '198.51.100.7', code: codeAt(now) };
    expect(await signIn(ports, ben)).toMatchObject({ kind: 'signedIn' });
  });
});

describe('a code to sign in with', () => {
  test('lets its user in once, within its minutes', async () => {
    const { ports, clock, steps } = await stage();
    const { code, endsAt } = await offerSignInCode(ports, { name: 'anna', minutes: 5, by: 'user preavis' });
    expect(endsAt).toBe(now + 5 * minuteMs);
    expect(await signInByCode(ports, { code: code.toLowerCase(), ...here })).toMatchObject({
      kind: 'signedIn',
      actor: { name: 'user:anna' },
    });
    expect(await signInByCode(ports, { code, ...here })).toEqual({ kind: 'refused' });
    const late = await offerSignInCode(ports, { name: 'anna', minutes: 5, by: 'user preavis' });
    clock.at = late.endsAt;
    expect(await signInByCode(ports, { code: late.code, ...here })).toEqual({ kind: 'refused' });
    const made = ['sign-in code made', 'user preavis', { user: 'anna', minutes: 5 }];
    expect(steps()).toEqual([made, ['signed in', 'user:anna', { role: 'coach', by: 'signInCode' }], made]);
  });

  test('is for users that there are, and is not found by trying', async () => {
    const { ports } = await stage({ lockOut: { addressFailures: 3 } });
    await expect(offerSignInCode(ports, { name: 'nobody', minutes: 5, by: 'user preavis' })).rejects.toMatchObject({
      code: 'user_unknown',
    });
    const { code } = await offerSignInCode(ports, { name: 'anna', minutes: 5, by: 'user preavis' });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await signInByCode(ports, { code: 'AAAA-AAAA-AAAA', ...here })).toEqual({ kind: 'refused' });
    }
    expect(await signInByCode(ports, { code, ...here })).toEqual({ kind: 'lockedOut' });
    // Who tries elsewhere keeps nobody out here.
    expect(await signInByCode(ports, { code, address: '198.51.100.7' })).toMatchObject({ kind: 'signedIn' });
  });
});

test('neither password, code, name nor address is anywhere in the catalogue', async () => {
  const { ports, file, catalogue } = await stage();
  await signIn(ports, { name: 'typed-zebra', password: 'zebra-password', address: '192.0.2.77' });
  const { secret } = (await signIn(ports, { name: 'anna', password, ...here })) as { secret: string };
  const { code } = await offerSignInCode(ports, { name: 'anna', minutes: 5, by: 'user preavis' });
  catalogue.close();
  const database = openSqlite(file);
  const bytes = database.serialize().toString('latin1');
  database.close();
  for (const word of ['zebra', password, secret, code, code.replaceAll('-', ''), '192.0.2']) {
    expect(bytes.includes(word)).toBe(false);
  }
});

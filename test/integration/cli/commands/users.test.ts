import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { hashPassword, isPassword } from '../../../../src/access/password.ts';
import { signIn, signInByCode, signInByOpenId } from '../../../../src/access/signIn.ts';
import {
  usersCode,
  usersHash,
  usersList,
  usersMay,
  usersSignOut,
  usersToken,
  usersTotp,
} from '../../../../src/cli/commands/users.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { localTime } from '../../../../src/cli/localTime.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import { isTotpSecret } from '../../../../src/config/credentials.ts';
import { sha256Of } from '../../../../src/core/crypto/sha256.ts';
import { accessPorts } from '../../../support/access/accessStage.ts';
import { callStart, configTree } from '../../../support/call/calls.ts';
import { archivedRecording, catalogues, clockAt, dayMs } from '../../../support/catalogue/catalogues.ts';
import { commandFile, runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const now = callStart + 3_600_000;
const password = 'correct horse battery';
let places = 0;

async function stage() {
  const at = folder.path(`${(places += 1)}`);
  const [configFile, file] = [`${at}.yaml`, `${at}.db`];
  const clock = clockAt(now);
  const catalogue = open(file, clock);
  const tree = configTree() as { purposes: Record<string, object> };
  const users = {
    anna: { role: 'coach', lines: ['default', 'orders'], purposes: ['training'] },
    ben: { role: 'officer', totpSecret: 'A'.repeat(32) },
  };
  const passwordHash = await hashPassword(password);
  const named = Object.entries(users).map(([name, user]) => [name, { ...user, passwordHash }]);
  const token = {
    role: 'operator',
    controllers: ['own'],
    extensions: ['101'],
    sha256: 'a'.repeat(64),
    expires: '2027-06-30',
  };
  const written = {
    ...tree,
    purposes: { ...tree.purposes, training: { ...tree.purposes['training'], mayListen: ['coach'] } },
    catalogue: { file },
    access: {
      users: Object.fromEntries(named) as unknown,
      openId: {
        issuer: 'https://login.example.com',
        clientId: 'preavis',
        clientSecret: 'zebra crossing',
        rules: { law: { claim: 'groups', anyOf: ['legal'], role: 'legal', lines: ['orders'] } },
      },
      tokens: { crm: token, old: { ...token, sha256: 'b'.repeat(64), expires: '2026-01-01' } },
    },
  };
  await writeFile(configFile, JSON.stringify(written), { mode: 0o600 });
  const printed: string[] = [];
  const context: CommandContext = { configFile, environment: {}, clock, print: (text) => printed.push(text) };
  const config = await loadConfig(configFile, {});

  return { context, printed, catalogue, clock, configFile, ports: accessPorts(catalogue, config, clock) };
}

const text = (printed: string[]): string => printed.join('\n');
const leo = '6f1f3a52-0d6a-4c39-9a5b-3f1f4f2f7a11';

/** As whom the identity provider has proved to be leo. */
async function signInAsLeo({ ports }: Pick<Awaited<ReturnType<typeof stage>>, 'ports'>): Promise<void> {
  const { openId } = ports.access;
  if (openId === undefined) throw new Error('no provider is configured');
  await signInByOpenId({ ...ports, access: { ...ports.access, openId } }, { sub: leo, groups: ['legal'] });
}

const json = (printed: string[]): unknown => JSON.parse(text(printed));
const typed = (line: string) => ({ firstLine: () => Promise.resolve(line) });

describe('users hash', () => {
  test('prints what the configuration keeps of the password on standard input, alone in its line', async () => {
    const { context, printed } = await stage();
    expect(await usersHash(context, { json: false }, typed(password))).toBe(0);
    expect(printed).toHaveLength(1);
    expect(await isPassword(password, printed[0])).toBe(true);
  });

  test('refuses a password that is soon guessed, and does not show it', async () => {
    const { context } = await stage();
    await expect(usersHash(context, { json: false }, typed('zebra'))).rejects.toMatchObject({
      code: 'usage',
      message: 'the password needs at least 12 characters',
    });
  });

  test('takes no password as an argument', async () => {
    const run = await runCommand(['users', 'hash', 'zebra-crossing-street']);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).not.toContain('zebra');
  });

  /** On a terminal of its own (a pty, by script of util-linux). What is shown, and the exit code. */
  function onTerminal(answers: readonly string[]): Promise<{ code: number | null; shown: string }> {
    const child = spawn('script', ['-qec', `'${process.execPath}' '${commandFile}' users hash`, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh' },
      timeout: 60_000,
    });
    let shown = '';
    let asked = 0;
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      shown += part;
      const questions = shown.match(/(Password|again): /g) ?? [];
      for (; asked < questions.length; asked += 1) child.stdin.write(answers[asked] ?? '');
    });

    return new Promise((resolve) => {
      child.once('close', (code) => {
        resolve({ code, shown });
      });
    });
  }

  test('asks twice at a terminal, which does not show it', async () => {
    const { code, shown } = await onTerminal([`${password}\r`, `${password}\r`]);
    expect([code, shown.includes('correct')]).toEqual([0, false]);
    expect(await isPassword(password, /\$scrypt\$\S+/.exec(shown)?.[0])).toBe(true);
    expect(await onTerminal([`${password}\r`, 'another one\r'])).toMatchObject({ code: 2 });
    expect(await onTerminal(['\u0003'])).toMatchObject({ code: 1 });
  });
});

test('users totp prints a new secret in its first line, and its address', async () => {
  const { context, printed } = await stage();
  await usersTotp(context, 'anna', { json: false });
  const [secret = '', address = ''] = printed;
  expect(isTotpSecret(secret)).toBe(true);
  expect(address).toMatch(new RegExp(`^otpauth://totp/.+:anna\\?.*secret=${secret}`));
});

test('users token prints a new token and the SHA-256 that the configuration keeps', async () => {
  const { context, printed } = await stage();
  await usersToken(context, { json: true });
  const { token, sha256 } = json(printed) as { token: string; sha256: string };
  expect(token).toMatch(/^prv_/);
  expect(sha256).toBe(sha256Of(token));
  await usersToken(context, { json: false });
  expect(text(printed)).toContain('access.tokens');
});

describe('users list', () => {
  test('shows who is let in, what they see, and until when; no secret', async () => {
    const { context, printed, ports } = await stage();
    await signIn(ports, { name: 'anna', password, address: '192.0.2.1' });
    await signInAsLeo({ ports });
    await signInAsLeo({ ports });
    await usersList(context, { json: false });
    const shown = text(printed);
    expect(shown).toMatch(/user anna +coach +default orders +all +all +training +password; 1 session$/m);
    expect(shown).toMatch(/user ben +officer +all +all +all +all +password and code; 0 sessions$/m);
    expect(shown).toMatch(/rule law +legal +orders +all +all +all +OpenID Connect$/m);
    expect(shown).toMatch(new RegExp(`^openid:${leo} +legal +2$`, 'm'));
    expect(shown).toMatch(/token crm +operator +all +own +101 +all +expires 2027-06-30$/m);
    expect(shown).toMatch(/token old .*expired 2026-01-01$/m);
    await usersList(context, { json: true });
    expect(text(printed)).not.toMatch(/scrypt|AAAAAAAA|aaaaaaaa|zebra/);
  });
});

describe('users may', () => {
  test('says of each act whether they may, until when, or why not', async () => {
    const { context, printed, catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    await usersMay(context, 'anna', id, { json: false });
    const shown = text(printed);
    expect(shown).toMatch(new RegExp(`^listen +yes +until ${localTime(callStart + dayMs)}$`, 'm'));
    expect(shown).toMatch(/^download +no +role$/m);
    expect(shown).toMatch(/^annotate +yes *$/m);
    printed.splice(0);
    await usersMay(context, 'crm', id, { json: true });
    expect(json(printed)).toMatchObject({
      actor: 'token:crm',
      role: 'operator',
      recording: id,
      acts: expect.arrayContaining([{ act: 'list', allowed: false, reason: 'outOfScope', until: null }]) as unknown,
    });
  });

  test.each([
    ['nobody', 'user_unknown'],
    ['Anna', 'usage'],
  ])('of %s is refused', async (name, code) => {
    const { context, catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    await expect(usersMay(context, name, id, { json: false })).rejects.toMatchObject({ code });
    await expect(usersMay(context, 'anna', `${id}x`, { json: false })).rejects.toMatchObject({
      code: 'recording_unknown',
    });
  });
});

describe('users code', () => {
  test('signs a user in once, and is in the audit trail without the code', async () => {
    const { context, printed, ports, catalogue } = await stage();
    await usersCode(context, 'ben', { minutes: '10', json: false });
    const [code = ''] = printed;
    expect(await signInByCode(ports, { code, address: '192.0.2.1' })).toMatchObject({
      kind: 'signedIn',
      actor: { name: 'user:ben' },
    });
    expect((await catalogue.auditTrail.head())?.id).toBe(2);
  });

  test.each(['0', '61', '1.5', '-1', ''])('does not work for %j minutes', async (minutes) => {
    const { context } = await stage();
    await expect(usersCode(context, 'ben', { minutes, json: false })).rejects.toMatchObject({ code: 'usage' });
  });
});

test('users sign-out ends the sessions of a user, also of one who is configured no more', async () => {
  const { context, printed, ports, catalogue } = await stage();
  await signIn(ports, { name: 'anna', password, address: '192.0.2.1' });
  const gone = { user: 'gone', credential: 'c', beganAt: now, endsAt: now + 1 };
  await catalogue.sessions.begin({ ...gone, sha256: 'x' });
  for (const [name, said] of [
    ['anna', '1 session of anna ended'],
    ['anna', '0 sessions of anna ended'],
    ['gone', '1 session of gone ended'],
  ] as const) {
    await usersSignOut(context, name, { json: false });
    expect(printed.at(-1)).toBe(said);
  }
  await expect(usersSignOut(context, 'gone', { json: false })).rejects.toMatchObject({ code: 'user_unknown' });
});

test('users sign-out ends the sessions of whoever came through the identity provider', async () => {
  const { context, printed, ports, catalogue } = await stage();
  await signInAsLeo({ ports });
  await signIn(ports, { name: 'anna', password, address: '192.0.2.1' });
  for (const count of ['1 session', '0 sessions']) {
    await usersSignOut(context, `openid:${leo}`, { json: false });
    expect(printed.at(-1)).toBe(`${count} of openid:${leo} ended`);
  }
  expect((await catalogue.sessions.list()).map(({ user }) => user)).toEqual(['anna']);
  const wrong = usersSignOut(context, 'openid:leo@example.com', { json: false });
  await expect(wrong).rejects.toMatchObject({ code: 'usage', message: expect.not.stringContaining('leo') as string });
});

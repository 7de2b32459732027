import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { hashPassword } from '../../../src/access/password.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { makeAccess } from '../../../src/web/access.ts';
import { startWeb } from '../../../src/web/server.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { clientSecret, signingKey, startProvider, TestBrowser, type TestProvider } from '../../support/web/provider.ts';
import { webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const anna = '6f1f3a52-0d6a-4c39-9a5b-3f1f4f2f7a11';
const people = {
  [anna]: { groups: ['staff', 'preavis-coaches'], email: 'anna@example.com', email_verified: true },
  leo: { groups: ['staff', 'preavis-legal'], email: 'leo@sub.example.com', email_verified: true },
  zoe: { groups: ['staff'], email: 'zoe@example.com', email_verified: false },
};
/** By the rule of docs/openid.md: no UUID, so the SHA-256 of issuer and subject. */
const hashedName = /^openid:[0-9a-f]{32}$/;
const rules = {
  coaches: { claim: 'groups', anyOf: ['preavis-coaches'], role: 'coach', lines: ['default'] },
  lawyers: { claim: 'groups', anyOf: ['preavis-legal'], role: 'legal' },
};

type Stage = {
  here: WebStage;
  url: string;
  /** Where a sign-in begins, and where the provider sends people back to. */
  start: string;
  callback: string;
  provider: TestProvider;
  browser: TestBrowser;
  logged: () => string;
  /** What the audit trail has of no recording. */
  steps: () => unknown[];
  /** The same catalogue, served by another configuration of openId. */
  again: (more: Record<string, unknown>) => Promise<string>;
  /** Another process behind the same address. */
  beside: (webKey?: string) => Promise<string>;
  /** Ends the first process. */
  end: () => Promise<void>;
};

async function stage(more: Record<string, unknown> = {}, access: Record<string, unknown> = {}): Promise<Stage> {
  const home = folder.path(`${Math.random()}`);
  const here = await webStage(home, open);
  // The provider's tokens have the time of the machine.
  here.set.clock.at = Date.now();
  const provider = await startProvider(people);
  const { log, text } = collectingLog('debug');
  const serve = async (
    other: Record<string, unknown>,
    { publicUrl, webKey = here.ports.webKey }: { publicUrl?: string; webKey?: string | undefined } = {},
  ): Promise<{ url: string; stop: () => Promise<void> }> => {
    const openId = { issuer: provider.issuer, clientId: 'preavis', clientSecret, scopes: ['email'], rules, ...other };
    const config = parseConfig({ ...webTree(), access: { openId, ...access } });
    const ports = { ...here.ports, webKey, log, config, access: makeAccess({ ...here.ports, webKey, config }) };
    const server = await startWeb(ports, { host: '127.0.0.1', port: 0, publicUrl });
    stops.push(() => server.stop());

    return { url: `${server.url}/api/v1`, stop: () => server.stop() };
  };
  const { url, stop: end } = await serve(more);
  const callback = `${url}/session/openid/callback`;
  await provider.register(callback);
  stops.push(
    () => here.server.stop(),
    () => provider.stop(),
  );

  return {
    here,
    url,
    start: `${url}/session/openid`,
    callback,
    provider,
    browser: new TestBrowser(),
    logged: text,
    again: async (other) => (await serve({ ...more, ...other })).url,
    beside: async (webKey) => (await serve(more, { publicUrl: new URL(url).origin, webKey })).url,
    end,
    steps: () => {
      const database = openSqlite(`${home}/catalogue.db`, { readonly: true });
      const rows = database
        .prepare('SELECT event, actor, detail FROM audit WHERE recording_id IS NULL ORDER BY id')
        .all() as { event: string; actor: string; detail: string }[];
      database.close();

      return rows.map(({ event, actor, detail }) => [event, actor, JSON.parse(detail) as unknown]);
    },
  };
}

const asProgram = { headers: { accept: 'application/json' } };
const me = async ({ browser, url }: Pick<Stage, 'browser' | 'url'>): Promise<unknown> =>
  (await browser.ask(`${url}/me`, asProgram)).json();
/** Status and code of a page that refuses. */
async function refusal(answer: Response): Promise<string> {
  const page = await answer.text();

  return `${answer.status} ${/<dd>([a-z_]+)<\/dd>/.exec(page)?.[1] ?? page.slice(0, 200)}`;
}
async function expectNobody({ here, steps }: Stage): Promise<void> {
  expect(await here.set.catalogue.sessions.list()).toEqual([]);
  expect(steps()).toEqual([]);
}

describe('somebody whom the provider knows', () => {
  test('is signed in by the first rule that holds, in a session like that of a user', async () => {
    const all = await stage();
    const { browser, url, start, here, provider } = all;
    // Nothing was asked while starting.
    expect(provider.asked).toEqual([]);
    const { answer } = await browser.signIn(`${start}?to=/calls%3Fline=sales`, anna);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<meta http-equiv="refresh" content="0; url=/calls?line=sales" />');
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^preavis=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^preavis-browser=1\.[\w-]+; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Strict$/),
      'preavis-openid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    ]);
    expect(await me(all)).toMatchObject({ name: `openid:${anna}`, role: 'coach', lines: ['default'] });
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(await here.set.catalogue.sessions.list()).toMatchObject([{ user: `openid:${anna}`, sha256 }]);
    here.set.clock.at += 31 * 60_000;
    expect((await browser.ask(`${url}/me`, asProgram)).status).toBe(401);
  });

  test('is in the audit trail and in the log without address, and without a name of the provider', async () => {
    const all = await stage();
    await all.browser.signIn(all.start, 'leo');
    const out = { method: 'DELETE', headers: { 'x-preavis-request': '1' } };
    expect((await all.browser.ask(`${all.url}/session`, out)).status).toBe(204);
    const name = expect.stringMatching(hashedName) as string;
    expect(all.steps()).toEqual([
      ['signed in', name, { role: 'legal', by: 'openId', rule: 'lawyers' }],
      ['signed out', name, { role: 'legal', sessions: 1 }],
    ]);
    expect((await all.browser.ask(`${all.url}/me`, asProgram)).status).toBe(401);
    await new TestBrowser().signIn(all.start, 'zoe');
    expect(all.logged()).toContain('sign_in_not_granted');
    for (const word of ['example.com', '"leo"', 'zoe', clientSecret]) {
      expect(`${all.logged()}${JSON.stringify(all.steps())}`).not.toContain(word);
    }
  });

  test('and for whom no rule holds reads so, in their language, with their name here, and a program a problem', async () => {
    const all = await stage();
    const { browser, start, url } = all;
    const { answer } = await browser.signIn(start, 'zoe');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const page = await answer.text();
    expect(page).toContain('<html lang="en">');
    expect(page).toMatch(/<dd>openid:[0-9a-f]{32}<\/dd>/);
    expect(page).toContain('<dd>sign_in_not_granted</dd>');
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(page) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}';`);
    await expectNobody(all);
    const back = await browser.go(start, {}, `${url}/session/openid/callback`);
    const german = await browser.ask(back.url, {
      headers: { accept: 'text/html', 'accept-language': 'de-AT,en;q=0.5' },
    });
    expect(await german.text()).toContain('<h1>Sie haben keinen Zugriff</h1>');
    const other = await browser.go(start, {}, `${url}/session/openid/callback`);
    const problem = await browser.ask(other.url, asProgram);
    expect([problem.status, problem.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
    expect(await problem.json()).toMatchObject({ code: 'sign_in_not_granted' });
  });

  test('has another role at their next sign-in, and that of the configuration at once', async () => {
    const all = await stage();
    const { browser, provider, again, url, start } = all;
    await browser.signIn(start, anna);
    const other = await again({ rules: { ...rules, coaches: { ...rules.coaches, role: 'auditor' } } });
    const [session = ''] = browser.cookiesOf(url).values();
    const askOther = (at: string): Promise<Response> =>
      fetch(`${at}/me`, { headers: { cookie: `preavis=${session}` } });
    expect(await (await askOther(other)).json()).toMatchObject({ name: `openid:${anna}`, role: 'auditor' });
    // What they came in by is another: their session ends.
    const changed = { ...rules.coaches, anyOf: ['preavis-teachers'] };
    expect((await askOther(await again({ rules: { ...rules, coaches: changed } }))).status).toBe(401);
    expect((await askOther(await again({ accounts: { subjects: ['somebody else'] } }))).status).toBe(401);
    provider.accounts[anna] = { groups: ['preavis-legal'] };
    await browser.signIn(start, anna);
    expect(await me(all)).toMatchObject({ role: 'legal' });
  });

  test.each([
    ['by their subject', { subjects: [anna] }, anna, true],
    ['by the verified domain of their address', { emailDomains: ['example.com'] }, anna, true],
    ['not by a domain below it', { emailDomains: ['example.com'] }, 'leo', false],
    ['not by an address that is not verified', { emailDomains: ['example.com'] }, 'zoe', false],
    ['not by the subject of somebody else', { subjects: [anna] }, 'leo', false],
  ])('comes in where accounts say who may: %s', async (_, accounts, login, isIn) => {
    const all = await stage({ accounts, rules: { all: { role: 'coach' } } });
    const { answer } = await all.browser.signIn(all.start, login);
    expect(answer.status).toBe(isIn ? 200 : 403);
    if (!isIn) await expectNobody(all);
  });

  test('needs the second factor that acr and amr are asked for', async () => {
    const all = await stage({ requireAcr: ['gold', 'silver'], requireAmr: ['mfa'] });
    const { browser, start, provider } = all;
    const first = await browser.ask(start);
    expect(new URL(first.headers.get('location') ?? '').searchParams.get('acr_values')).toBe('gold silver');
    const as = async (says: Record<string, unknown>): Promise<string> => {
      provider.lie = (claims) => ({ ...claims, ...says });
      const { answer } = await new TestBrowser().signIn(start, anna);

      return answer.status === 200 ? 'in' : refusal(answer);
    };
    expect(await as({ acr: 'silver', amr: ['pwd'] })).toBe('403 sign_in_factor_needed');
    expect(await as({ acr: 'bronze', amr: ['mfa'] })).toBe('403 sign_in_factor_needed');
    expect(await as({ acr: ['gold'], amr: ['mfa'] })).toBe('403 sign_in_factor_needed');
    await expectNobody(all);
    expect(await as({ acr: 'gold', amr: ['pwd', 'mfa'] })).toBe('in');
  });

  test('may be a user beside, with another session and another name', async () => {
    const passwordHash = await hashPassword('right and long enough');
    const all = await stage({}, { users: { anna: { role: 'officer', passwordHash } } });
    await all.browser.signIn(all.start, anna);
    const headers = { 'x-preavis-request': '1', 'content-type': 'application/json' };
    const body = JSON.stringify({ user: 'anna', password: 'right and long enough' });
    expect((await fetch(`${all.url}/session`, { method: 'POST', headers, body })).status).toBe(201);
    expect((await all.here.set.catalogue.sessions.list()).map(({ user }) => user).toSorted()).toEqual([
      'anna',
      `openid:${anna}`,
    ]);
    expect(await (await fetch(`${all.url}/session/ways`)).json()).toEqual({ password: true, openId: true });
  });

  test('is the only one to come in where passwords do not count', async () => {
    const passwordHash = await hashPassword('right and long enough');
    const all = await stage({}, { passwordSignIn: false, users: { anna: { role: 'officer', passwordHash } } });
    const headers = { 'x-preavis-request': '1', 'content-type': 'application/json' };
    const body = JSON.stringify({ user: 'anna', password: 'right and long enough' });
    expect((await fetch(`${all.url}/session`, { method: 'POST', headers, body })).status).toBe(401);
    expect(await (await fetch(`${all.url}/session/ways`)).json()).toEqual({ password: false, openId: true });
    expect((await all.browser.signIn(all.start, anna)).answer.status).toBe(200);
  });

  test('is sent to where their session at the provider ends', async () => {
    const { browser, url, provider } = await stage();
    const answer = await browser.ask(`${url}/session/openid/end`);
    expect(answer.status).toBe(302);
    const to = new URL(answer.headers.get('location') ?? '');
    expect([`${to.origin}${to.pathname}`, to.searchParams.get('client_id')]).toEqual([
      `${provider.issuer}/session/end`,
      'preavis',
    ]);
    expect(to.searchParams.get('post_logout_redirect_uri')).toBe(`${new URL(url).origin}/`);
  });
});

describe('the way to the provider and back', () => {
  test('has PKCE, state and nonce, which only this browser brings back', async () => {
    const { browser, start, callback } = await stage();
    const answer = await browser.ask(start);
    expect(answer.status).toBe(302);
    const { searchParams } = new URL(answer.headers.get('location') ?? '');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'preavis',
      redirect_uri: callback,
      scope: 'openid email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^preavis-openid=[\w.-]{200,}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    for (const secret of ['state', 'nonce', 'code_challenge']) {
      expect(cookie).not.toContain(searchParams.get(secret) ?? '?');
    }
  });

  test('ends in the browser that began it: nobody is signed in by what somebody else has begun', async () => {
    const all = await stage();
    const { browser, start, callback } = all;
    const theirs = await browser.signIn(start, anna, callback);
    // Somebody who never began, somebody who has begun something else, and one whose cookie was made up.
    const stranger = new TestBrowser();
    expect(await refusal(await stranger.ask(theirs.url))).toBe('400 sign_in_expired');
    await stranger.ask(start);
    expect(await refusal(await stranger.ask(theirs.url))).toBe('400 sign_in_expired');
    stranger.cookiesOf(theirs.url).set('preavis-openid', 'eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA');
    expect(await refusal(await stranger.ask(theirs.url))).toBe('400 sign_in_expired');
    await expectNobody(all);
    // What others did with it has ended nothing.
    expect((await browser.ask(theirs.url)).status).toBe(200);
  });

  test.each([
    ['another process than it began', () => Promise.resolve()],
    ['another process, after that in which it began has ended', ({ end }: Stage) => end()],
  ])('may end in %s', async (_, between) => {
    const all = await stage();
    const { browser, start, callback, here } = all;
    const back = await browser.signIn(start, anna, callback);
    const other = await all.beside();
    const stranger = await all.beside('x'.repeat(43));
    await between(all);
    const cookies = browser.cookiesOf(back.url);
    const at = (url: string): string => `${new URL(url).origin}${back.url.slice(new URL(back.url).origin.length)}`;
    for (const url of [other, stranger]) {
      for (const [name, value] of cookies) browser.cookiesOf(url).set(name, value);
    }
    // Of another installation, it is nothing.
    expect(await refusal(await browser.ask(at(stranger)))).toBe('400 sign_in_expired');
    await expectNobody(all);
    const answer = await browser.ask(at(other));
    expect(answer.status).toBe(200);
    expect(await (await browser.ask(`${other}/me`, asProgram)).json()).toMatchObject({ name: `openid:${anna}` });
    expect(await here.set.catalogue.sessions.list()).toHaveLength(1);
    expect(await refusal(await browser.ask(at(other)))).toBe('400 sign_in_expired');
  });

  test('is open for ten minutes, and once', async () => {
    const all = await stage();
    const { browser, start, callback, here } = all;
    const late = await browser.signIn(start, anna, callback);
    here.set.clock.at += 600_000;
    expect(await refusal(await browser.ask(late.url))).toBe('400 sign_in_expired');
    await expectNobody(all);
    const back = await browser.go(start, {}, callback);
    const kept = browser.cookiesOf(back.url).get('preavis-openid') ?? '';
    expect((await browser.ask(back.url)).status).toBe(200);
    expect(await refusal(await browser.ask(back.url))).toBe('400 sign_in_expired');
    // Whoever has seen the address and the cookie: the provider takes its code once.
    const thief = new TestBrowser();
    thief.cookiesOf(back.url).set('preavis-openid', kept);
    expect(await refusal(await thief.ask(back.url))).toBe('400 sign_in_expired');
    expect(await here.set.catalogue.sessions.list()).toHaveLength(1);
  });

  test('is begun by no page of another address, and leads to none', async () => {
    const { browser, start } = await stage();
    for (const site of ['cross-site', 'same-site']) {
      const headers = { accept: 'text/html', 'sec-fetch-site': site };
      expect(await refusal(await browser.ask(start, { headers }))).toBe('403 request_forged');
    }
    for (const site of ['same-origin', 'none']) {
      expect((await browser.ask(start, { headers: { 'sec-fetch-site': site } })).status).toBe(302);
    }
    const others = [
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      '/%09/evil.example',
      'javascript:alert(1)',
    ];
    for (const to of others) {
      const answer = await browser.ask(`${start}?to=${encodeURIComponent(decodeURIComponent(to))}`);
      expect([to, answer.status]).toEqual([to, 400]);
    }
    expect((await browser.ask(`${start}?to=/&to=//evil.example`)).status).toBe(400);
  });

  test('is there for so many attempts of one address in a minute', async () => {
    const { browser, start, callback, again } = await stage();
    expect((await browser.signIn(start, anna)).answer.status).toBe(200);
    const statuses = new Set<number>();
    for (let attempt = 0; attempt < 22; attempt += 1) statuses.add((await fetch(callback)).status);
    expect([...statuses]).toEqual([400, 429]);
    // Somebody who has signed in with this browser before is not kept out by who floods the address.
    expect((await browser.ask(callback)).status).toBe(400);
    const other = await again({ rules: { nobody: { claim: 'groups', anyOf: ['nobody'], role: 'coach' } } });
    for (const [name, value] of browser.cookiesOf(callback)) browser.cookiesOf(other).set(name, value);
    for (let attempt = 0; attempt < 20; attempt += 1) await fetch(`${other}/session/openid/callback`);
    expect((await browser.ask(`${other}/session/openid/callback`)).status).toBe(429);
  });

  test('does not exist where openId is not configured', async () => {
    const here = await webStage(folder.path(`${Math.random()}`), open);
    stops.push(() => here.server.stop());
    for (const path of ['/session/openid', '/session/openid/callback?code=1&state=2', '/session/openid/end']) {
      expect((await here.ask(path)).status).toBe(404);
    }
    expect(await here.json('/session/ways', 'none')).toEqual({ password: true, openId: false });
  });
});

describe('a provider', () => {
  test('that signs with a new key is believed at once, also in the middle of a sign-in', async () => {
    const all = await stage();
    const { browser, start, callback, provider } = all;
    expect((await browser.signIn(start, anna)).answer.status).toBe(200);
    await provider.rotate();
    expect((await new TestBrowser().signIn(start, anna)).answer.status).toBe(200);
    const other = new TestBrowser();
    const back = await other.signIn(start, anna, callback);
    await provider.rotate();
    expect((await other.ask(back.url)).status).toBe(200);
  });

  test.each([
    ['names another issuer', { iss: 'https://evil.example' }],
    ['names another audience', { aud: 'another-client' }],
    ['answers another question (nonce)', { nonce: 'another' }],
    ['has a token that is over', { exp: 1_600_000_000 }],
    ['has a token that is not valid yet', { nbf: 4_000_000_000 }],
    ['names nobody', { sub: '' }],
  ] as [string, JWTPayload][])('that %s is not believed', async (_, says) => {
    const all = await stage();
    all.provider.lie = (claims) => ({ ...claims, ...says });
    const { answer } = await all.browser.signIn(all.start, anna);
    expect(await refusal(answer)).toBe('502 open_id_untrusted');
    await expectNobody(all);
    expect(all.logged()).toContain('"code":"open_id_untrusted"');
    expect(all.logged()).not.toContain('example.com');
  });

  test('whose token is over by the clock of Préavis is not believed', async () => {
    const all = await stage();
    const { browser, start, callback, here } = all;
    const back = await browser.signIn(start, anna, callback);
    const exp = Math.floor(here.set.clock.at / 1_000) + 60;
    all.provider.lie = (claims) => ({ ...claims, exp });
    // Within the ten minutes of what the browser keeps.
    here.set.clock.at += 300_000;
    expect(await refusal(await browser.ask(back.url))).toBe('502 open_id_untrusted');
    await expectNobody(all);
  });

  test('whose key somebody else has made is not believed', async () => {
    const all = await stage();
    all.provider.forge = await signingKey();
    expect(await refusal((await all.browser.signIn(all.start, anna)).answer)).toBe('502 open_id_untrusted');
    await expectNobody(all);
  });

  test('that refuses is told of, without what it or somebody else has put into the address', async () => {
    const all = await stage();
    const { browser, start, callback } = all;
    const begun = await browser.ask(start);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const back = (error: string): Promise<Response> =>
      browser.ask(
        `${callback}?${new URLSearchParams({ error, error_description: 'anna@example.com', state, iss: all.provider.issuer }).toString()}`,
      );
    expect(await refusal(await back('access_denied'))).toBe('403 open_id_refused');
    const strange = await (await back('<script>alert(1)</script>')).text();
    expect(strange).toContain('open_id_refused');
    expect(strange).not.toContain('alert');
    expect(await refusal(await back('temporarily_unavailable'))).toBe('503 open_id_unreachable');
    expect(all.logged()).toContain('it answers with access_denied');
    expect(all.logged()).not.toMatch(/alert|anna@/);
    await expectNobody(all);
  });

  test('that does not know Préavis by this secret is told of, without the secret', async () => {
    const wrong = 'not the secret of the client';
    const all = await stage({ clientSecret: wrong });
    const { answer } = await all.browser.signIn(all.start, anna);
    expect(await refusal(answer)).toBe('502 open_id_client_refused');
    expect(all.logged()).not.toContain(wrong);
    await expectNobody(all);
  });

  test('that is down is told of at once, and asked again by the next who signs in', async () => {
    const all = await stage();
    const { browser, start, callback, provider, url } = all;
    await provider.stop();
    expect(await refusal(await browser.ask(start))).toBe('503 open_id_unreachable');
    await provider.start();
    const back = await browser.signIn(start, anna, callback);
    await provider.stop();
    expect(await refusal(await browser.ask(back.url))).toBe('503 open_id_unreachable');
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
    await expectNobody(all);
    // The code was not used: what this browser has begun goes on.
    await provider.start();
    expect((await browser.ask(back.url)).status).toBe(200);
  });

  test('that hangs is waited for some seconds, by nobody else, and by the process that stops not at all', async () => {
    const all = await stage();
    const { browser, start, callback, provider, url } = all;
    const back = await browser.signIn(start, anna, callback);
    provider.fault = (path) => path === '/token';
    const began = performance.now();
    const waiting = browser.ask(back.url);
    expect((await fetch(`${url}/session/ways`)).status).toBe(200);
    expect(await refusal(await waiting)).toBe('503 open_id_unreachable');
    expect(performance.now() - began).toBeLessThan(15_000);
    // It begins to answer, and does not end.
    provider.fault = (path, response) => {
      if (path === '/jwks') response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      return path === '/jwks';
    };
    const other = new TestBrowser();
    expect(await refusal((await other.signIn(start, anna)).answer)).toBe('503 open_id_unreachable');
    await expectNobody(all);
  });

  test.each([
    [
      'calls itself another',
      (issuer: string) => JSON.stringify({ issuer: `${issuer}/other` }),
      200,
      '502 open_id_untrusted',
    ],
    [
      'is written in another way',
      (issuer: string) => JSON.stringify({ issuer: `${issuer}/` }),
      200,
      '502 open_id_untrusted',
    ],
    ['answers with what is no JSON', () => '<html>', 200, '502 open_id_untrusted'],
    ['describes nothing', (issuer: string) => JSON.stringify({ issuer }), 200, '502 open_id_untrusted'],
    [
      'sends people over http',
      (issuer: string) => JSON.stringify({ issuer, authorization_endpoint: 'http://evil.example/' }),
      200,
      '502 open_id_untrusted',
    ],
    ['answers without end', () => 'x'.repeat(600_000), 200, '502 open_id_untrusted'],
    ['is not there', () => 'nothing', 404, '502 open_id_untrusted'],
    ['is broken', () => 'oops', 500, '503 open_id_unreachable'],
  ])('that %s sends nobody anywhere', async (_, text, status, expected) => {
    const all = await stage();
    all.provider.fault = (_path, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(text(all.provider.issuer));
      return true;
    };
    expect(await refusal(await all.browser.ask(all.start))).toBe(expected);
  });
});

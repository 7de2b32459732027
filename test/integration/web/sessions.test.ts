import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { offerSignInCode } from '../../../src/access/signIn.ts';
import { hashPassword } from '../../../src/access/password.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { makeAccess } from '../../../src/web/access.ts';
import type { WebPorts } from '../../../src/web/ports.ts';
import { startWeb } from '../../../src/web/server.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

type Stage = { here: WebStage; url: string; ports: WebPorts };

/** A server that lets in whom the configuration names: anna, a coach, and the token of a program. */
async function stage(publicUrl?: string, requestsPerMinute?: number, trustedProxies: string[] = []): Promise<Stage> {
  const here = await webStage(folder.path(`${Math.random()}`), open);
  const config = parseConfig({
    ...webTree(),
    access: {
      users: {
        anna: { role: 'coach', passwordHash: await hashPassword('right and long enough') },
        adam: { role: 'admin', passwordHash: await hashPassword('right and long enough') },
      },
      tokens: { crm: { role: 'legal', sha256: sha256Of('prv_token'), expires: '2027-06-30' } },
      session: { idleMinutes: 30, hours: 12 },
    },
  });
  const ports = { ...here.ports, config, access: makeAccess({ ...here.ports, config }) };
  const server = await startWeb(ports, {
    host: '127.0.0.1',
    port: 0,
    publicUrl,
    trustedProxies,
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  });
  stops.push(
    () => server.stop(),
    () => here.server.stop(),
  );

  return { here, url: `${server.url}/api/v1`, ports };
}

const page = { 'x-preavis-request': '1', 'content-type': 'application/json' };

function signIn(
  url: string,
  password = 'right and long enough',
  user = 'anna',
  headers: object = page,
): Promise<Response> {
  return fetch(`${url}/session`, {
    method: 'POST',
    headers: { ...headers },
    body: JSON.stringify({ user, password }),
  });
}

/** Of the session; the other one makes the browser known. */
const cookieOf = (answer: Response): string => (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
const browserOf = (answer: Response): string => (answer.headers.getSetCookie()[1] ?? '').split(';')[0] ?? '';

test('whoever signs in has a cookie that no script reads and no other page sends, until they sign out', async () => {
  const { url } = await stage();
  const answer = await signIn(url);
  expect(answer.status).toBe(201);
  expect(await answer.json()).toMatchObject({ me: { name: 'user:anna', role: 'coach' } });
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^preavis=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    expect.stringMatching(/^preavis-browser=1\.[\w-]+; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Strict$/),
  ]);
  const cookie = cookieOf(answer);
  expect((await fetch(`${url}/me`, { headers: { cookie } })).status).toBe(200);
  expect((await fetch(`${url}/session`, { method: 'DELETE', headers: { cookie, ...page } })).status).toBe(400);
  const out = { cookie, 'x-preavis-request': '1' };
  expect((await fetch(`${url}/session`, { method: 'DELETE', headers: out })).status).toBe(204);
  expect((await fetch(`${url}/me`, { headers: { cookie } })).status).toBe(401);
});

test('behind a proxy with TLS the cookie is bound to that address', async () => {
  const { url } = await stage('https://calls.example.com');
  expect((await signIn(url)).headers.getSetCookie()).toEqual([
    expect.stringMatching(/^__Host-preavis=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/),
    expect.stringMatching(/^__Host-preavis-browser=.+; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Strict$/),
  ]);
});

test('a wrong password, a user that does not exist and one that is locked out are answered alike', async () => {
  const { url } = await stage();
  const texts = new Set<string>();
  for (let attempt = 0; attempt < 6; attempt += 1) texts.add(await (await signIn(url, 'wrong')).text());
  texts.add(await (await signIn(url)).text());
  texts.add(await (await signIn(url, 'wrong', 'nobody')).text());
  expect([...texts]).toEqual([expect.stringContaining('sign_in_refused')]);
});

test('whoever knows the name of a user keeps them out of no browser that they have signed in with', async () => {
  const { here, url } = await stage();
  const known = { ...page, cookie: browserOf(await signIn(url)) };
  // From the same address: more in a minute than are taken from one.
  for (let attempt = 0; attempt < 25; attempt += 1) await signIn(url, 'wrong');
  expect((await signIn(url)).status).toBe(429);
  const again = await signIn(url, undefined, undefined, known);
  expect(again.status).toBe(201);
  expect((await fetch(`${url}/me`, { headers: { cookie: cookieOf(again) } })).status).toBe(200);
  // It lets nobody in by itself.
  expect((await fetch(`${url}/me`, { headers: { cookie: known.cookie } })).status).toBe(401);
  expect((await signIn(url, 'wrong', undefined, known)).status).toBe(401);
  // And is nothing for a browser whose cookie was made up.
  expect((await signIn(url, undefined, undefined, { ...page, cookie: `${known.cookie}x` })).status).toBe(429);
  here.set.clock.at += 91 * 86_400_000;
  expect((await signIn(url, undefined, undefined, known)).status).toBe(429);
});

test('a code of `preavis users code` signs its user in once', async () => {
  const { here, url, ports } = await stage();
  const { access } = ports.config;
  const { code } = await offerSignInCode(
    { catalogue: here.set.catalogue, access, clock: here.set.clock },
    { name: 'anna', minutes: 10, by: 'user root' },
  );
  const come = (typed: string, headers: object = page): Promise<Response> =>
    fetch(`${url}/session/code`, { method: 'POST', headers: { ...headers }, body: JSON.stringify({ code: typed }) });
  expect((await come(code, { 'content-type': 'application/json' })).status).toBe(403);
  expect((await come('AAAA-AAAA-AAAA')).status).toBe(401);
  expect((await come('a name and a password')).status).toBe(400);
  const answer = await come(code.toLowerCase());
  expect(answer.status).toBe(201);
  expect(await answer.json()).toMatchObject({ me: { name: 'user:anna' } });
  expect((await fetch(`${url}/me`, { headers: { cookie: cookieOf(answer) } })).status).toBe(200);
  expect((await come(code)).status).toBe(401);
});

test('whoever signs out everywhere has no session any more, and others have theirs', async () => {
  const { url } = await stage();
  const [one, other] = [cookieOf(await signIn(url)), cookieOf(await signIn(url))];
  const out = { method: 'DELETE', headers: { cookie: one, 'x-preavis-request': '1' } };
  expect((await fetch(`${url}/session?everywhere=true`, out)).status).toBe(204);
  for (const cookie of [one, other]) expect((await fetch(`${url}/me`, { headers: { cookie } })).status).toBe(401);
});

test('whoever has a network of IPv6 has the attempts of one address', async () => {
  const { url } = await stage(undefined, undefined, ['127.0.0.1']);
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 21; attempt += 1) {
    const from = { ...page, 'x-forwarded-for': `2001:db8::${attempt.toString(16)}` };
    statuses.push((await signIn(url, 'wrong', `nobody${attempt}`, from)).status);
  }
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  expect((await signIn(url, 'wrong', 'nobody', { ...page, 'x-forwarded-for': '2001:db8:0:1::1' })).status).toBe(401);
});

test('a session ends when nobody uses it, and when its hours are over, and a made-up one is none', async () => {
  const { here, url } = await stage();
  const cookie = cookieOf(await signIn(url));
  const me = (sent = cookie): Promise<Response> => fetch(`${url}/me`, { headers: { cookie: sent } });
  here.set.clock.at += 29 * 60_000;
  expect((await me()).status).toBe(200);
  here.set.clock.at += 31 * 60_000;
  expect((await me()).status).toBe(401);
  const again = cookieOf(await signIn(url));
  for (let part = 0; part < 25; part += 1) {
    here.set.clock.at += 29 * 60_000;
    await me(again);
  }
  expect((await me(again)).status).toBe(401);
  expect((await me(`preavis=${'A'.repeat(43)}`)).status).toBe(401);
});

test('who looks after access sees who is signed in, and ends their sessions, and a coach does neither', async () => {
  const { here, url } = await stage();
  const [anna, adam] = [cookieOf(await signIn(url)), cookieOf(await signIn(url, undefined, 'adam'))];
  here.set.clock.at += 60_000;
  await signIn(url);
  const ask = (path: string, cookie: string, method = 'GET'): Promise<Response> =>
    fetch(`${url}${path}`, { method, headers: { cookie, 'x-preavis-request': '1' } });
  expect((await ask('/sessions', anna)).status).toBe(403);
  expect((await ask('/sessions/user:adam', anna, 'DELETE')).status).toBe(403);
  const told = await (await ask('/sessions', adam)).text();
  expect(JSON.parse(told)).toMatchObject({
    people: [
      { name: 'user:adam', role: 'admin', sessions: [{}] },
      { name: 'user:anna', role: 'coach', lines: null, sessions: [{}, {}] },
    ],
  });
  // Neither the word of a cookie, nor what is kept of it.
  for (const secret of [anna, adam].map((cookie) => cookie.replace('preavis=', ''))) {
    expect(told).not.toContain(secret);
    expect(told).not.toContain(sha256Of(secret));
  }
  expect(await (await ask('/sessions/user:anna', adam, 'DELETE')).json()).toEqual({ sessions: 2 });
  expect(await (await ask('/sessions/user:anna', adam, 'DELETE')).json()).toEqual({ sessions: 0 });
  expect((await ask('/sessions/anna', adam, 'DELETE')).status).toBe(400);
  expect((await ask('/me', anna)).status).toBe(401);
  expect((await ask('/me', adam)).status).toBe(200);
  const { lines } = await here.set.catalogue.auditTrail.search({ event: 'sessions ended' }, undefined, 10);
  expect(lines).toMatchObject([{ actor: 'user:adam', detail: { user: 'anna', sessions: 2 } }]);
});

test('a token counts until its day, and a cookie beside it does not', async () => {
  const { here, url } = await stage();
  const cookie = cookieOf(await signIn(url));
  const headers = { authorization: 'Bearer prv_token', cookie };
  expect(await (await fetch(`${url}/me`, { headers })).json()).toMatchObject({ name: 'token:crm', role: 'legal' });
  expect((await fetch(`${url}/me`, { headers: { ...headers, authorization: 'Bearer prv_other' } })).status).toBe(401);
  here.set.clock.at = Date.parse('2027-06-30T00:00:00Z');
  expect((await fetch(`${url}/me`, { headers })).status).toBe(401);
});

test('a page of another address cannot change anything with the cookie of somebody, nor read anything', async () => {
  const { here, url } = await stage();
  const { id } = await here.archived();
  const cookie = cookieOf(await signIn(url));
  const heard = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${url}/recordings/${id}/heard`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ parts: [[0, 100]] }),
    });
  expect((await heard({})).status).toBe(403);
  expect((await heard({ ...page, origin: 'https://evil.example' })).status).toBe(403);
  expect((await heard({ ...page, origin: new URL(url).origin })).status).toBe(204);
  expect((await signIn(url, undefined, undefined, { 'content-type': 'application/json' })).status).toBe(403);
  const answer = await fetch(`${url}/me`, { headers: { cookie, origin: 'https://evil.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('a page of the same site cannot even make a browser ask for a recording, which would be noted as listening', async () => {
  const { here, url } = await stage();
  const { id } = await here.archived();
  const cookie = cookieOf(await signIn(url));
  const audio = async (site: string): Promise<number> =>
    (await fetch(`${url}/recordings/${id}/audio`, { headers: { cookie, 'sec-fetch-site': site } })).status;
  expect([
    await audio('same-site'),
    await audio('cross-site'),
    await audio('same-origin'),
    await audio('none'),
  ]).toEqual([403, 403, 200, 200]);
  const begun = (await here.set.catalogue.auditTrail.of(id)).filter(({ event }) => event === 'listening begun');
  expect(begun).toHaveLength(1);
});

test('every answer tells browsers to run nothing, keep nothing and show it in no frame', async () => {
  const { url } = await stage();
  for (const path of ['/me', '/openapi.json', '/nothing']) {
    const { headers } = await fetch(`${url}${path}`);
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none';base-uri 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect([path, headers.get('cache-control')]).toEqual([path, 'no-store']);
  }
});

test('a body that is too large, no JSON, or of another kind is refused before it is read whole', async () => {
  const { url } = await stage();
  const send = (body: string, type = 'application/json'): Promise<Response> =>
    fetch(`${url}/calls/search`, {
      method: 'POST',
      headers: { authorization: 'Bearer prv_token', 'content-type': type },
      body,
    });
  const codes = [
    await send(JSON.stringify({ number: 'x'.repeat(100_000) })),
    await send('{"number":'),
    await send('<number/>', 'text/xml'),
    await send('[]'),
  ].map(async (answer) => `${answer.status} ${((await answer.json()) as { code: string }).code}`);
  expect(await Promise.all(codes)).toEqual([
    '413 request_too_large',
    '400 request_invalid',
    '400 request_invalid',
    '400 request_invalid',
  ]);
});

/** What a request that Node's own client would not send is answered. */
function raw(url: string, text: string): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);

  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(answer);
    });
    socket.write(text);
  });
}

test.each([
  ['a path that is none', 400, 'GET /api/v1/calls/%zz-secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['too many headers', 413, `GET /api/v1/me HTTP/1.1\r\nHost: a\r\nx-secret: ${'y'.repeat(40_000)}\r\n\r\n`],
  ['a length that is none', 400, 'GET /api/v1/me HTTP/1.1\r\nHost: a\r\nContent-Length: -secret\r\n\r\n'],
])('%s is answered with a problem like any other, which repeats nothing', async (_, status, text) => {
  const { url } = await stage();
  const answer = await raw(url, text);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
  expect(answer).not.toContain('secret');
});

test('what is no HTTP ends its connection, and nobody else notices', async () => {
  const { url } = await stage();
  const answer = await raw(url, 'GET /api/v1/me HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 400/);
  expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
});

test('who sends headers without end, and reads nothing, is cut off', async () => {
  const { url } = await stage();
  const { port, hostname } = new URL(url);
  const cut = ['GET /api/v1/me HTTP/1.1\r\nHost: a\r\nx-slow: ', 'GET /api/v1/me HTTP/1.1\r\nHo'].map(
    (text) =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname).pause();
        const drip = setInterval(() => socket.write('a'), 100);
        socket.write(text);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          clearInterval(drip);
          resolve();
        });
      }),
  );
  await Promise.all(cut);
});

test('too many requests from one address are refused for a while', async () => {
  const { url } = await stage();
  const answers: number[] = [];
  for (let attempt = 0; attempt < 22; attempt += 1) answers.push((await signIn(url, 'wrong', 'nobody')).status);
  expect(answers.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
  expect(answers.slice(20)).toEqual([429, 429]);
});

test('requests of strangers, and for addresses where nothing is, count as those of others do', async () => {
  const { url } = await stage(undefined, 3);
  const answers: number[] = [];
  for (const path of ['/me', '/calls', '/nothing', '/me', '/nothing', '/openapi.json']) {
    answers.push((await fetch(`${url}${path}`)).status);
  }
  expect(answers).toEqual([401, 401, 404, 429, 429, 429]);
});

test('a fault that is not theirs is told to nobody in words, which may name hosts and files', async () => {
  const { here, url } = await stage();
  const { id } = await here.archived();
  const headers = { cookie: cookieOf(await signIn(url)) };
  await rm(here.set.store.location, { recursive: true });
  const answer = await fetch(`${url}/recordings/${id}/audio`, { headers });
  expect(answer.status).toBeGreaterThanOrEqual(500);
  const problem = (await answer.json()) as Record<string, unknown>;
  expect(Object.keys(problem).toSorted()).toEqual(['code', 'status', 'title', 'type']);
  expect(here.set.lines.find(({ msg }) => msg === 'request not answered')).toMatchObject({ code: problem['code'] });
});

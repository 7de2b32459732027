import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAriHttp } from '../../../src/ari/httpClient.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { ownMs } from '../../support/ownTime.ts';
import { eventually } from '../../support/poll.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const undo: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A real server that answers as a test says, and the client of it. */
async function serve(handler: Handler, options: { timeoutMs?: number; path?: string; connections?: number } = {}) {
  const { path = '', timeoutMs = 5_000, ...more } = options;
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer(handler);
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const client = makeAriHttp({
    url: `http://127.0.0.1:${port}${path}`,
    username: 'me',
    password: 'pass:word',
    timeoutMs,
    ...more,
  });
  undo.push(client.close);

  return { ...client, sockets, connections: () => connections };
}

/** Until a connection is free again. */
const idle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The response to a request that a test waits for. */
function arrival(): { promise: Promise<ServerResponse>; seen: (response: ServerResponse) => void } {
  let seen: (response: ServerResponse) => void = () => undefined;
  const promise = new Promise<ServerResponse>((resolve) => (seen = resolve));

  return { promise, seen };
}

/** What a request is refused with. */
async function refusal(request: Promise<unknown>): Promise<PreavisError> {
  try {
    await request;
  } catch (error) {
    if (error instanceof PreavisError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a request to Asterisk', () => {
  test('carries method, path, query, body and password', async () => {
    const seen: unknown[] = [];
    const { request } = await serve((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method, url, headers } = incoming;
        seen.push([method, url, headers.authorization, headers['content-type'], Buffer.concat(chunks).toString()]);
        response.end('{"fine":true}');
      });
    });
    const basic = `Basic ${Buffer.from('me:pass:word').toString('base64')}`;
    expect(await request('POST', '/channels/a/variable', { variable: 'X', value: 'é &=\n"' })).toEqual({ fine: true });
    await request('PUT', '/applications/preavis/eventFilter', undefined, { allowed: [{ type: 'Dial' }] });
    expect(seen).toEqual([
      ['POST', '/ari/channels/a/variable?variable=X&value=%C3%A9+%26%3D%0A%22', basic, undefined, ''],
      ['PUT', '/ari/applications/preavis/eventFilter', basic, 'application/json', '{"allowed":[{"type":"Dial"}]}'],
    ]);
  });

  test('goes below the path of the address, as behind a proxy', async () => {
    let seen: string | undefined;
    const { request } = await serve(
      (incoming, response) => {
        seen = incoming.url;
        response.end();
      },
      { path: '/asterisk/' },
    );
    await request('GET', '/channels');
    expect(seen).toBe('/asterisk/ari/channels');
  });

  test('that is answered without content gives nothing', async () => {
    const { request } = await serve((_, response) => response.writeHead(204).end());
    expect(await request('DELETE', '/channels/x')).toBeUndefined();
  });

  test('uses one connection for many', async () => {
    const { request, connections } = await serve((_, response) => response.end('[]'));
    for (let count = 0; count < 20; count += 1) await request('GET', '/channels');
    // A request right behind another may find the connection of that one not yet free.
    expect(connections()).toBeLessThanOrEqual(2);
  });

  test('runs beside others on at most sixteen connections', async () => {
    const { request, connections } = await serve((_, response) => setImmediate(() => response.end('[]')));
    await Promise.all(Array.from({ length: 100 }, () => request('GET', '/channels')));
    expect(connections()).toBeLessThanOrEqual(16);
  });
});

describe('an answer', () => {
  test.each([
    [401, 'ari_unauthorized', false],
    [403, 'ari_unauthorized', false],
    [404, 'ari_not_found', false],
    [400, 'ari_request_failed', true],
    [409, 'ari_request_failed', true],
    [412, 'ari_request_failed', true],
    [422, 'ari_request_failed', true],
    [500, 'ari_request_failed', true],
    [503, 'ari_request_failed', true],
    [302, 'ari_request_failed', true],
  ])('of HTTP %i is %s', async (status, code, retryable) => {
    const { request } = await serve((_, response) => response.writeHead(status).end('{"message":"x"}'));
    const error = await refusal(request('POST', '/channels/secret-id/answer'));
    expect(error).toMatchObject({ code, retryable });
  });

  test('that is not JSON is a failed request', async () => {
    const { request } = await serve((_, response) => response.end('<html>'));
    expect(await refusal(request('GET', '/channels'))).toMatchObject({ code: 'ari_request_failed' });
  });

  test('that breaks off in the middle is an unreachable Asterisk', async () => {
    let requests = 0;
    const { request } = await serve((_, response) => {
      requests += 1;
      response.writeHead(200, { 'content-length': '100' });
      response.write('[1,');
      setImmediate(() => response.destroy());
    });
    expect(await refusal(request('POST', '/channels'))).toMatchObject({
      code: 'ari_unreachable',
      retryable: true,
      message: expect.stringContaining('the connection broke off') as string,
    });
    // It has run, and is not sent again.
    expect(requests).toBe(1);
  });

  test('that stops in the middle is an unreachable Asterisk after the time limit', async () => {
    const { request } = await serve(
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('[1,');
      },
      { timeoutMs: 100 },
    );
    expect(await refusal(request('GET', '/channels'))).toMatchObject({ code: 'ari_unreachable' });
  });

  test('that never comes is an unreachable Asterisk after the time limit', async () => {
    const { request } = await serve(() => undefined, { timeoutMs: 100 });
    let error: unknown;
    const spent = await ownMs(async () => (error = await refusal(request('GET', '/channels/secret-id'))));
    expect(error).toMatchObject({
      code: 'ari_unreachable',
      message: expect.stringMatching(/^GET \/channels: no answer in time \(127\.0\.0\.1:\d+\)$/) as string,
    });
    expect(spent).toBeLessThan(3_000);
  });
});

describe('a request whose time is over', () => {
  test('leaves no connection behind', async () => {
    const { request, sockets, connections } = await serve(() => undefined, { timeoutMs: 100 });
    expect(await refusal(request('GET', '/channels'))).toMatchObject({ code: 'ari_unreachable' });
    await eventually(() => connections() > 0 && [...sockets].every((socket) => socket.destroyed));
  });

  test('while it waited for a connection is not sent any more', async () => {
    const timeoutMs = 2_000;
    for (let tries = 1; ; tries += 1) {
      const urls: string[] = [];
      const { request } = await serve((incoming) => urls.push(incoming.url ?? ''), { timeoutMs, connections: 1 });
      const began = performance.now();
      const refused = Promise.all([refusal(request('GET', '/first')), refusal(request('POST', '/second'))]);
      await sleep(timeoutMs - 300);
      // Begun a millisecond apart, they would be over so, and the end of the first would give the second its connection. For a process
      // that stands still meanwhile both are over at once: where it came too late for that, nothing was tried.
      const isTried = urls.includes('/ari/first') && performance.now() < began + timeoutMs - 50;
      if (!isTried && tries < 3) continue;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      expect(await refused).toMatchObject([{ code: 'ari_unreachable' }, { code: 'ari_unreachable' }]);
      // One that is asked for now comes behind it.
      await eventually(async () => {
        await refusal(request('GET', '/third'));
        return urls.includes('/ari/third');
      });
      expect(urls.filter((url) => url !== '/ari/third')).toEqual(['/ari/first']);
      return;
    }
  });
});

describe('an Asterisk that takes no connection', () => {
  test('is unreachable after the time limit', async () => {
    // A process that accepts no more, and whose queue is full: further connections are left without an answer.
    const listener = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      console.log(this.address().port);
    })`;
    const child = spawn(process.execPath, ['-e', listener], { stdio: ['ignore', 'pipe', 'inherit'] });
    undo.push(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const [told] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(told.toString());
    child.kill('SIGSTOP');
    for (let count = 0; count < 8; count += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      undo.push(() => void socket.destroy());
    }
    const { request, close } = makeAriHttp({
      url: `http://127.0.0.1:${port}`,
      username: 'a',
      password: 'b',
      timeoutMs: 300,
    });
    undo.push(close);
    let error: unknown;
    const spent = await ownMs(async () => (error = await refusal(request('GET', '/channels'))));
    expect(error).toMatchObject({
      code: 'ari_unreachable',
      message: `GET /channels: no answer in time (127.0.0.1:${port})`,
    });
    expect(spent).toBeLessThan(3_000);
  });
});

describe('an Asterisk that is not there', () => {
  test('is unreachable, with the reason of the system and host and port alone', async () => {
    const server = createTcpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { request, close } = makeAriHttp({
      url: `http://user:zebra@127.0.0.1:${port}/asterisk`,
      username: 'a',
      password: 'b',
      timeoutMs: 10_000,
    });
    undo.push(close);
    expect(await refusal(request('GET', '/channels'))).toMatchObject({
      code: 'ari_unreachable',
      retryable: true,
      message: `GET /channels: ECONNREFUSED (127.0.0.1:${port})`,
    });
  });
});

describe('a kept connection that Asterisk closes as a request is under way', () => {
  /** Answers the first request of a connection, and resets it when the next one comes. */
  const forgetful = (answersBeforeReset: (connection: number) => number) => {
    const answered = new Map<Socket, { connection: number; count: number }>();
    const requests: string[] = [];
    const handler: Handler = (incoming, response) => {
      const known = answered.get(incoming.socket) ?? { connection: answered.size, count: 0 };
      answered.set(incoming.socket, known);
      requests.push(`${known.connection} ${incoming.url ?? ''}`);
      if (known.count >= answersBeforeReset(known.connection)) {
        incoming.socket.resetAndDestroy();
        return;
      }
      known.count += 1;
      response.end('[]');
    };

    return { handler, requests };
  };

  test('is replaced, and the request is sent once more', async () => {
    const { handler, requests } = forgetful(() => 1);
    const { request } = await serve(handler);
    await request('GET', '/one');
    await idle();
    expect(await request('GET', '/two')).toEqual([]);
    expect(requests).toEqual(['0 /ari/one', '0 /ari/two', '1 /ari/two']);
  });

  test('is replaced once only', async () => {
    const { handler, requests } = forgetful((connection) => (connection === 0 ? 1 : 0));
    const { request } = await serve(handler);
    await request('GET', '/one');
    await idle();
    expect(await refusal(request('GET', '/two'))).toMatchObject({ code: 'ari_unreachable' });
    expect(requests).toHaveLength(3);
  });

  test('but a new connection that is reset is not tried again: the request may have run', async () => {
    const { handler, requests } = forgetful(() => 0);
    const { request } = await serve(handler);
    expect(await refusal(request('POST', '/channels/x/dial'))).toMatchObject({ code: 'ari_unreachable' });
    expect(requests).toHaveLength(1);
  });
});

describe('kept connections that lead nowhere', () => {
  test('cost one request its time, and no later one', async () => {
    let forgotten = new Set<Socket>();
    const { request, sockets, connections } = await serve(
      (incoming, response) => {
        if (!forgotten.has(incoming.socket)) setImmediate(() => response.end('[]'));
      },
      // For all but one there is an answer, however busy this process is.
      { timeoutMs: 2_000 },
    );
    await Promise.all(Array.from({ length: 8 }, () => request('GET', '/channels')));
    await idle();
    forgotten = new Set(sockets);
    expect(forgotten.size).toBe(8);
    expect(await refusal(request('GET', '/channels'))).toMatchObject({ code: 'ari_unreachable' });
    expect(await Promise.all(Array.from({ length: 8 }, () => request('GET', '/channels')))).toHaveLength(8);
    expect(connections()).toBeGreaterThan(8);
  });

  test('are left at once when that is asked for, without harm to a request under way', async () => {
    const { promise, seen } = arrival();
    const { request, renew, connections } = await serve((incoming, response) => {
      if (incoming.url === '/ari/slow') seen(response);
      else response.end('[]');
    });
    const slow = request('GET', '/slow');
    const response = await promise;
    renew();
    expect(await request('GET', '/channels')).toEqual([]);
    response.end('[1]');
    expect(await slow).toEqual([1]);
    await idle();
    expect(await request('GET', '/channels')).toEqual([]);
    expect(connections()).toBe(2);
  });
});

describe('the text of an error', () => {
  test.each([404, 500, 403])('of HTTP %i holds no id, no query and no password', async (status) => {
    const { request } = await serve((_, response) => response.writeHead(status).end('zebra-body'));
    const path = '/channels/zebra-channel/play/zebra-playback';
    const error = await refusal(request('POST', path, { media: 'sound:zebra' }));
    expect(error.message).not.toMatch(/zebra|pass/);
    expect(error.message).toContain('POST /channels/play');
  });
});

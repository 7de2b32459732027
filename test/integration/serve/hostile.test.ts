import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { HealthPage } from '../../../src/serve/healthServer.ts';
import { makeMetrics, type Metrics } from '../../../src/core/metrics/metrics.ts';
import { heldBytes } from '../../support/heldMemory.ts';
import { mutatedBytes } from '../../support/hostileValues.ts';
import { eventually } from '../../support/poll.ts';
import { ownMs } from '../../support/ownTime.ts';
import { tried } from '../../support/properties.ts';

const pages: HealthPage[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(pages.splice(0).map((page) => page.stop()));
});

async function open(metrics: Metrics = makeMetrics()): Promise<{ port: number; isWell: () => Promise<boolean> }> {
  const page = new HealthPage(
    () => ({
      version: '1.2.3',
      status: 'ok',
      reasons: [],
      asterisk: 'connected',
      calls: 0,
      archive: { status: 'unknown', since: null },
    }),
    metrics,
  );
  pages.push(page);
  const port = await page.start('127.0.0.1', 0);

  return {
    port,
    isWell: () =>
      fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } }).then(
        ({ status }) => status === 200,
        () => false,
      ),
  };
}

function raw(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);

  return socket;
}

/** Also by a reset, which is no failure here: what it does not read is answered with one. */
const closeOf = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

/** What comes back until the page closes the connection. */
async function answer(port: number, sent: Buffer | string): Promise<string> {
  const socket = raw(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = closeOf(socket);
  socket.end(sent);
  await closed;

  return Buffer.concat(chunks).toString('latin1');
}

const request = (line: string, ...headers: string[]): string =>
  [line, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');

describe('the health page', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['the beginning of TLS', Buffer.from('16030100c8010000c40303', 'hex'), /^HTTP\/1\.1 400 /],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['another version', request('GET /health HTTP/9.9'), /^HTTP\/1\.1 (400|505) /],
    ['an unknown method', request('STEAL /health HTTP/1.1'), /^HTTP\/1\.1 400 /],
    ['a line in a header', request('GET /health HTTP/1.1', 'X: a\nb'), /^HTTP\/1\.1 400 /],
    ['two lengths', request('GET /health HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'), /^HTTP\/1\.1 400 /],
    [
      'length and chunks',
      request('POST / HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      /^HTTP\/1\.1 400 /,
    ],
    ['a header of 20 kB', request('GET /health HTTP/1.1', `X: ${'a'.repeat(20_000)}`), /^HTTP\/1\.1 431 /],
    ['a path of 20 kB', request(`GET /${'a'.repeat(20_000)} HTTP/1.1`), /^HTTP\/1\.1 431 /],
    [
      '10000 headers',
      request('GET /health HTTP/1.1', ...new Array<string>(10_000).fill('X: aaaa')),
      // Most of it is left unread: the reset may overtake the answer.
      /^(HTTP\/1\.1 431 |$)/,
    ],
    ['dots in the path', request('GET /../../etc/passwd HTTP/1.1'), /^HTTP\/1\.1 404 /],
    ['encoded dots', request('GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1'), /^HTTP\/1\.1 404 /],
    ['an encoded name', request('GET /%68ealth HTTP/1.1'), /^HTTP\/1\.1 404 /],
    ['an end of a text in the path', request('GET /health%00 HTTP/1.1'), /^HTTP\/1\.1 404 /],
    ['a whole address', request('GET http://169.254.169.254/health HTTP/1.1'), /^HTTP\/1\.1 404 /],
    ['a proxy asked for', request('CONNECT 127.0.0.1:22 HTTP/1.1'), /^(HTTP\/1\.1 4|$)/],
    ['another protocol asked for', request('GET /x HTTP/1.1', 'Upgrade: websocket'), /^(HTTP\/1\.1 4|$)/],
    ['a body', request('POST /health HTTP/1.1', 'Content-Length: 5').concat('hello'), /^HTTP\/1\.1 404 /],
    ['a body that does not come', request('PUT /health HTTP/1.1', 'Content-Length: 9000000000'), /^HTTP\/1\.1 4/],
  ] as [string, string | Buffer, RegExp][])('refuses %s, and goes on', async (_, sent, expected) => {
    const { port, isWell } = await open();
    expect(await answer(port, sent)).toMatch(expected);
    expect(await isWell()).toBe(true);
  });

  test('answers one request of a connection, however many are sent, and lets go who does not read', async () => {
    const { port, isWell } = await open();
    // What is loaded for the first request is no answer's.
    expect(await isWell()).toBe(true);
    const before = heldBytes();
    const metrics = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    const greedy = Array.from({ length: 8 }, () => {
      const socket = raw(port);
      socket.pause();
      socket.write(metrics.repeat(1_500));

      return socket;
    });
    expect(await isWell()).toBe(true);
    // While none of them reads. Held were three MiB, and 27 with all of the answers.
    expect(heldBytes() - before).toBeLessThan(12 * 1_048_576);
    await Promise.all(
      greedy.map(async (socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        const closed = closeOf(socket);
        socket.resume();
        await closed;
        expect(Buffer.concat(chunks).toString('latin1').split('HTTP/1.1 ').length - 1).toBeLessThanOrEqual(2);
      }),
    );
  });

  test('answers any bytes with a refusal, with nothing, or as they ask, and goes on', async () => {
    const { port, isWell } = await open();
    const good = ['GET /health', 'HEAD /health', 'GET /metrics', 'POST /x'].map((line) =>
      Buffer.from(request(`${line} HTTP/1.1`, 'Accept: */*', 'Content-Length: 0')),
    );
    const bytes = fc.oneof(
      mutatedBytes(good),
      fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        expect(await answer(port, sent)).toMatch(/^(HTTP\/1\.1 (200|4\d\d|505) |$)/);
      }),
      tried(150),
    );
    expect(await isWell()).toBe(true);
  });

  test.each(['/health', '/metrics', '/x'])(
    'tells nothing of the program at %s, and lets nothing be kept',
    async (path) => {
      const { port } = await open();
      const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      for (const name of ['server', 'x-powered-by', 'access-control-allow-origin'])
        expect(headers.has(name)).toBe(false);
    },
  );

  test('does not wait for the body of a request that it refuses', async () => {
    const { port } = await open();
    const spent = await ownMs(async () => {
      const socket = raw(port).resume();
      socket.write('POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx');
      await closeOf(socket);
    });
    // Who waited for it would close the connection after five seconds, which is what a request may take.
    expect(spent).toBeLessThan(4_500);
  });

  test('closes a connection that says nothing, or that says it slowly, within the time that a request may take', async () => {
    const { port, isWell } = await open();
    const [silent, begun, slow, body] = [raw(port), raw(port), raw(port), raw(port)];
    begun.write('GET /health HTTP/1.1\r\n');
    body.write('POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx');
    const drip = setInterval(() => slow.write('X'), 200);
    const dripBody = setInterval(() => body.write('x'), 200);
    try {
      const spent = await ownMs(() =>
        Promise.all([silent, begun, slow, body].map((socket) => closeOf(socket.resume()))),
      );
      expect(spent).toBeLessThan(9_000);
    } finally {
      clearInterval(drip);
      clearInterval(dripBody);
    }
    expect(await isWell()).toBe(true);
  });

  test('lives through a thousand connections that say nothing, and lets go of all of them', async () => {
    const { port, isWell } = await open();
    let closed = 0;
    for (let count = 0; count < 1_000; count += 1) {
      raw(port)
        .on('close', () => (closed += 1))
        .resume();
    }
    await eventually(() => closed === 1_000);
    await eventually(isWell);
  });

  test('has no more connections than it needs at a time', async () => {
    const { port } = await open();
    const closed: number[] = [];
    const spent = await ownMs(async () => {
      for (let count = 0; count < 300; count += 1) {
        raw(port)
          .on('close', () => closed.push(count))
          .resume();
      }
      await eventually(() => closed.length >= 172);
    });
    // At once, and not when their time is over.
    expect(spent).toBeLessThan(4_500);
    expect(closed.slice(0, 172).filter((count) => count < 128)).toEqual([]);
  });

  test('says that the metrics cannot be made, and goes on', async () => {
    const { port, isWell } = await open({ ...makeMetrics(), text: () => Promise.reject(new Error('x')) });
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(await isWell()).toBe(true);
  });
});

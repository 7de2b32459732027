/**
 * How the connection asks for the events of every bridge. Against a server that knows nothing but its part of ARI: a live Asterisk cannot
 * be made to refuse one request, nor to take so long for another.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { AriConnection } from '../../../src/ari/connection.ts';
import { makeAriHttp, type AriHttp } from '../../../src/ari/httpClient.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';

const subscription = '/ari/applications/preavis/subscription';

let server: Server;
let webSockets: WebSocketServer;
let http: AriHttp;
let connection: AriConnection;
/** Those that were opened, the newest last. */
const sockets: WebSocket[] = [];
/** `POST subscription` and `DELETE subscription`, as they came. */
const asked: string[] = [];
/** With what the next of them are answered; with 200 when there is none left. */
const answers: number[] = [];
/** Before they are answered. */
let held: Promise<void> = Promise.resolve();
let opened = 0;
let log: ReturnType<typeof collectingLog>;

beforeEach(async () => {
  opened = 0;
  for (const list of [sockets, asked, answers]) list.length = 0;
  held = Promise.resolve();
  server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/ari/api-docs/resources.json') {
      response.writeHead(200, { 'content-type': 'application/json' });
      const basePath = `http://${request.headers.host ?? ''}`;
      response.end(JSON.stringify({ swaggerVersion: '1.1', basePath, apis: [{ path: '/nothing.json' }] }));
      return;
    }
    if (path !== subscription) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    asked.push(
      `${request.method ?? ''} ${new URL(request.url ?? '', 'http://x').searchParams.get('eventSource') ?? ''}`,
    );
    void held.then(() => response.writeHead(answers.shift() ?? 200).end('{}'));
  });
  webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { url, username: 'user', password: 'password' };
  http = makeAriHttp({ ...access, timeoutMs: 2_000 });
  log = collectingLog();
  connection = new AriConnection(
    { ...access, application: 'preavis', heartbeatMs: 5_000, requestTimeoutMs: 2_000, bridgesAgainMs: 200 },
    { request: http.request, probe: http.request, renew: http.renew },
    () => Promise.resolve(false),
    log.log,
  );
  connection.listen({
    event: () => undefined,
    answered: () => undefined,
    connected: () => void (opened += 1),
    disconnected: () => undefined,
  });
});

afterEach(async () => {
  await connection.stop();
  http.close();
  webSockets.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const replaced = (): void =>
  sockets.at(-1)?.send(
    JSON.stringify({
      type: 'ApplicationReplaced',
      application: 'preavis',
      timestamp: '2026-08-24T12:00:00.123+0200',
    }),
  );

test('asks for them, and asks no more of an Asterisk that it leaves', async () => {
  await connection.start();
  expect(connection.watchesBridges).toBe(true);
  await connection.stop();
  expect(asked).toEqual(['POST bridge:', 'DELETE bridge:']);
});

test('leaves them to the client that has the application since', async () => {
  await connection.start();
  replaced();
  await eventually(() => !connection.watchesBridges);
  await connection.stop();
  expect(asked).toEqual(['POST bridge:']);
});

test('does not count them as its own when the application was lost while it asked', async () => {
  let answer = (): void => undefined;
  held = new Promise((resolve) => (answer = resolve));
  const start = connection.start();
  await eventually(() => asked.length === 1);
  replaced();
  await eventually(() => log.lines.some(({ code }) => code === 'application_taken'));
  answer();
  await start;
  expect(connection.watchesBridges).toBe(false);
});

test('does not count them as its own while its socket is closed', async () => {
  await connection.start();
  sockets.at(-1)?.close();
  await eventually(() => !connection.watchesBridges);
  await eventually(() => opened === 2);
  expect(connection.watchesBridges).toBe(true);
});

test('asks again when Asterisk fails once, before it counts as connected', async () => {
  answers.push(500, 500);
  await connection.start();
  expect([opened, connection.watchesBridges]).toEqual([1, true]);
  expect(asked).toHaveLength(3);
});

test('asks once where it may not, says so, and goes on without', async () => {
  answers.push(403);
  await connection.start();
  expect([opened, connection.isOpen, connection.watchesBridges]).toEqual([1, true, false]);
  expect(asked).toHaveLength(1);
  expect(log.lines).toContainEqual(expect.objectContaining({ code: 'ari_unauthorized', level: 'error' }));
});

test('goes on without where Asterisk fails again and again, and opens another socket when it does no more', async () => {
  answers.push(...Array<number>(7).fill(500));
  await connection.start();
  expect([opened, connection.isOpen, connection.watchesBridges]).toEqual([1, true, false]);
  await eventually(() => opened === 2);
  expect([asked.length, connection.watchesBridges]).toEqual([9, true]);
});

test('is stopped for all who wait for that when it is stopped', async () => {
  await connection.start();
  let answer = (): void => undefined;
  held = new Promise((resolve) => (answer = resolve));
  const ends = [connection.stop(), connection.stop()].map((end, index) => end.then(() => index));
  expect(await Promise.race([...ends, eventually(() => asked.length === 2).then(() => 'not yet')])).toBe('not yet');
  answer();
  await Promise.all(ends);
});

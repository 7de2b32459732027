import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { linkMinutes, startDoor, type Door } from '../../../lab/console/door.ts';

/**
 * The way into the demo's console. What it signs in at is a stand-in that counts: a real one tells nobody how often it was asked. With the real one
 * it is in acceptance/console/demo.
 */

const password = 'of this run alone';
let now = 0;
let asked: string[] = [];
let isOpen = true;
let api: Server;
let door: Door;

beforeEach(async () => {
  now = 0;
  asked = [];
  isOpen = true;
  api = createServer((incoming, answer) => {
    let text = '';
    incoming.on('data', (data: Buffer) => (text += data.toString()));
    incoming.on('end', () => {
      asked.push(`${incoming.method ?? ''} ${incoming.url ?? ''} ${text}`);
      if (isOpen) answer.writeHead(201, { 'set-cookie': 'preavis=secret; HttpOnly; SameSite=Strict' }).end('{}');
      else answer.writeHead(401).end('{}');
    });
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  const { port } = api.address() as AddressInfo;
  door = await startDoor({ console: `http://127.0.0.1:${port}`, password, now: () => now });
});

afterEach(async () => {
  await door.stop();
  api.close();
  api.closeAllConnections();
});

const open = (link: string, init: RequestInit = {}): Promise<Response> => fetch(link, { redirect: 'manual', ...init });

/** As a browser asks to which the name of another host leads. */
async function statusByName(link: string, host: string): Promise<number | undefined> {
  const asking = request(link, { headers: { host } }).end();
  const [answer] = (await once(asking, 'response')) as [{ statusCode?: number; resume(): void }];
  answer.resume();

  return answer.statusCode;
}

it('signs in once by a link, and leads to the console with the cookie of the session', async () => {
  const link = door.linkFor('officer');
  const first = await open(link);
  expect(first.status).toBe(303);
  expect(first.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/calls$/);
  expect(first.headers.get('set-cookie')).toContain('preavis=secret');
  expect(first.headers.get('cache-control')).toBe('no-store');
  expect(first.headers.get('referrer-policy')).toBe('no-referrer');
  expect((await open(link)).status).toBe(410);
  expect(asked).toEqual([`POST /api/v1/session ${JSON.stringify({ user: 'officer', password })}`]);
});

it('lets only one in of many who open a link at the same time', async () => {
  const link = door.linkFor('officer');
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await open(link)).status));
  expect(statuses.toSorted()).toEqual([303, ...Array.from({ length: 9 }, () => 410)]);
});

it('has links that are too old after some minutes, each by itself', async () => {
  const [early, late] = [door.linkFor('officer'), door.linkFor('legal')];
  now = linkMinutes * 60_000 - 1;
  expect((await open(early)).status).toBe(303);
  now += 1;
  expect((await open(late)).status).toBe(410);
  expect((await open(door.linkFor('legal'))).status).toBe(303);
});

it('is not opened by a browser that looks ahead, by another method or by another name, which use no link up', async () => {
  const link = door.linkFor('officer');
  expect((await open(link, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(405);
  expect((await open(link, { method: 'HEAD' })).status).toBe(405);
  expect((await open(link, { method: 'POST' })).status).toBe(405);
  expect(await statusByName(link, 'elsewhere.example')).toBe(421);
  expect(asked).toEqual([]);
  expect((await open(link)).status).toBe(303);
});

it('knows no link but its own', async () => {
  const link = door.linkFor('officer');
  for (const other of ['', 'officer', 'x'.repeat(43), `${new URL(link).pathname.slice(1)}x`])
    expect((await open(new URL(`/${other}`, link).href)).status).toBe(410);
  expect(asked).toEqual([]);
});

it('says so when the console lets nobody in', async () => {
  isOpen = false;
  const answer = await open(door.linkFor('officer'));
  expect(answer.status).toBe(502);
  expect(answer.headers.get('set-cookie')).toBeNull();
  expect(await answer.text()).not.toContain(password);
});

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { runCommand } from '../../support/command.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { byToken, everybody, fromElsewhere, openHouse, password, type House } from '../../support/web/house.ts';
import { stageCall, type StagedCall } from '../../support/web/stagedCalls.ts';

/** The real `preavis web`, an S3 store that can be frozen, and people who listen while something ends. */

const folder = temporaryFolder();
let store: LabStore;
let house: House;
let long: StagedCall[] = [];

const shape = {
  line: 'sales',
  extension: '101',
  purposes: [{ name: 'training', over: false }],
  status: 'recorded',
} as const;

beforeAll(async () => {
  store = await startStore();
  await store.makeBucket('recordings');
  house = await openHouse(folder.path(), store);
  const ports = {
    catalogue: house.catalogue,
    store: makeMinioStore({ ...store, useTls: false, bucket: 'recordings' }),
    spoolFolder: house.spoolFolder,
    caller: 'nobody',
  };
  const wav = toneWav(440, 600_000);
  for (let count = 0; count < 20; count += 1) long = [...long, await stageCall(ports, shape, wav)];
});

afterAll(async () => {
  await house.stop();
  await store.stop();
});

const officer = everybody.find(({ name }) => name === 'officer-0');
if (officer === undefined) throw new Error('no officer');
const headers = byToken(officer);

/** A client that reads nothing until it is told to; what it has read, and whether it has ended. */
function slowly(lines: readonly string[]): { socket: Socket; read: () => number; ended: () => boolean } {
  const { port, hostname } = new URL(house.web.url);
  const socket = connect(Number(port), hostname);
  let read = 0;
  let ended = false;
  socket.on('data', (data) => {
    read += data.length;
    socket.pause();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => (ended = true));
  socket.write(`${lines.join('\r\n')}\r\n`);

  return { socket, read: () => read, ended: () => ended };
}

const playing = (id: string, credential: string) =>
  slowly([`GET /api/v1/recordings/${id}/audio HTTP/1.1`, 'Host: preavis', credential, '']);

const eventsOf = async (id: string): Promise<string[]> =>
  (await house.catalogue.auditTrail.of(id as Parameters<typeof house.catalogue.auditTrail.of>[0])).map(
    ({ event }) => event,
  );

test('while the archive hangs, who listens is told so, and nobody else waits for it', async () => {
  const archived = house.calls.get('in the archive');
  if (archived === undefined) throw new Error('no such call');
  const listen = () =>
    house.web.ask(`/recordings/${archived.recording}/audio`, { headers: { ...fromElsewhere(), ...headers } });
  store.freezeGateway();
  try {
    let answered = 0;
    const waiting = [listen(), listen()].map(async (each) => {
      const answer = await each;
      answered += 1;

      return answer;
    });
    const others = await house.web.ask('/calls', { headers: { ...fromElsewhere(), ...headers } });
    expect({ status: others.status, answered }).toEqual({ status: 200, answered: 0 });
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status, code }) => `${status} ${code}`)).toEqual(
      Array.from({ length: 2 }, () => '503 archive_unreachable'),
    );
  } finally {
    store.thawGateway();
  }
  await eventually(async () => {
    expect((await listen()).body.equals(archived.wav)).toBe(true);
  });
});

test('a recording that is being played is cut when another process ends the session', async () => {
  const { recording = '', wav = Buffer.alloc(0) } = long[0] ?? {};
  const signedIn = await house.web.ask('/session', {
    method: 'POST',
    headers: { ...fromElsewhere(), 'x-preavis-request': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ user: officer.name, password }),
  });
  const [cookie = ''] = signedIn.headers['set-cookie'] ?? [];
  const player = playing(recording, `Cookie: ${cookie.split(';')[0] ?? ''}`);
  await eventually(() => player.read() > 0);
  const { code } = await runCommand(['--config', folder.path('preavis.yaml'), 'users', 'sign-out', officer.name]);
  expect(code).toBe(0);
  // Of a recording of nine megabytes 64 kB at a time, so that it lasts for longer than a second, when it is asked again, even where that comes late.
  await eventually(
    () => {
      player.socket.resume();

      return player.ended();
    },
    { everyMs: 50 },
  );
  expect(player.read()).toBeLessThan(wav.length);
});

/** Bytes that a process has in memory of its own, swapped or not. Pages of files come and go as other programs need the memory. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [own, swapped] = ['RssAnon', 'VmSwap'].map(
    (name) => new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1],
  );

  return (Number(own) + Number(swapped)) * 1_024;
}

test('a selection of hundreds of megabytes takes no more memory than one of some', async () => {
  const body = JSON.stringify({ recordings: long.map(({ recording }) => recording) });
  const before = memoryOf(house.web.pid);
  const { socket, read, ended } = slowly([
    'POST /api/v1/selections HTTP/1.1',
    'Host: preavis',
    `Authorization: ${headers['authorization'] ?? ''}`,
    'Content-Type: application/json',
    'Connection: close',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]);
  let most = 0;
  await eventually(
    () => {
      most = Math.max(most, memoryOf(house.web.pid));
      socket.resume();

      return ended();
    },
    { everyMs: 1, withinMs: 180_000 },
  );
  expect(read()).toBeGreaterThan(20 * 9_600_000);
  expect(most - before).toBeLessThan(100e6);
});

test('of a process that is killed while somebody listens, the trail has who had begun to', async () => {
  const { recording = '' } = long[1] ?? {};
  const player = playing(recording, `Authorization: ${headers['authorization'] ?? ''}`);
  await eventually(() => player.read() > 0);
  await house.web.kill();
  player.socket.destroy();
  expect((await eventsOf(recording)).filter((event) => event.startsWith('listen'))).toEqual(['listening begun']);
});

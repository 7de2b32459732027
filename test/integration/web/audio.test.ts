import { connect } from 'node:net';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { countingKey, keyringOf, newKey } from '../../support/archive/encryption.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { heldBytes } from '../../support/heldMemory.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });
const stages = new Set<WebStage>();
let made = 0;

afterEach(async () => {
  const all = [...stages];
  stages.clear();
  await Promise.all(all.map(({ server }) => server.stop()));
});

async function stage(store?: (folder: string) => ObjectStore): Promise<WebStage> {
  const at = folder.path(`${(made += 1)}`);
  const here = await webStage(at, open, store === undefined ? {} : { store: () => store(at) });
  stages.add(here);
  for (const role of ['coach', 'legal', 'officer'] as const) here.door.tokens.set(role, actorOf(role));

  return here;
}

const inFolder = (at: string) => makeDirectoryStore({ folder: `${at}/archive` });
const inBucket = (bucket: string) => makeMinioStore({ ...s3.server, useTls: false, bucket });
const stores: Readonly<Record<string, { make: (at: string) => ObjectStore; proved: string }>> = {
  'a folder': { make: inFolder, proved: 'length' },
  'a folder, encrypted': { make: (at) => makeEncryptedStore(inFolder(at), keyringOf(newKey())), proved: 'segments' },
  'a bucket': { make: () => inBucket('plain'), proved: 'length' },
  'a versioned bucket, encrypted': {
    make: () => makeEncryptedStore(inBucket('versioned'), keyringOf(newKey())),
    proved: 'segments',
  },
};

const play = (here: WebStage, id: string, range?: string, token = 'coach'): Promise<Response> =>
  here.ask(`/recordings/${id}/audio`, token, range === undefined ? {} : { headers: { range } });
const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

describe.each(Object.entries(stores))('a recording in %s', (_, { make, proved }) => {
  test('is played as it was recorded, whole and by any range', async () => {
    const here = await stage(make);
    const { id, wav } = await here.archived(['training'], toneWav(440, 12_000));
    const whole = await play(here, id);
    expect(whole.headers.get('preavis-proved')).toBe('sha256');
    expect((await bytesOf(whole)).equals(wav)).toBe(true);
    const place = fc.nat({ max: wav.length + 10 });
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const answer = await play(here, id, `bytes=${from}-${to}`);
        const bytes = await bytesOf(answer);
        if (from >= wav.length) {
          expect(answer.status).toBe(416);
          return;
        }
        expect(answer.status).toBe(206);
        expect(answer.headers.get('preavis-proved')).toBe(proved);
        const end = Math.min(to, wav.length - 1);
        expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${end}/${wav.length}`);
        expect(bytes.equals(wav.subarray(from, end + 1))).toBe(true);
      }),
      { numRuns: 25 },
    );
    expect((await bytesOf(await play(here, id, 'bytes=-10'))).equals(wav.subarray(-10))).toBe(true);
    expect((await bytesOf(await play(here, id, 'bytes=100-'))).equals(wav.subarray(100))).toBe(true);
  });
});

test('a recording that was not archived yet is played from the spool', async () => {
  const here = await stage();
  const { id, wav } = await here.set.finished(toneWav(440, 2_000));
  expect((await bytesOf(await play(here, id))).equals(wav)).toBe(true);
  expect((await bytesOf(await play(here, id, 'bytes=50-60'))).equals(wav.subarray(50, 61))).toBe(true);
});

test('several ranges, another unit and a range of an older version are answered with the whole', async () => {
  const here = await stage();
  const { id, wav } = await here.archived();
  const answers = [
    await play(here, id, 'bytes=0-1,4-5'),
    await play(here, id, 'seconds=0-1'),
    await here.ask(`/recordings/${id}/audio`, 'coach', { headers: { range: 'bytes=0-1', 'if-range': '"other"' } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  for (const answer of answers) expect((await bytesOf(answer)).equals(wav)).toBe(true);
});

test('what was changed in the archive is not played to its end, and not at all where it was encrypted', async () => {
  const plain = await stage(inFolder);
  const { id } = await plain.archived(['training'], toneWav(440, 12_000));
  const spoil = async (here: WebStage, recording: string): Promise<void> => {
    const { open: openFile } = await import('node:fs/promises');
    const row = await here.set.catalogue.recordings.find(recording);
    const location = here.set.store.location;
    const file = await openFile(`${location}/${row?.objectKey ?? ''}`, 'r+');
    await file.write(Buffer.from([1, 2, 3, 4]), 0, 4, 50_000);
    await file.close();
  };
  await spoil(plain, id);
  await expect(play(plain, id).then(bytesOf)).rejects.toThrow();
  const encrypted = await stage((at) => makeEncryptedStore(inFolder(at), keyringOf(newKey())));
  const { id: other } = await encrypted.archived(['training'], toneWav(440, 12_000));
  await spoil(encrypted, other);
  const part = await play(encrypted, other, 'bytes=0-99');
  expect(part.status).toBe(500);
  expect(await part.text()).toContain('archive_mismatch');
});

test('who may not hear it, or may no longer, hears nothing, and the trail has who listened to what for how long', async () => {
  const here = await stage();
  const { id, wav } = await here.archived(['training'], toneWav(440, 10_000));
  expect((await play(here, id, undefined, 'legal')).status).toBe(404);
  expect((await here.ask(`/recordings/${id}/audio?download=true`, 'coach')).status).toBe(403);
  await bytesOf(await play(here, id, `bytes=0-${44 + 16_000 * 2 - 1}`));
  await bytesOf(await play(here, id, `bytes=${44 + 16_000 * 5}-${44 + 16_000 * 6 - 1}`));
  await here.ask(`/recordings/${id}/heard`, 'coach', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      parts: [
        [0, 1_500],
        [5_000, 5_700],
        [1_400, 1_600],
      ],
    }),
  });
  await here.server.stop();
  stages.delete(here);
  const steps = (await here.set.catalogue.auditTrail.of(id)).filter(({ actor }) => actor === 'user:coach');
  const about = { role: 'coach', purposes: ['training'] };
  expect(steps.map(({ event, detail }) => ({ event, detail }))).toEqual([
    { event: 'download refused', detail: { role: 'coach', act: 'download', reason: 'role' } },
    { event: 'listening begun', detail: about },
    {
      event: 'heard',
      detail: {
        ...about,
        ranges: [
          { fromMs: 0, toMs: 1_600 },
          { fromMs: 5_000, toMs: 5_700 },
        ],
        seconds: 2,
      },
    },
    {
      event: 'listened',
      detail: {
        role: 'coach',
        seconds: 3,
        parts: [
          [0, 2],
          [5, 6],
        ],
      },
    },
  ]);
  expect(wav.length).toBe(160_044);
});

/** A store that sends so much and then nothing, for as long as nobody stops it. */
function hangingBehind(store: ObjectStore, bytes: number): ObjectStore {
  const endless = async function* (): AsyncGenerator<Buffer> {
    if (bytes > 0) yield Buffer.alloc(bytes);
    await new Promise(() => undefined);
  };

  return {
    ...store,
    read: () => Promise.resolve(Readable.from(endless(), { objectMode: false })),
    readPart: () => Promise.resolve({ stream: Readable.from(endless(), { objectMode: false }), proved: 'length' }),
  };
}

test.each([
  ['the purpose ends', (here: WebStage) => void (here.set.clock.at = recorderEnd + 28 * dayMs + 1)],
  ['the session is revoked', (here: WebStage) => void here.door.tokens.delete('coach')],
])('a recording that is being played is cut when %s', async (_, end) => {
  const here = await stage((at) => hangingBehind(inFolder(at), 5_000));
  const { id } = await here.set.finished(toneWav(440, 2_000));
  await archivedAs(here, id);
  const answer = await play(here, id, 'bytes=0-9999');
  const reader = answer.body?.getReader();
  const first = (await reader?.read()) as { value?: Uint8Array } | undefined;
  expect(first?.value?.length).toBe(5_000);
  end(here);
  const endedAt = performance.now();
  await expect(reader?.read()).rejects.toThrow();
  // It is asked once a second, however long the archive hangs.
  expect(performance.now() - endedAt).toBeLessThan(10_000);
  expect((await play(here, id)).status).toBeGreaterThanOrEqual(401);
});

/** Its row says that it is archived; the store has nothing. */
async function archivedAs(here: WebStage, id: string): Promise<void> {
  const row = await here.set.catalogue.recordings.find(id);
  if (row === undefined) throw new Error('no such recording');
  const place = { archive: here.set.store.location, objectKey: 'recordings/a.wav' };
  await here.set.catalogue.recordings.move(row.id, 'recorded', 'archived', place, { event: 'archived', actor: 'test' });
}

test('an archive that hangs is told as one while somebody waits for the first byte', async () => {
  const here = await stage((at) => hangingBehind(inFolder(at), 0));
  const { id } = await here.set.finished();
  await archivedAs(here, id);
  const answer = await play(here, id);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'archive_unreachable' });
});

test('who does not read what they asked for holds a bounded part of it, and their place is free again when they leave', async () => {
  const here = await stage();
  const { id } = await here.archived(['training'], toneWav(440, 600_000));
  const url = new URL(here.server.url);
  const slow = Array.from({ length: 6 }, () => {
    const socket = connect(Number(url.port), url.hostname);
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(`GET /api/v1/recordings/${id}/audio HTTP/1.1\r\nHost: preavis\r\nAuthorization: Bearer coach\r\n\r\n`);

    return socket;
  });
  const before = heldBytes();
  await eventually(async () => {
    expect((await play(here, id, 'bytes=0-1')).status).toBe(503);
  });
  // Once no more of it comes: for four looks.
  let held = heldBytes();
  let still = 0;
  await eventually(
    () => {
      const last = held;
      held = heldBytes();
      still = Math.abs(held - last) < 1e6 ? still + 1 : 0;

      return still === 4;
    },
    { everyMs: 300 },
  );
  expect(held - before).toBeLessThan(10e6);
  for (const socket of slow) socket.destroy();
  await eventually(async () => {
    expect((await play(here, id, 'bytes=0-1')).status).toBe(206);
  });
});

test('the key of a recording is asked for once while somebody listens to it in parts, and again once access has ended', async () => {
  const key = countingKey();
  const here = await stage((at) => makeEncryptedStore(inFolder(at), keyringOf(key)));
  const { id, wav } = await here.archived(['training'], toneWav(440, 12_000));
  const before = key.used.unwrap;
  const part = async (from: number): Promise<void> => {
    const answer = await play(here, id, `bytes=${from}-${from + 9_999}`);
    expect((await bytesOf(answer)).equals(wav.subarray(from, from + 10_000))).toBe(true);
  };
  for (const from of [0, 70_000, 140_000]) await part(from);
  expect(key.used.unwrap - before).toBe(1);
  // Who hears it by another decision has the key unwrapped for them.
  await bytesOf(await play(here, id, 'bytes=0-99', 'officer'));
  expect(key.used.unwrap - before).toBe(2);
  const coach = here.door.tokens.get('coach') ?? actorOf('coach');
  here.door.tokens.delete('coach');
  expect((await play(here, id, 'bytes=0-99')).status).toBe(401);
  // Nobody asks for it while they may not: it is looked at by itself.
  await eventually(async () => {
    here.door.tokens.set('coach', coach);
    const unwrapped = key.used.unwrap;
    await part(0);
    const isAgain = key.used.unwrap > unwrapped;
    if (!isAgain) here.door.tokens.delete('coach');
    expect(isAgain).toBe(true);
  });
});

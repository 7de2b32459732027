import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startStore, type LabStore } from '../../../lab/store.ts';
import { makeMinioStore } from '../../../src/archive/minioStore.ts';
import { uploadPass } from '../../../src/archive/uploader.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { callStart } from '../../support/calls.ts';
import { catalogues, dayMs } from '../../support/catalogues.ts';
import { operatorClient } from '../../support/mc.ts';
import { number, subjectStage } from '../../support/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What somebody else has put on objects of a real server, and the catalogue so does not know. */

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
const bucket = 'locked';
let server: LabStore;
const mc = operatorClient(
  () => server,
  () => folder.path('mc'),
);

beforeAll(async () => {
  server = await startStore();
  await server.makeBucket(bucket, { objectLock: true });
});
afterAll(async () => {
  await server.stop();
});

test('a lock that the archive alone knows is told with its mode and end; a legal hold, which has none, by its code', async () => {
  const set = await subjectStage(folder.path('set'), open);
  const { endPoint, port, accessKey, secretKey } = server;
  const minio = { endPoint, port, accessKey, secretKey, bucket, useTls: false };
  const file = join(set.at, 'preavis.yaml');
  const tree = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...tree, archive: { store: 'minio', minio } }));
  const store = makeMinioStore({ ...minio, region: server.region });

  const [locked, held, free] = [
    await set.called(number, { archived: false }),
    await set.called(number, { archived: false }),
    await set.called(number, { archived: false }),
  ];
  await uploadPass({ ...set, store }, { waitMs: 0, signal, all: true });
  const objectOf = async (id: RecordingId) => {
    const row = await set.catalogue.recording(id);
    return { key: row?.objectKey ?? '', version: row?.objectVersion ?? '' };
  };
  // Whatever the day of the test, neither the clock of the server nor that of the stage is there.
  const until = Math.floor(Math.max(Date.now(), callStart + 10 * dayMs) / 1_000) * 1_000 + dayMs;
  const [own, other] = [await objectOf(locked.id), await objectOf(held.id)];
  await store.protect(own.key, own.version, { mode: 'governance', until }, signal);
  expect(await mc('legalhold', 'set', `store/${bucket}/${other.key}`)).toMatchObject({ ok: true });

  const answer = await set.erased();
  expect(answer.code).toBe(3);
  const lock = { ground: 'lock', mode: 'governance', until: new Date(until).toISOString(), article: null };
  const { recordings } = answer.json as { recordings: { id: string; outcome: unknown }[] };
  expect(new Map(recordings.map(({ id, outcome }) => [id, outcome]))).toEqual(
    new Map<string, unknown>([
      [locked.id, { kind: 'kept', exceptions: [lock], ended: ['training'] }],
      [held.id, { kind: 'failed', code: 'archive_locked' }],
      [free.id, { kind: 'erased', certificate: 1 }],
    ]),
  );
  for (const { key, version } of [own, other]) expect(await store.versions(key)).toEqual([version]);
  const { text } = await set.erased({ json: false });
  expect(text).toContain(`${locked.id}  kept for an Object Lock in the archive, governance, until ${lock.until}`);
  expect(text).toContain(`${held.id}  not erased (archive_locked)`);
  expect(text).toContain('2 recordings, 0 of them are erased');
});

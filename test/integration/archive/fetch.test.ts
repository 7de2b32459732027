import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { fetchRecording, type FetchPorts } from '../../../src/archive/fetch.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;

const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });

let places = 0;
type Place = { at: string; set: ArchiveStage; ports: FetchPorts; file: string };

async function place(store?: ObjectStore): Promise<Place> {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);
  const made = await archiveStage(at, open);
  const set = { ...made, store: store ?? made.store };
  const ports = { ...set, actor: 'user alice', holdsAllowed: (purpose: string) => purpose === 'agreement' };

  return { at, set, ports, file: `${at}/out.wav` };
}

const fetchTo = ({ ports, file }: Place, id: string, purpose = 'training', change: Partial<FetchPorts> = {}) =>
  fetchRecording(
    { ...ports, ...change },
    { id, purpose, target: { file, replace: false }, progress: () => undefined, signal },
  );

async function archived(set: ArchiveStage): Promise<{ id: RecordingId; wav: Buffer; key: string }> {
  const { id, wav } = await set.finished();
  await uploadPass(set, { waitMs: 0, signal, all: true });
  const row = await set.catalogue.recordings.find(id);
  expect(row?.status).toBe('archived');

  return { id, wav, key: row?.objectKey ?? '' };
}

/** What the audit trail has of fetching, without the steps of the recording's own life. */
async function trail({ set }: Place, id: RecordingId): Promise<string[]> {
  const steps = (await set.catalogue.auditTrail.of(id)).filter(({ event }) => event.startsWith('fetch'));

  return steps.map(({ event, actor, detail }) => `${event} by ${actor} ${JSON.stringify(detail)}`);
}

const end = recorderEnd + 28 * dayMs;

describe.each<[string, (at: Place) => ObjectStore | undefined]>([
  ['a folder', () => undefined],
  ['a bucket', () => makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain' })],
  ['a versioned bucket', () => makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned' })],
])('a recording in %s', (name, storeOf) => {
  const at = async (): Promise<Place> => {
    const first = await place();

    return place(storeOf(first));
  };

  test('is fetched whole for its purpose, and the trail says who wanted it for what', async () => {
    const here = await at();
    const { id, wav } = await archived(here.set);
    const fetched = await fetchTo(here, id);
    expect(fetched).toMatchObject({ id, from: 'archive', bytes: wav.length, keepUntil: end });
    expect((await readFile(here.file)).equals(wav)).toBe(true);
    expect((await stat(here.file)).mode & 0o777).toBe(0o600);
    expect(await trail(here, id)).toEqual([
      'fetch begun by user alice {"purpose":"training"}',
      `fetched by user alice {"purpose":"training","from":"archive","bytes":${wav.length},"sha256":"${fetched.sha256}"}`,
    ]);
  });

  test('is fetched as it was recorded, or not at all, when somebody has overwritten it', async () => {
    const here = await at();
    const { id, wav, key } = await archived(here.set);
    await here.set.store.putText(key, 'RIFF and something else', 'audio/wav', signal);
    if (name === 'a versioned bucket') {
      await fetchTo(here, id);
      expect((await readFile(here.file)).equals(wav)).toBe(true);
      return;
    }
    await expect(fetchTo(here, id)).rejects.toMatchObject({ code: 'recording_altered' });
    expect(await readdir(here.at)).not.toContain('out.wav');
    expect((await trail(here, id)).at(-1)).toBe(
      'fetch failed by user alice {"purpose":"training","code":"recording_altered"}',
    );
  });

  test('that somebody has removed by hand is archive_object_missing', async () => {
    const here = await at();
    const { id, key } = await archived(here.set);
    await here.set.store.erase(key);
    await expect(fetchTo(here, id)).rejects.toMatchObject({ code: 'archive_object_missing' });
    expect((await trail(here, id)).at(-1)).toContain('"code":"archive_object_missing"');
  });

  test('is refused from the end of the purpose on, though it is still there', async () => {
    const here = await at();
    const { id } = await archived(here.set);
    const later = { clock: { now: () => end } };
    await expect(fetchTo(here, id, 'training', later)).rejects.toMatchObject({ code: 'purpose_over', exitCode: 1 });
    expect(await trail(here, id)).toEqual(['fetch refused by user alice {"purpose":"training","code":"purpose_over"}']);
    await expect(stat(here.file)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(fetchTo(here, id, 'training', { clock: { now: () => end - 1 } })).resolves.toMatchObject({ id });
  });

  test('that was erased is refused as gone', async () => {
    const here = await at();
    const { id } = await archived(here.set);
    const clock = { now: () => end };
    await retentionPass({ ...here.set, clock }, { dryRun: false, waitMs: 0, signal });
    await expect(fetchTo(here, id, 'training', { clock })).rejects.toMatchObject({ code: 'recording_gone' });
    expect(await trail(here, id)).toEqual([
      'fetch refused by user alice {"purpose":"training","code":"recording_gone"}',
    ]);
  });
});

describe('a recording that waits in the spool', () => {
  test('is fetched from there', async () => {
    const here = await place();
    const { id, wav } = await here.set.finished();
    expect(await fetchTo(here, id)).toMatchObject({ from: 'spool' });
    expect((await readFile(here.file)).equals(wav)).toBe(true);
    expect((await trail(here, id)).at(-1)).toContain('"from":"spool"');
    expect(await here.set.spooled()).toHaveLength(1);
  });

  test('and was changed there is recording_altered', async () => {
    const here = await place();
    const { id, wav, file } = await here.set.finished();
    await writeFile(file, Buffer.from(wav).fill(1, 100, 200));
    await expect(fetchTo(here, id)).rejects.toMatchObject({ code: 'recording_altered' });
    await expect(stat(here.file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('and is archived just then is fetched from the archive', async () => {
    const here = await place();
    const { id, wav } = await here.set.finished();
    const { catalogue } = here.ports;
    const note: FetchPorts['catalogue']['auditTrail']['append'] = async (of, given) => {
      await catalogue.auditTrail.append(of, given);
      if (given.event === 'fetch begun') await uploadPass(here.set, { waitMs: 0, signal, all: true });
    };
    const fetched = await fetchTo(here, id, 'training', {
      catalogue: { ...catalogue, auditTrail: { ...catalogue.auditTrail, append: note } },
    });
    expect(fetched.from).toBe('archive');
    expect((await readFile(here.file)).equals(wav)).toBe(true);
  });

  test('and whose file has vanished is spool_unusable', async () => {
    const here = await place();
    const { id, file } = await here.set.finished();
    await rm(file);
    await expect(fetchTo(here, id)).rejects.toMatchObject({ code: 'spool_unusable' });
    expect((await trail(here, id)).at(-1)).toContain('"code":"spool_unusable"');
  });
});

describe('what may not be fetched', () => {
  test.each<[string, ErrorCode, (set: ArchiveStage) => Promise<{ id: RecordingId }>]>([
    ['of a call that goes on', 'recording_unfinished', (set) => set.recorded(undefined, { until: 'talking' })],
    ['without usable audio', 'recording_unusable', (set) => set.finished(Buffer.from('no WAV at all'))],
  ])('is a recording %s', async (_, code, make) => {
    const here = await place();
    const { id } = await make(here.set);
    await expect(fetchTo(here, id)).rejects.toMatchObject({ code });
    expect(await trail(here, id)).toEqual([`fetch refused by user alice {"purpose":"training","code":"${code}"}`]);
  });

  test('is one that was made for something else', async () => {
    const here = await place();
    const { id } = await here.set.finished();
    await expect(fetchTo(here, id, 'agreement')).rejects.toMatchObject({ code: 'purpose_foreign', exitCode: 2 });
    expect(await trail(here, id)).toEqual([
      'fetch refused by user alice {"purpose":"agreement","code":"purpose_foreign"}',
    ]);
  });

  test('is one whose purpose ends while it is read', async () => {
    const here = await place();
    const { id } = await archived(here.set);
    let times = 0;
    const clock = { now: () => ((times += 1) === 1 ? end - 1 : end) };
    await expect(fetchTo(here, id, 'training', { clock })).rejects.toMatchObject({ code: 'purpose_over' });
    await expect(stat(here.file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await trail(here, id)).toEqual([
      'fetch begun by user alice {"purpose":"training"}',
      'fetch failed by user alice {"purpose":"training","code":"purpose_over"}',
    ]);
  });

  test('is one that lies in another archive than the configured one', async () => {
    const here = await place();
    const { id } = await archived(here.set);
    const store = makeDirectoryStore({ folder: `${here.at}/other` });
    await expect(fetchTo(here, id, 'training', { store })).rejects.toMatchObject({ code: 'archive_changed' });
  });

  test('is one that nothing is known of', async () => {
    const here = await place();
    for (const id of ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '../../etc/passwd']) {
      await expect(fetchTo(here, id)).rejects.toMatchObject({ code: 'recording_unknown' });
    }
  });

  test('is one whose fetching cannot be written down: no byte of it is read', async () => {
    const here = await place();
    const { id } = await archived(here.set);
    const refusing = new Proxy(here.set.store, {
      get: () => () => Promise.reject(new Error('the archive was asked')),
    });
    const catalogue = {
      ...here.ports.catalogue,
      auditTrail: {
        ...here.ports.catalogue.auditTrail,
        append: () => Promise.reject(new Error('no room for a note')),
      },
    };
    await expect(fetchTo(here, id, 'training', { catalogue, store: refusing })).rejects.toThrow('no room for a note');
  });
});

import { writeFile } from 'node:fs/promises';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../../src/store/store.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { archived, discarded, erased, everything, lines, reconciled } from '../../../support/retention/reconciling.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { startStoreProxy } from '../../../support/archive/storeProxy.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** What only a server shows: versions, delete markers, and an archive that goes away. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });

let stages = 0;
/** Each under a prefix of its own in the bucket. */
async function stage(
  bucket: string,
  { port }: { port: number } = s3.server,
): Promise<ArchiveStage & { prefix: string }> {
  const prefix = `stage-${(stages += 1)}/`;
  const set = await archiveStage(folder.path(prefix.slice(0, -1)), open);
  const store: ObjectStore = makeMinioStore({ ...s3.server, port, useTls: false, bucket, prefix });

  return { ...set, store, prefix };
}

describe.each(['plain', 'versioned'])('in a %s bucket', (bucket) => {
  test('nothing is found where nothing is wrong, with every byte read', async () => {
    const set = await stage(bucket);
    await erased(set);
    await archived(set);
    await discarded(set);
    const before = await everything(set);
    expect(await reconciled(set, { verify: true })).toEqual({
      reconciled: { recordings: 3, files: 0, objects: 2 },
      findings: [],
    });
    expect(await everything(set)).toEqual(before);
  });

  test('the local file of a recording that is read back whole is removed, once', async () => {
    const set = await stage(bucket);
    const { file, wav } = await archived(set);
    await writeFile(file, wav);
    expect(lines((await reconciled(set, { dryRun: true })).findings)).toEqual([`localFileLeft ${file} repairable`]);
    expect(await set.spooled()).toHaveLength(1);
    expect(lines((await reconciled(set)).findings)).toEqual([`localFileLeft ${file} repaired`]);
    expect(await set.spooled()).toEqual([]);
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
  });

  test('what is missing or foreign is told, and nothing is removed', async () => {
    const set = await stage(bucket);
    const missing = await archived(set);
    await set.store.erase(missing.keys.wav);
    await writeFile(missing.file, missing.wav);
    await set.store.putText('recordings/foreign.txt', 'x', 'text/plain', never);
    const before = await everything(set);
    for (const verify of [false, true]) {
      const { findings } = await reconciled(set, { verify });
      expect(lines(findings).toSorted()).toEqual([
        `localFileNeeded ${missing.file} nothing`,
        `objectMissing ${missing.keys.wav} nothing`,
        'unknownObject recordings/foreign.txt nothing',
      ]);
    }
    expect(await everything(set)).toEqual(before);
  });
});

test('foreign objects are told whatever their names are, over several pages of a listing', async () => {
  const set = await stage('plain');
  const names = ['a b', 'é&<ü>+', '100%25', "it's", ...Array.from({ length: 1_000 }, (_, index) => `n ${index} +é`)];
  for (const name of names) await s3.client.putObject('plain', `${set.prefix}recordings/${name}`, 'x');
  const { reconciled: compared, findings } = await reconciled(set);
  expect(compared.objects).toBe(names.length);
  expect(new Set(findings.map(({ where }) => where))).toEqual(new Set(names.map((name) => `recordings/${name}`)));
  expect(new Set(findings.map(({ kind, recording }) => `${kind} ${recording}`))).toEqual(
    new Set(['unknownObject null']),
  );
});

describe('in a bucket that keeps versions', () => {
  test.each<[string, (set: ArchiveStage & { prefix: string }, key: string) => Promise<unknown>]>([
    ['another object', (set, key) => set.store.putText(key, 'over it', 'audio/wav', never)],
    ['a delete marker', (set, key) => s3.client.removeObject('versioned', `${set.prefix}${key}`)],
  ])('a WAV that lies under %s is told, and its local file kept', async (_, cover) => {
    const set = await stage('versioned');
    const { file, keys, wav } = await archived(set);
    await cover(set, keys.wav);
    for (const verify of [false, true]) {
      expect(lines((await reconciled(set, { verify })).findings)).toEqual([`objectCovered ${keys.wav} nothing`]);
    }
    await writeFile(file, wav);
    expect(lines((await reconciled(set)).findings)).toEqual([
      `objectCovered ${keys.wav} nothing`,
      `localFileNeeded ${file} nothing`,
    ]);
    expect(await set.spooled()).toHaveLength(1);
  });

  test('a version that an erasure left behind is found with --verify and erased, though no listing shows it', async () => {
    const set = await stage('versioned');
    const { keys } = await erased(set);
    await set.store.putText(keys.wav, 'back', 'audio/wav', never);
    await s3.client.removeObject('versioned', `${set.prefix}${keys.wav}`);
    expect((await reconciled(set)).findings).toEqual([]);
    const { findings } = await reconciled(set, { verify: true });
    expect(lines(findings)).toEqual([`erasedObjectLeft ${keys.wav} repaired`]);
    expect(await set.store.versions(keys.wav)).toEqual([]);
  });
});

test('an archive that does not answer fails the whole, and nothing is removed', async () => {
  const proxy = await startStoreProxy(s3.server.port);
  try {
    const set = await stage('plain', proxy);
    const { file, wav } = await archived(set);
    await writeFile(file, wav);
    await proxy.refuse();
    await expect(reconciled(set)).rejects.toMatchObject({ code: 'archive_unreachable' });
    await proxy.mend();
    expect(await set.spooled()).toHaveLength(1);
    expect(lines((await reconciled(set)).findings)).toEqual([`localFileLeft ${file} repaired`]);
  } finally {
    await proxy.close();
  }
});

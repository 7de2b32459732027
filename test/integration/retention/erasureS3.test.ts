import { copyFile } from 'node:fs/promises';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { replayLedger } from '../../../src/retention/certificates/copies.ts';
import { verifyCertificates } from '../../../src/retention/certificates/verify.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** Erasure in a bucket that keeps versions, on a real server; an independent client looks. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const bucket = 'versioned';
let stages = 0;

const s3 = useS3Server({ [bucket]: { versioning: true } });

async function stage(): Promise<ArchiveStage & { prefix: string; folder: string }> {
  const prefix = `stage-${(stages += 1)}/`;
  const own = folder.path(prefix.slice(0, -1));
  const set = await archiveStage(own, open);

  return { ...set, store: makeMinioStore({ ...s3.server, useTls: false, bucket, prefix }), prefix, folder: own };
}

const keysOf = async (set: ArchiveStage, id: Parameters<ArchiveStage['receiptOf']>[0]): Promise<string[]> => {
  const row = await set.catalogue.recordings.find(id);
  return [row?.objectKey ?? '', row?.receiptKey ?? ''];
};
const verified = (set: ArchiveStage) => verifyCertificates({ ...set, since: 0 }, { signal: never });

test('an erasure takes every version and delete marker, and its certificate names them', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  const [wav = '', receipt = ''] = await keysOf(set, id);
  await set.store.putText(wav, 'something over it', 'audio/wav', never);
  await s3.client.removeObject(bucket, `${set.prefix}${receipt}`);
  const versions = [await set.store.versions(wav), await set.store.versions(receipt)];
  expect(versions.map(({ length }) => length)).toEqual([2, 2]);
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ erased: 1 });
  for (const key of [wav, receipt]) expect(await set.store.versions(key)).toEqual([]);
  const [certificate] = await set.catalogue.certificates.of(id);
  const { content } = await readCertificate(certificate?.jws ?? '');
  expect(content.objects).toEqual([
    { key: wav, versions: versions[0] },
    { key: receipt, versions: versions[1] },
  ]);
  expect((await verified(set)).faults).toEqual([]);
});

test('a certificate does not hold while a version is back beneath a delete marker', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  const [wav = ''] = await keysOf(set, id);
  set.clock.at = due;
  await erasePass(set);
  await set.store.putText(wav, 'back', 'audio/wav', never);
  await s3.client.removeObject(bucket, `${set.prefix}${wav}`);
  expect(await set.store.stat(wav)).toBeUndefined();
  expect((await verified(set)).faults).toMatchObject([{ fault: `2 versions of ${wav} are in the archive again` }]);
});

test('a restored catalogue and restored objects are erased again by the ledger', async () => {
  const set = await stage();
  const { id, wav: audio } = await archivedCall(set);
  const [wav = '', receipt = ''] = await keysOf(set, id);
  const database = openSqlite(`${set.folder}/catalogue.db`);
  database.exec(`VACUUM INTO '${set.folder}/backup.db'`);
  database.close();
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ erased: 1 });
  await s3.client.putObject(bucket, `${set.prefix}${wav}`, audio);
  await s3.client.putObject(bucket, `${set.prefix}${receipt}`, '{}');
  await copyFile(`${set.folder}/backup.db`, `${set.folder}/restored.db`);
  const catalogue = open(`${set.folder}/restored.db`, set.clock);
  expect((await catalogue.recordings.find(id))?.status).toBe('archived');
  const ports = { ...set, catalogue };
  expect((await replayLedger(ports, { dryRun: false })).erasedAgain).toEqual([id]);
  expect((await catalogue.recordings.find(id))?.status).toBe('erased');
  for (const key of [wav, receipt]) expect(await set.store.versions(key)).toEqual([]);
});

test('a hold that is set while others are erased wins', async () => {
  const set = await stage();
  const [one, two] = [await archivedCall(set), await archivedCall(set)];
  set.clock.at = due;
  let isSet = false;
  const erase = async (key: string): Promise<number> => {
    if (!isSet) {
      await set.catalogue.legalHolds.set({
        id: makeIds().hold(),
        recording: two.id,
        ground: 'authority',
        reason: 'asked for',
        author: 'user lawyer',
        reviewAt: due + dayMs,
        expiresAt: due + 2 * dayMs,
      });
    }
    isSet = true;
    return set.store.erase(key);
  };
  const { recordings } = await erasePass({ ...set, store: { ...set.store, erase } });
  expect(recordings).toMatchObject([
    { id: one.id, outcome: 'erased' },
    { id: two.id, outcome: 'recording_held' },
  ]);
  for (const key of await keysOf(set, two.id)) expect(await set.store.versions(key)).toHaveLength(1);
});

/** Heads of the audit trail in a bucket with Object Lock, against who may write to catalogue, ledger and bucket. */
import { copyFile, rm } from 'node:fs/promises';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { headKey } from '../../../src/retention/heads/chainHead.ts';
import { copyHeads } from '../../../src/retention/heads/keepHeads.ts';
import { verifyHeads } from '../../../src/retention/certificates/verifyTrail.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { archivedCall, erasePass } from '../../support/retention/erasing.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** On a real server, whose clock cannot be set. */
const keptMs = 3_653 * dayMs;
const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
let stages = 0;

const s3 = useS3Server({ plain: {}, locked: { objectLock: true } });

/** Two days, each with its head; the older catalogue is of the end of the first. */
async function stage(bucket: string): Promise<ArchiveStage & { path: string; older: string; file: string }> {
  const path = folder.path(`${(stages += 1)}`);
  const set: ArchiveStage = {
    ...(await archiveStage(path, open)),
    store: makeMinioStore({ ...s3.server, useTls: false, bucket, prefix: `${stages}/` }),
    headLock: bucket === 'locked' ? { mode: 'governance', keptMs } : undefined,
  };
  const { id } = await archivedCall(set);
  const older = `${path}/older.db`;
  for (let day = 0; day < 2; day += 1) {
    expect(await erasePass(set)).toMatchObject({ head: 'kept' });
    if (day === 0) {
      const database = openSqlite(`${path}/catalogue.db`);
      database.exec(`VACUUM INTO '${older}'`);
      database.close();
      await copyFile(set.ledger.file, `${path}/older.jsonl`);
    }
    await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
    set.clock.at += dayMs;
  }
  await erasePass(set);

  return { ...set, path, older, file: `${path}/restored.db` };
}

/** Catalogue and ledger as they were, and everything in the bucket that was not there then removed, as far as that can be. */
async function putBack(set: Awaited<ReturnType<typeof stage>>, bucket: string) {
  const heads = (await set.catalogue.chainHeads.list()).filter(({ number }) => number > 1);
  await copyFile(set.older, set.file);
  await rm(set.ledger.file);
  await copyFile(`${set.path}/older.jsonl`, set.ledger.file);
  for (const head of heads) {
    const name = `${set.path.split('/').at(-1) ?? ''}/${headKey(head)}`;
    for (const version of await set.store.versions(headKey(head))) {
      await s3.client
        .removeObject(bucket, name, version === 'null' ? {} : { versionId: version })
        .catch(() => undefined);
    }
    await s3.client.removeObject(bucket, name);
  }
  const keys: string[] = [];
  for await (const { key } of set.store.list('certificates/heads/')) keys.push(key);
  expect(keys).toHaveLength(1);

  return { ...set, catalogue: open(set.file, set.clock), since: 0 };
}

test('what is locked cannot be removed, and is found below the delete marker that was put over it', async () => {
  const set = await stage('locked');
  const [head] = await set.catalogue.chainHeads.list();
  if (head === undefined) throw new Error('no head');
  const { lock } = await set.store.protection(headKey(head), null, never);
  expect(lock?.mode).toBe('governance');
  expect(lock?.until).toBeGreaterThan(set.clock.at + keptMs - 4 * dayMs);
  const back = await putBack(set, 'locked');
  const { faults, newest } = await verifyHeads(back, never);
  expect(faults).toEqual([
    expect.stringMatching(/^the audit trail ends at line \d+, before what was signed \(head 3, /),
  ]);
  expect(newest?.number).toBe(1);
  expect((await verifyHeads({ ...back, store: undefined }, never)).faults).toEqual([]);
});

test('what no lock keeps is gone, and nothing shows', async () => {
  const back = await putBack(await stage('plain'), 'plain');
  expect((await verifyHeads(back, never)).faults).toEqual([]);
});

test('one that was stored and could not be locked is locked by the next pass, and not stored a second time', async () => {
  const set = await stage('locked');
  const [head] = (await set.catalogue.chainHeads.list()).slice(-1);
  if (head === undefined) throw new Error('no head');
  await set.catalogue.chainHeads.noteCopy(head.sha256, 'archive', false);
  const longer = { mode: 'governance', keptMs: keptMs + dayMs } as const;
  await copyHeads({ ...set, headLock: longer });
  expect(await set.store.versions(headKey(head))).toHaveLength(1);
  const { lock } = await set.store.protection(headKey(head), null, never);
  expect(lock?.until).toBeGreaterThanOrEqual(Math.floor((set.clock.at + longer.keptMs) / 1_000) * 1_000);
});

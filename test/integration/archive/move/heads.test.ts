import { copyFile, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import type { EncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import type { ArchiveMoved } from '../../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { headKey } from '../../../../src/retention/heads/chainHead.ts';
import type { HeadLock } from '../../../../src/retention/heads/keepHeads.ts';
import { verifyHeads } from '../../../../src/retention/certificates/verifyTrail.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../../support/catalogue/catalogues.ts';
import { archivedCall, erasePass } from '../../../support/retention/erasing.ts';
import { move, plainly } from '../../../support/archive/moving.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** Signed heads of the audit trail go from one archive to another, on real folders and a real S3 server. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const s3 = useS3Server({ plain: {}, versioned: { versioning: true }, locked: { objectLock: true } });
const keptMs = 3_653 * dayMs;
const governance: HeadLock = { mode: 'governance', keptMs };
let stages = 0;

const bucket = (name: 'plain' | 'versioned' | 'locked', prefix: string): RawStore =>
  makeMinioStore({ ...s3.server, useTls: false, bucket: name, prefix });

async function stageIn(old: RawStore | undefined, headLock?: HeadLock): Promise<ArchiveStage & { old: RawStore }> {
  const set = await archiveStage(folder.path(`${stages}`), open);
  const store = old ?? makeDirectoryStore({ folder: folder.path(`${stages}/archive`) });

  return { ...set, store, old: store, headLock };
}

/** A pass a day, each with a head of its own. */
async function sign(
  set: ArchiveStage,
  id: Parameters<ArchiveStage['catalogue']['auditTrail']['append']>[0],
): Promise<void> {
  await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
  await erasePass(set);
  set.clock.at += dayMs;
}

const moveTo = (
  set: ArchiveStage & { old: RawStore },
  target: EncryptedStore,
  removeOld = false,
): Promise<ArchiveMoved> => move(set, { source: plainly(set.old), target }, { removeOld });

beforeEach(() => {
  stages += 1;
});

test('a head below a delete marker goes along, and still convicts an older catalogue', async () => {
  const set = await stageIn(bucket('locked', `${stages}/old`), governance);
  const at = (name: string): string => folder.path(`${stages}/${name}`);
  const { id } = await archivedCall(set);
  await sign(set, id);
  const database = openSqlite(at('catalogue.db'));
  database.exec(`VACUUM INTO '${at('older.db')}'`);
  database.close();
  await copyFile(set.ledger.file, at('older.jsonl'));
  await sign(set, id);
  await sign(set, id);
  const newer = (await set.catalogue.chainHeads.list()).filter(({ number }) => number > 1);
  expect(newer).toHaveLength(2);
  await rm(set.ledger.file);
  await copyFile(at('older.jsonl'), set.ledger.file);
  for (const head of newer) await s3.client.removeObject('locked', `${stages}/old/${headKey(head)}`);
  const back = { ...set, catalogue: open(at('older.db'), set.clock), since: 0 };
  const fault = /before what was signed|not the one that was signed/;
  expect((await verifyHeads(back, never)).faults).toEqual([expect.stringMatching(fault)]);

  const target = plainly(bucket('locked', `${stages}/new`));
  const moved = await moveTo(back, target, true);
  // The locks keep them where they were, too.
  expect(moved).toMatchObject({ documents: { moved: 3, left: [] }, removal: { documentsLeft: 3 } });
  expect((await verifyHeads({ ...back, store: target }, never)).faults).toEqual([expect.stringMatching(fault)]);
});

test('of a head that was overwritten the head goes along, and not what lies over it', async () => {
  const set = await stageIn(bucket('versioned', `${stages}/old`));
  const { id } = await archivedCall(set);
  await sign(set, id);
  await sign(set, id);
  const [first, second] = await set.catalogue.chainHeads.list();
  if (first === undefined || second === undefined) throw new Error('there are no heads');
  await set.old.putText(headKey(first), 'something else', 'application/jose', never);
  // Of this one nothing is left below it.
  await set.old.erase(headKey(second));
  await set.old.putText(headKey(second), 'something else', 'application/jose', never);
  const target = plainly(makeDirectoryStore({ folder: folder.path(`${stages}/new`) }));

  const moved = await moveTo(set, target, true);
  expect(moved).toMatchObject({ documents: { moved: 1, left: [headKey(second)] }, removal: { documentsLeft: 1 } });
  expect(await text(await target.read(headKey(first), null, never))).toBe(first.jws);
  expect(await target.stat(headKey(second))).toBeUndefined();
  expect(await set.old.keysBelow('certificates/')).toEqual([headKey(second)]);
});

test('heads that come from a folder are locked as configured', async () => {
  const set = { ...(await stageIn(undefined)), headLock: governance };
  const { id } = await archivedCall(set);
  await sign({ ...set, headLock: undefined }, id);
  const target = plainly(bucket('locked', `${stages}/new`));
  const before = set.clock.at;
  await moveTo(set, target);
  const [head] = await set.catalogue.chainHeads.list();
  if (head === undefined) throw new Error('there is no head');
  const { lock } = await target.protection(headKey(head), null, never);
  expect(lock?.mode).toBe('governance');
  expect(lock?.until).toBeGreaterThanOrEqual(Math.floor((before + keptMs) / 1_000) * 1_000);
});

test('a head that could not be locked is locked by the next pass of retention', async () => {
  const set = { ...(await stageIn(undefined)), headLock: governance };
  const { id } = await archivedCall(set);
  await sign({ ...set, headLock: undefined }, id);
  const target = plainly(bucket('locked', `${stages}/new`));
  const protect = (): Promise<never> => Promise.reject(new PreavisError('archive_denied', 'no locks'));
  await expect(moveTo(set, { ...target, protect })).rejects.toMatchObject({ code: 'archive_lock_failed' });
  await erasePass({ ...set, store: target, former: [set.old] });
  for (const head of await set.catalogue.chainHeads.list()) {
    expect(await target.protection(headKey(head), null, never)).toMatchObject({ lock: { mode: 'governance' } });
  }
});

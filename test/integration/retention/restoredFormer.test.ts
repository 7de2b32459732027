import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { moveArchive } from '../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../src/store/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeHeadMover } from '../../../src/retention/heads/moveHeads.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { keyringOf } from '../../support/archive/encryption.ts';
import { due, erasePass } from '../../support/retention/erasing.ts';
import { erased, lines, reconciled } from '../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { keysOf } from '../../support/archive/uploadStage.ts';

/** What lies in an earlier archive, and a catalogue that does not know it. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;

/** A catalogue from during the call, while the recording lies whole in what is an earlier archive by now. */
async function restored(name: string) {
  const at = folder.path(name);
  const set = await archiveStage(at, open);
  const call = await set.recorded();
  const database = openSqlite(`${at}/catalogue.db`);
  database.exec("UPDATE calls SET witness = 'unavailable'");
  database.exec(`VACUUM INTO '${at}/older.db'`);
  database.close();
  await finishRecordings(set);
  await uploadPass(set, { waitMs: 0, signal: never });
  const source = makeEncryptedStore(set.store as RawStore, keyringOf(undefined));
  const store = makeEncryptedStore(makeDirectoryStore({ folder: `${at}/new` }), keyringOf(undefined));
  await store.check();
  const now = { ...set, catalogue: open(`${at}/older.db`, set.clock), store, former: [source] };
  await finishRecordings(now);
  expect((await now.catalogue.recordings.find(call.id))?.status).toBe('lost');
  const ports = {
    ...{ ...now, source, target: store, from: source.location, locks: new Map(), heads: makeHeadMover(now) },
    refuseUnprotected: () => Promise.resolve(),
  };
  const options = { dryRun: false, removeOld: true, decrypt: false, waitMs: 0, signal: never };

  return { set: now, call, source, move: () => moveArchive(ports, options) };
}

test('a recording that lies whole in an earlier archive is found there, moved, and erased in its time', async () => {
  const { set, call, source, move } = await restored('whole');
  const { wav } = keysOf(call);
  // The move alone does not call it foreign.
  expect(await move()).toMatchObject({ moved: 0, strays: { unsettled: 2, unknown: 0 } });
  expect(lines((await reconciled(set, { dryRun: true })).findings)).toEqual([`lostObjectFound ${wav} repairable`]);
  expect(lines((await reconciled(set)).findings)).toEqual([`lostObjectFound ${wav} repaired`]);
  expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ status: 'archived', archive: source.location });

  expect(await move()).toMatchObject({ moved: 1, strays: { unsettled: 0, unknown: 0 }, removal: { removed: 1 } });
  expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ archive: set.store.location });
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ due: 1, erased: 1 });
  expect(await source.keysBelow('recordings/')).toEqual([]);
});

test('what came back into an earlier archive is erased there, and what is of nobody is told with its place', async () => {
  const at = folder.path('back');
  const before = await archiveStage(at, open);
  const { keys, wav } = await erased(before);
  const former = makeDirectoryStore({ folder: `${at}/former` });
  await former.check();
  await former.putText(keys.wav, wav.toString('latin1'), 'audio/wav', never);
  const foreign = 'recordings/2026/01/01/01J00000000000000000000009.wav';
  await former.putText(foreign, 'of nobody', 'audio/wav', never);
  const { findings } = await reconciled({ ...before, former: [former] });
  const archive = former.location;
  expect(findings).toEqual([
    { kind: 'unknownObject', recording: '01J00000000000000000000009', where: foreign, archive, done: 'nothing' },
    expect.objectContaining({ kind: 'erasedObjectLeft', where: keys.wav, archive, done: 'repaired' }),
  ]);
  expect(await former.keysBelow('recordings/')).toEqual([foreign]);
});

test('an earlier archive that is gone is a finding, and keeps nothing from being compared', async () => {
  const at = folder.path('gone');
  const set = await archiveStage(at, open);
  await erased(set);
  const former = makeDirectoryStore({ folder: `${at}/never-made` });
  const { findings } = await reconciled({ ...set, former: [former] });
  expect(findings).toEqual([
    {
      ...{ kind: 'notComparable', recording: null, where: 'recordings/', archive: former.location },
      done: 'archive_bucket_missing',
    },
  ]);
  expect((await set.catalogue.passes.times('reconcile')).doneAt).toBe(set.clock.now());
});

/** A catalogue that was restored from a backup made during a call, whose recording has been archived since. */
import { copyFile, utimes, writeFile } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { decide } from '../../../src/call/decide/decide.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeWitnessPass } from '../../../src/receipt/witnessPass.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart, eventsTo } from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd, saveCall, type SavedCall } from '../../support/catalogue/catalogues.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { lines, reconciled } from '../../support/retention/reconciling.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const s3 = useS3Server({ versioned: { versioning: true } });

/** The two who talked hang up; the catalogue is told as by a session. */
async function hangUp({ catalogue }: Pick<ArchiveStage, 'catalogue'>, { facts, state: talking }: SavedCall) {
  let state = talking;
  for (const event of eventsTo('ended', facts).slice(-2)) {
    ({ state } = decide(state, event));
    await catalogue.journal.save(state);
  }
}

let stages = 0;

/**
 * The recording is archived, and the catalogue is that of during the call again, which has ended in it too.
 *
 * @param writtenAt the time of its file, ms since 1970 UTC
 */
async function restored(writtenAt = recorderEnd) {
  const prefix = `stage-${(stages += 1)}/`;
  const path = folder.path(prefix.slice(0, -1));
  const set: ArchiveStage = {
    ...(await archiveStage(path, open)),
    store: makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned', prefix }),
  };
  const call = await saveCall(set.catalogue, { until: 'talking' });
  const file = spoolFile(set.spoolFolder, call.id);
  await writeFile(file, toneWav(440));
  await utimes(file, writtenAt / 1_000, writtenAt / 1_000);
  const database = openSqlite(`${path}/catalogue.db`);
  database.exec(`VACUUM INTO '${path}/backup.db'`);
  database.close();
  await hangUp(set, call);
  await finishRecordings(set);
  const { clock, log, catalogue } = set;
  const witnessed = { celFile: undefined, waitMs: 0, clock, log, actor: 'test', compared: () => undefined };
  await makeWitnessPass({ ...witnessed, catalogue })();
  await uploadPass(set, { waitMs: 0, signal: never });
  const before = await rowOf(set, call);
  expect(before.status).toBe('archived');
  expect(await set.spooled()).toEqual([]);
  await copyFile(`${path}/backup.db`, `${path}/restored.db`);
  const now = { ...set, catalogue: open(`${path}/restored.db`, clock) };
  await hangUp(now, call);

  return { set: now, call, before, keys: objectKeys(call.id, callStart + 20_000) };
}

async function rowOf({ catalogue }: Pick<ArchiveStage, 'catalogue'>, { id }: SavedCall): Promise<RecordingRow> {
  const row = await catalogue.recordings.find(id);
  if (row === undefined) throw new Error('the catalogue does not have the recording');

  return row;
}

test.each(['lost', 'recording'] as const)(
  'a recording that is %s in the restored catalogue is archived again, as it was, and erased when it is due',
  async (status) => {
    const { set, call, before, keys } = await restored();
    if (status === 'lost') await finishRecordings(set);
    expect((await rowOf(set, call)).status).toBe(status);
    expect(lines((await reconciled(set, { dryRun: true })).findings)).toEqual([
      `lostObjectFound ${keys.wav} repairable`,
    ]);
    expect((await rowOf(set, call)).status).toBe(status);
    expect(lines((await reconciled(set)).findings)).toEqual([`lostObjectFound ${keys.wav} repaired`]);
    expect(await rowOf(set, call)).toEqual(before);
    expect(await set.catalogue.recordings.purposeEnds(call.id)).toEqual([
      { purpose: 'training', keepUntil: recorderEnd + 28 * dayMs },
    ]);
    expect((await set.catalogue.auditTrail.of(call.id)).at(-1)).toMatchObject({
      event: 'found in the archive and read back',
      from: status,
      to: 'archived',
      actor: 'test',
      detail: { bytes: before.bytes, sha256: before.sha256, version: before.objectVersion },
    });
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
    set.clock.at = recorderEnd + 28 * dayMs;
    await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
    expect((await rowOf(set, call)).status).toBe('erased');
    for (const key of [keys.wav, keys.receipt]) expect(await set.store.versions(key)).toEqual([]);
  },
);

test.each([
  ['two minutes', 120_000, ['clock_differs']],
  ['an hour', 3_600_000, ['clock_doubtful']],
] as const)('one whose clocks were %s apart is kept from when it was kept before', async (_, apartMs, flags) => {
  const { set, call, before } = await restored(recorderEnd + apartMs);
  expect(before.flags).toEqual(expect.arrayContaining(flags));
  expect(before.keptFrom).toBeGreaterThan(recorderEnd + 60_000);
  await finishRecordings(set);
  await reconciled(set);
  expect(await rowOf(set, call)).toEqual(before);
  const isDoubtful = flags[0] === 'clock_doubtful';
  expect(await set.catalogue.clockDoubts.of(call.id)).toEqual(
    isDoubtful ? expect.objectContaining({ keptFrom: before.keptFrom, settledAt: null }) : undefined,
  );
  set.clock.at = recorderEnd + 28 * dayMs;
  await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
  expect((await rowOf(set, call)).status).toBe('archived');
  set.clock.at = (before.keptFrom ?? 0) + 28 * dayMs;
  await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
  expect((await rowOf(set, call)).status).toBe(isDoubtful ? 'archived' : 'erased');
});

test.each<[string, (given: Awaited<ReturnType<typeof restored>>) => Promise<unknown>]>([
  ['has other bytes', ({ set, keys }) => set.store.putText(keys.wav, 'over it', 'audio/wav', never)],
  ['is not there', ({ set, keys }) => set.store.erase(keys.wav)],
  ['has no receipt', ({ set, keys }) => set.store.erase(keys.receipt)],
  [
    'has a receipt that is none',
    ({ set, keys }) => set.store.putText(keys.receipt, '{"call":', 'application/json', never),
  ],
  [
    'has the receipt of another',
    ({ set, keys, call, before }) =>
      set.store.putText(
        keys.receipt,
        before.receipt?.replaceAll(call.id, call.facts.id) ?? '',
        'application/json',
        never,
      ),
  ],
  [
    'has a receipt that says it ended in the future',
    ({ set, keys, before }) => {
      const receipt = JSON.parse(before.receipt ?? '') as { recording: Record<string, unknown> };
      receipt.recording['finishedAt'] = '2099-01-01T00:00:00.000Z';
      return set.store.putText(keys.receipt, JSON.stringify(receipt), 'application/json', never);
    },
  ],
])('one that %s in the archive stays lost', async (_, spoil) => {
  const given = await restored();
  const { set, call } = given;
  await finishRecordings(set);
  await spoil(given);
  const { findings } = await reconciled(set);
  expect(findings.map(({ kind }) => kind)).not.toContain('lostObjectFound');
  expect((await rowOf(set, call)).status).toBe('lost');
});

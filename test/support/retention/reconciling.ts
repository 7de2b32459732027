import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finishRecordings, sweepSpool } from '../../../src/archive/finish/finish.ts';
import { objectKeys, type ObjectKeys } from '../../../src/store/objectKeys.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import {
  reconcile,
  type Discrepancy,
  type Reconciled,
  type ReconcileOptions,
} from '../../../src/retention/reconcile/reconcile.ts';
import type { ArchiveStage } from '../archive/archiving.ts';
import { callStart, eventsTo, keys, press } from '../call/calls.ts';
import { dayMs, recorderEnd, saveCall, type SavedCall } from '../catalogue/catalogues.ts';
import { toneWav } from '../policy/promptFolder.ts';

/** Recordings in every status, and what reconciling says of them. */

export type Kept = SavedCall & { file: string; keys: ObjectKeys };

const never = new AbortController().signal;
const minutesAgo = (set: ArchiveStage): number => set.clock.now() / 1_000 - 600;

/** A file of this recording in the spool, closed ten minutes ago. */
export async function spool(set: ArchiveStage, { id }: Pick<SavedCall, 'id'>, content = toneWav(440)): Promise<string> {
  const file = spoolFile(set.spoolFolder, id);
  await writeFile(file, content);
  await utimes(file, minutesAgo(set), minutesAgo(set));

  return file;
}

const kept = (set: ArchiveStage, call: SavedCall): Kept => ({
  ...call,
  file: spoolFile(set.spoolFolder, call.id),
  keys: objectKeys(call.id, callStart + 20_000),
});

export async function archived(set: ArchiveStage, { keepDays = 28 } = {}): Promise<Kept & { wav: Buffer }> {
  const call = await set.finished(undefined, { keepDays });
  await uploadPass(set, { waitMs: 0, signal: never });

  return { ...kept(set, call), wav: call.wav };
}

export async function erased(set: ArchiveStage): Promise<Kept & { wav: Buffer }> {
  const call = await archived(set);
  const { at } = set.clock;
  set.clock.at = recorderEnd + 28 * dayMs;
  await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
  set.clock.at = at;

  return call;
}

/** A call whose recorder was never reported: its process died while it was dialled. */
export async function orphan(set: ArchiveStage, { refused = false } = {}): Promise<Kept> {
  const events = (facts: SavedCall['facts']): CallEvent[] => [
    ...eventsTo('dialling', facts),
    ...(refused ? press(keys.refuse) : []),
    { type: 'callerLeft', at: callStart + 60_000 },
  ];
  const call = await saveCall(set.catalogue, { events, ...(refused ? { shape: { mode: 'optOut' } } : {}) });
  await spool(set, call);

  return kept(set, call);
}

export async function discarded(set: ArchiveStage): Promise<Kept> {
  const call = await orphan(set, { refused: true });
  await sweepSpool(set);

  return call;
}

export async function unfinished(set: ArchiveStage): Promise<Kept> {
  const call = await set.recorded();
  await utimes(call.file, minutesAgo(set), minutesAgo(set));

  return kept(set, call);
}

/** Finished, after its file was changed. */
export async function finishedAfter(set: ArchiveStage, change: (file: string) => Promise<void>): Promise<Kept> {
  const call = await unfinished(set);
  await change(call.file);
  await finishRecordings(set);

  return call;
}

export async function reconciled(
  set: ArchiveStage,
  { dryRun = false, ...options }: Partial<ReconcileOptions> & { dryRun?: boolean } = {},
): Promise<{ reconciled: Reconciled; findings: Discrepancy[] }> {
  const ports = { ...set, repairs: dryRun ? undefined : set };
  const findings: Discrepancy[] = [];
  const found = (finding: Discrepancy): void => void findings.push(finding);

  return {
    reconciled: await reconcile(ports, { verify: false, waitMs: 0, signal: never, found, ...options }),
    findings,
  };
}

/** As `kind where done`. */
export const lines = (findings: readonly Discrepancy[]): string[] =>
  findings.map(({ kind, where, done }) => `${kind} ${where} ${done}`);

/** All that a pass could change: every row with its audit trail, every file, every object. */
export async function everything(set: ArchiveStage): Promise<unknown> {
  const rows = await set.catalogue.recordings.listBeyond('', 1_000);
  const audits = await Promise.all(rows.map(({ id }) => set.catalogue.auditTrail.of(id)));
  const files = await Promise.all(
    (await readdir(set.spoolFolder)).map(async (name) => [name, await readFile(join(set.spoolFolder, name), 'hex')]),
  );
  const objects: unknown[] = [];
  for await (const { key, bytes } of set.store.list('')) {
    objects.push([key, bytes, (await set.store.digest(key, null, never)).sha256, await set.store.versions(key)]);
  }

  return { rows, audits, files, objects };
}

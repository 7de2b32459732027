import { objectKeys } from '../archive/objectKey.ts';
import { removeSpooled } from '../archive/spool.ts';
import type { ObjectStore } from '../archive/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/lease.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { Logger } from '../core/log.ts';

/**
 * Erases recordings whose time is over (P6). For each: the intent goes into the audit trail, then every version of the
 * WAV and of its receipt and the local file are removed, then it is checked that none is left, and only then the row
 * becomes `erased`. Killed at any point, the next pass does it again: what is already gone counts as erased.
 */
export type RetentionPorts = {
  catalogue: Pick<
    Catalogue,
    'due' | 'move' | 'note' | 'audit' | 'sweepPreferences' | 'takeLease' | 'releaseLease' | 'lastPass' | 'notePass'
  >;
  store: ObjectStore;
  spoolFolder: string;
  clock: Clock;
  log: Logger;
  actor: string;
};

export type RetentionResult = {
  due: number;
  erased: number;
  /** The recordings that were due, or in a dry run would be erased. */
  recordings: { id: string; keepUntil: number | null; outcome: 'due' | 'erased' | ErrorCode }[];
};

export type RetentionOptions = { dryRun: boolean; waitMs: number; signal: AbortSignal };

const batch = 500;

/** In the audit trail of a recording from before the first byte of it is removed. */
export const erasureBegun = 'erasure begun';

/** In the audit trail of a recording that could not be erased, with the `code`; once for each code in a row. */
export const erasureFailed = 'erasure failed';

/** A clock that is further beyond the last pass may have jumped, unless passes are as rare as that. */
const plausibleGapMs = 7 * 86_400_000;

/**
 * Nothing is erased because the clock has jumped forward (P6): a pass long after the last one notes that it was there, and leaves the
 * erasing to the next. Throws clock_implausible.
 */
async function trustClock(catalogue: RetentionPorts['catalogue'], at: number): Promise<void> {
  const last = await catalogue.lastPass('retention');
  const before = await catalogue.lastPass('retention before');
  await catalogue.notePass('retention', at);
  if (last === undefined) return;
  await catalogue.notePass('retention before', last);
  const usualMs = before === undefined ? 0 : 1.5 * (last - before);
  if (at - last <= Math.max(plausibleGapMs, usualMs)) return;
  const days = Math.floor((at - last) / 86_400_000);
  throw new PreavisError('clock_implausible', `the last pass was ${days} days ago by this clock; nothing was erased`);
}

/** Throws job_busy and clock_implausible. */
export async function retentionPass(ports: RetentionPorts, options: RetentionOptions): Promise<RetentionResult> {
  const pass = (): Promise<RetentionResult> => run(ports, options);

  return options.dryRun ? pass() : withLease(ports.catalogue, 'retention', options.waitMs, pass);
}

async function run(ports: RetentionPorts, { dryRun, signal }: RetentionOptions): Promise<RetentionResult> {
  const at = ports.clock.now();
  const result: RetentionResult = { due: 0, erased: 0, recordings: [] };
  if (!dryRun) await trustClock(ports.catalogue, at);
  // A remembered language has its time too, whether or not anybody calls again.
  if (!dryRun) await ports.catalogue.sweepPreferences();
  let after = '';
  for (;;) {
    const rows = await ports.catalogue.due(at, after, batch);
    for (const row of rows) {
      if (signal.aborted) return result;
      after = row.id;
      result.due += 1;
      const outcome = dryRun ? 'due' : await eraseOne(row, ports);
      if (outcome === 'erased') result.erased += 1;
      result.recordings.push({ id: row.id, keepUntil: row.keepUntil, outcome });
    }
    if (rows.length < batch) return result;
  }
}

async function eraseOne(row: RecordingRow, ports: RetentionPorts): Promise<'erased' | ErrorCode> {
  try {
    await erase(row, ports);
    ports.log.info({ recording: row.id }, 'recording erased');

    return 'erased';
  } catch (thrown) {
    const error = asPreavisError(thrown);
    ports.log.error({ recording: row.id, code: error.code, err: error }, 'a recording that is due could not be erased');
    await noteFailure(row, error.code, ports).catch(() => undefined);

    return error.code;
  }
}

/** For the report: a pass ends, and its log goes where nobody may look. */
async function noteFailure({ id }: RecordingRow, code: ErrorCode, { catalogue, actor }: RetentionPorts): Promise<void> {
  const last = (await catalogue.audit(id)).findLast(({ event }) => event === erasureFailed);
  if (last?.detail['code'] !== code) await catalogue.note(id, { event: erasureFailed, actor, detail: { code } });
}

/** An archived recording that is not there, though no erasure was begun: a wrong mount, not an erasure (P6). */
async function refuseEmptyArchive(
  row: RecordingRow,
  keys: readonly string[],
  { catalogue, store }: RetentionPorts,
): Promise<void> {
  if (row.status !== 'archived') return;
  const steps = await catalogue.audit(row.id);
  if (steps.some(({ event }) => event === erasureBegun)) return;
  for (const key of keys) if ((await store.versions(key)).length > 0) return;
  throw new PreavisError('archive_object_missing', 'the archive does not have it, and nobody has erased it');
}

async function erase(row: RecordingRow, ports: RetentionPorts): Promise<void> {
  const { catalogue, store, spoolFolder, actor } = ports;
  const computed = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt);
  // One that was never archived may still have left something there, when an upload was cut short.
  const keys = [row.objectKey ?? computed.wav, row.receiptKey ?? computed.receipt];
  if (row.archive !== null && row.archive !== store.location) {
    throw new PreavisError('archive_changed', `it lies in ${row.archive}, configured is ${store.location}`);
  }
  await refuseEmptyArchive(row, keys, ports);
  await catalogue.note(row.id, { event: erasureBegun, actor, detail: { keepUntil: row.keepUntil, keys } });
  failPoint?.('retention, begun');
  let versions = 0;
  for (const key of keys) {
    versions += await store.erase(key);
    failPoint?.('retention, object erased');
  }
  const local = await removeSpooled(spoolFolder, row.id);
  failPoint?.('retention, local file removed');
  for (const key of keys) {
    const left = await store.versions(key);
    if (left.length > 0) throw new PreavisError('archive_failed', `${left.length} versions are left after the erasure`);
  }
  await catalogue.move(
    row.id,
    row.status,
    'erased',
    { receipt: null },
    {
      event: 'erased and checked',
      actor,
      detail: { keys, versions, local, bytes: row.bytes, sha256: row.sha256, keepUntil: row.keepUntil },
    },
  );
  failPoint?.('retention, erased');
}

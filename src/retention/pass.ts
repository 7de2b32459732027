import { setImmediate as breathe } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Catalogue, CataloguePart } from '../catalogue/catalogue.ts';
import { requireOneTime } from '../catalogue/clockApart.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import { firstDue, type DueCursor } from '../catalogue/calls/recordings.ts';
import type { AskedErasure } from '../catalogue/retention/askedErasures.ts';
import { requestFailed } from '../catalogue/retention/auditTrail.ts';
import type { AuditRow, RecordingRow } from '../catalogue/rows.ts';
import { dayMs, isoTime } from '../core/clock.ts';
import { counted } from '../core/text/counted.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import {
  copyMissingCertificates,
  removeOldCertificates,
  replayLedger,
  waitAfterRestoration,
  type CopyPorts,
} from './certificates/copies.ts';
import { causeOf, forgetTheRest } from './asked.ts';
import { removeOverDecisions, type Decisions } from './decisions.ts';
import { doubtBefore, doubtStepped, type DoubtPorts } from './doubts.ts';
import { eraseRecording, isLockedNow, type ErasureCause, type ErasurePorts } from './erasure.ts';
import { keepHead, removeOldHeads, type HeadPorts } from './heads/keepHeads.ts';
import { isLockKnown } from './lockedDue.ts';

/**
 * Erases what somebody has decided to erase and is not erased yet, and then the recordings whose time is over, the first to end first;
 * but nothing that a hold keeps. Killed at any point, the next pass goes on: what is erased is due no more.
 */
export type RetentionPorts = ErasurePorts &
  CopyPorts &
  HeadPorts &
  DoubtPorts & {
    catalogue: CataloguePart<{
      recordings: 'due';
      certificates: 'countDue' | 'countHeld';
      clockDoubts: 'count';
      decisions: 'over' | 'remove';
      askedErasures: 'open' | 'unforgotten' | 'noteForgotten' | 'sweep';
      preferences: 'sweep';
      callers: 'sweep';
      traces: 'sweep';
      sessions: 'sweep';
      signIns: 'sweep';
      approvals: 'sweep';
      extensions: 'sweep';
      dialled: 'sweep';
      leases: 'take' | 'renew' | 'release' | 'clockAheadMs';
      passes: 'last' | 'noteDone';
    }>;
    /** What forgets that for which there is no certificate. */
    decisions: Decisions;
    /** How many recordings are erased at the same time. */
    atOnce: number;
    /** How long certificates are kept, ms. */
    certificatesKeptMs: number;
    /** How long it is kept whose call it was, where there is no recording, ms. */
    callersKeptMs: number;
    /** How long it is kept which number a caller dialled, from the begin of the call, ms; 0: not at all. */
    dialledKeptMs: number;
    /** How long the trace of a call is kept that nothing was recorded of, ms. */
    tracesKeptMs: number;
  };

export type RetentionResult = {
  /** Whose time is over, or that somebody has decided to erase before. */
  due: number;
  erased: number;
  /** Whose time is over, and which a hold keeps. */
  held: number;
  /** Whose time is over, and which a lock in the archive keeps, as was told by an earlier pass: nothing can be done until it is over. */
  locked: number;
  /** Whose clocks do not agree, and which somebody has to settle before their time counts. */
  doubtful: number;
  /** Whether the head of the audit trail was signed and is in ledger and archive; why not. `unsigned` in a dry run. */
  head: 'kept' | 'unsigned' | ErrorCode;
};

export type RetentionOptions = {
  dryRun: boolean;
  /** Somebody has looked at the clock of this machine: however long ago the last pass was, it is right. */
  clockIsRight?: boolean;
  waitMs: number;
  /** Ends the wait sooner: everything stops. */
  stopping?: AbortSignal;
  signal: AbortSignal;
  /** Gets each recording that was due, or in a dry run is. */
  report?: (row: RecordingRow, outcome: 'due' | 'erased' | ErrorCode) => void;
  progress?: (done: number, total: number) => void;
};

const batch = 500;

/** In the audit trail of a recording that could not be erased, with the `code`; once for each code in a row. */
export const erasureFailed = 'erasure failed';

/** A clock that is further beyond the last pass may have jumped, unless passes are as rare as that. */
const plausibleGapMs = 7 * dayMs;

/**
 * How many days this clock is beyond the last pass, where that is more than it is believed on its word: then no pass erases anything.
 *
 * @param at this clock, ms
 */
export async function implausibleDays(
  catalogue: CataloguePart<{ passes: 'last' }>,
  at: number,
): Promise<number | undefined> {
  const last = await catalogue.passes.last('retention');
  if (last === undefined) return undefined;
  const before = await catalogue.passes.last('retention before');
  // A clock that was behind in one pass, and is right again, has not jumped forward.
  const beyondMs = at - Math.max(last, before ?? last);
  const usualMs = before === undefined ? 0 : 1.5 * (last - before);

  return beyondMs > Math.max(plausibleGapMs, usualMs) ? Math.floor(beyondMs / dayMs) : undefined;
}

/** Throws clock_implausible. */
export async function requirePlausibleClock(catalogue: CataloguePart<{ passes: 'last' }>, at: number): Promise<void> {
  const days = await implausibleDays(catalogue, at);
  if (days === undefined) return;
  throw new PreavisError(
    'clock_implausible',
    `the last pass was ${counted(days, 'day')} ago by this clock; nothing is erased`,
  );
}

/**
 * Nothing is erased because the clock has jumped forward (P6): a pass long after the last one is none, however often it is made, until
 * somebody says that the clock is right, or it is put right. Nor by one that the others who share the
 * catalogue do not have. Throws clock_implausible, clock_apart.
 */
async function trustClock(catalogue: RetentionPorts['catalogue'], at: number, isRight: boolean): Promise<void> {
  // Somebody who looks at this clock does not see that of the database.
  await requireOneTime(catalogue);
  if (!isRight) await requirePlausibleClock(catalogue, at);
  const last = await catalogue.passes.last('retention');
  const before = await catalogue.passes.last('retention before');
  if (last !== undefined) await catalogue.passes.note('retention before', Math.max(last, before ?? last));
  await catalogue.passes.note('retention', at);
}

/** Throws job_busy, clock_implausible and clock_apart; ledger_unusable and what the archive throws where certificates cannot be kept. */
export async function retentionPass(ports: RetentionPorts, options: RetentionOptions): Promise<RetentionResult> {
  if (options.dryRun) return { ...(await run(ports, options)), head: 'unsigned' };

  const pass = async (catalogue: RetentionPorts['catalogue']): Promise<RetentionResult> => {
    const own = { ...ports, catalogue };
    const result = await run(own, options).catch(async (thrown: unknown) => {
      // A day without erasures is a day of the audit trail as well.
      await keepHead(own, options.signal);
      throw thrown;
    });

    return { ...result, head: await keepHead(own, options.signal) };
  };

  return withLease(ports.catalogue, 'retention', options.waitMs, pass, options.stopping);
}

async function run(ports: RetentionPorts, options: RetentionOptions): Promise<Omit<RetentionResult, 'head'>> {
  const { catalogue, clock, log } = ports;
  const { dryRun, signal, progress } = options;
  const at = clock.now();
  if (!dryRun) {
    await trustClock(catalogue, at, options.clockIsRight === true);
    await ports.ledger.check();
    // A remembered language has its time too, whether or not anybody calls again.
    await catalogue.preferences.sweep();
    await sweepPersons(ports, at, signal);
    await sweepTraces(ports, at, signal);
    await sweepAccess(ports, at);
    await replayLedger(ports, { dryRun });
    await refuseAfterRestoration(catalogue, at);
    await doubtStepped(ports, signal);
    await forgetTheRest(ports);
    await catalogue.askedErasures.sweep(at);
  }
  // In `serve`, where nobody sees the progress, calls would wait for the count.
  const total = progress === undefined ? 0 : await catalogue.certificates.countDue(at);
  const result = { due: 0, erased: 0, held: await catalogue.certificates.countHeld(at), locked: 0, doubtful: 0 };
  const limit = pLimit(ports.atOnce);
  const eraseNext = async (row: RecordingRow, asked?: string): Promise<void> => {
    if (signal.aborted) return;
    const outcome = dryRun ? 'due' : await eraseOne(row, asked, ports);
    if (outcome === 'still locked') result.locked += 1;
    else {
      result.due += 1;
      if (outcome === 'erased') result.erased += 1;
      options.report?.(row, outcome);
    }
    const done = result.due + result.locked;
    progress?.(done, Math.max(total, done));
  };
  for await (const asked of askedAt(at, catalogue)) {
    await Promise.all(asked.map(({ row, cause }) => limit(() => eraseNext(row, cause))));
    if (signal.aborted) break;
  }
  for (let after: DueCursor | undefined = firstDue; after !== undefined && !signal.aborted;) {
    const { rows, next }: Awaited<ReturnType<Catalogue['recordings']['due']>> = await catalogue.recordings.due(
      at,
      after,
      batch,
    );
    await Promise.all(rows.map((row) => limit(() => eraseNext(row))));
    // What cannot be copied now is told at the end, and keeps nothing from being erased.
    if (result.erased > 0) await copyMissingCertificates(ports).catch(() => undefined);
    after = next;
  }
  result.doubtful = await catalogue.clockDoubts.count();
  if (dryRun) return result;
  await copyMissingCertificates(ports);
  if (!signal.aborted) {
    const removed = await removeOldCertificates(ports, at - ports.certificatesKeptMs);
    await removeOldHeads(ports, at - ports.certificatesKeptMs);
    if (removed > 0) log.info({ certificates: removed }, 'expired certificates deleted');
    await removeOverDecisions(ports, at);
    await catalogue.passes.noteDone('retention', clock.now());
  }

  return result;
}

/** What somebody has decided to erase and no hold keeps at this time, in parts. */
async function* askedAt(
  at: number,
  { askedErasures }: CataloguePart<{ askedErasures: 'open' }>,
): AsyncGenerator<readonly AskedErasure[]> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const { asked, next }: Awaited<ReturnType<Catalogue['askedErasures']['open']>> = await askedErasures.open(
      at,
      after,
      batch,
    );
    yield asked;
    after = next;
  }
}

/** Throws catalogue_restored while people may set holds again. */
async function refuseAfterRestoration(catalogue: RetentionPorts['catalogue'], at: number): Promise<void> {
  const wait = await waitAfterRestoration(catalogue, at);
  if (wait === undefined) return;
  throw new PreavisError(
    'catalogue_restored',
    `an older state of the catalogue was restored, as was found at ${isoTime(wait.since)}; nothing due was erased`,
  );
}

/** In parts, since a catalogue may have many calls and others go on beside it. */
async function inParts(
  sweep: (after: string) => Promise<{ removed: number; next: string | undefined }>,
  signal: AbortSignal,
): Promise<number> {
  let all = 0;
  for (let after: string | undefined = ''; after !== undefined && !signal.aborted;) {
    const { removed, next } = await sweep(after);
    all += removed;
    after = next;
    await breathe();
  }

  return all;
}

/** Who called, who answered, and which number was dialled. */
async function sweepPersons(
  { catalogue, callersKeptMs, dialledKeptMs }: RetentionPorts,
  at: number,
  signal: AbortSignal,
): Promise<void> {
  const times = { since: at - callersKeptMs, at };
  await inParts((after) => catalogue.callers.sweep(times, after, batch), signal);
  await inParts((after) => catalogue.extensions.sweep(times, after, batch), signal);
  const ofNumbers = { since: at - dialledKeptMs, at };
  await inParts((after) => catalogue.dialled.sweep(ofNumbers, after, batch), signal);
}

async function sweepTraces(
  { catalogue, tracesKeptMs, log }: RetentionPorts,
  at: number,
  signal: AbortSignal,
): Promise<void> {
  const calls = await inParts((after) => catalogue.traces.sweep(at - tracesKeptMs, after, batch), signal);
  if (calls > 0) log.info({ calls }, 'traces of unrecorded calls deleted');
}

/** No session may stay unused for longer, and no failed sign-in counts for longer, than the configuration can say. */
const longestIdleMs = dayMs;
/** So long it can be looked up who asked to hear what, and why; after that the audit trail says who and what. */
const approvalsKeptMs = 30 * dayMs;

/** What is over of sessions, of failed sign-ins, and of questions to hear a recording. */
async function sweepAccess({ catalogue, actor, log }: RetentionPorts, at: number): Promise<void> {
  try {
    await catalogue.sessions.sweep(at, at - longestIdleMs, at + dayMs);
    await catalogue.signIns.sweep(at, at - longestIdleMs);
    await catalogue.approvals.sweep(at, at - approvalsKeptMs, actor);
  } catch (thrown) {
    // A malformed row of these keeps no recording from being erased.
    const error = asPreavisError(thrown);
    log.error({ code: error.code, err: error }, 'sessions and approvals not swept');
  }
}

/** @param asked why somebody has decided so; undefined: its time is over */
async function eraseOne(
  row: RecordingRow,
  asked: string | undefined,
  ports: RetentionPorts,
): Promise<'erased' | 'still locked' | ErrorCode> {
  try {
    const cause: ErasureCause = asked === undefined ? { rule: 'due' } : causeOf(asked);
    if (cause.rule === 'due') await doubtBefore(row, ports);
    if (await isStillLocked(row, ports)) return 'still locked';
    const { number } = await eraseRecording(row, cause, ports);
    ports.log.info({ recording: row.id, certificate: number }, 'recording erased');

    return 'erased';
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code === 'clock_doubtful') {
      ports.log.warn({ recording: row.id }, 'due recording not erased: clocks disagree');
    } else if (error.code === 'recording_held') {
      ports.log.info({ recording: row.id }, 'due recording not erased: legal hold set');
    } else if (error.code === 'archive_locked' && isLockKnown(await stepsOf(row, ports), ports.clock.now())) {
      ports.log.warn(
        { recording: row.id, code: error.code },
        'due recording locked in archive; will erase when the lock ends',
      );
      await noteFailure(row, error.code, ports).catch(() => undefined);
    } else {
      ports.log.error({ recording: row.id, code: error.code, err: error }, 'recording erasure failed');
      await noteFailure(row, error.code, ports).catch(() => undefined);
    }

    return error.code;
  }
}

const stepsOf = ({ id }: RecordingRow, { catalogue }: RetentionPorts): Promise<AuditRow[]> =>
  catalogue.auditTrail.of(id).catch(() => []);

/** What an earlier pass has told is asked for before anything of an erasure is written down: else the trail had two lines more each day. */
async function isStillLocked(row: RecordingRow, ports: RetentionPorts): Promise<boolean> {
  if (row.status !== 'archived') return false;
  const steps = await stepsOf(row, ports);
  const at = ports.clock.now();
  const failure = steps.findLast(({ event }) => event === erasureFailed);
  if (failure?.detail['code'] !== 'archive_locked' || !isLockKnown(steps, at)) return false;

  return isLockedNow(row, ports, at);
}

/** For the report: a pass ends, and its log goes where nobody may look. Throws what the catalogue throws. */
export async function noteFailure(
  { id }: RecordingRow,
  code: ErrorCode,
  { catalogue, actor }: { catalogue: CataloguePart<{ auditTrail: 'append' | 'of' }>; actor: string },
): Promise<void> {
  // What a person was told counts as well: the newest of both is what alarms go by.
  const last = (await catalogue.auditTrail.of(id)).findLast(
    ({ event }) => event === erasureFailed || event === requestFailed,
  );
  if (last?.event !== erasureFailed || last.detail['code'] !== code)
    await catalogue.auditTrail.append(id, { event: erasureFailed, actor, detail: { code } });
}

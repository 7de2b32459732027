import { lockNoted } from '../archive/lockUploads.ts';
import type { Lock } from '../store/objectLock.ts';
import { requestFailed, requestRefused } from '../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { NewCertificate } from '../catalogue/retention/certificates.ts';
import { isActive } from '../catalogue/retention/legalHolds.ts';
import type { PurposeEnd, RecordingRow } from '../catalogue/rows.ts';
import type { RecordingStatus } from '../catalogue/statuses.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type ErrorCode } from '../core/errors.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import type { Decisions } from '../retention/decisions.ts';
import {
  decideErasure,
  type ErasureDecision,
  type ErasureRules,
  type ErasureSubject,
  type Exception,
} from './decideErasure.ts';
import {
  callsOfPerson,
  callsToDirect,
  type FindPorts,
  type Person,
  type PersonCall,
  type PersonRecording,
} from './findCalls.ts';

/**
 * Erases what is kept of a person (GDPR art. 17) but for what must be kept. Killed at any point, it is done again: what is
 * erased is found no more.
 */
export type SubjectErasurePorts = {
  catalogue: FindPorts &
    CataloguePart<{ auditTrail: 'append' | 'of'; preferences: 'find'; leases: 'take' | 'release' }>;
  decisions: Decisions;
  erase(row: RecordingRow): Promise<NewCertificate>;
  /** What the archive itself says of a recording. */
  lockInArchive(row: RecordingRow, signal: AbortSignal): Promise<Lock | undefined>;
  /** Nothing is erased without the ledger. Throws ledger_unusable. */
  checkLedger(): Promise<void>;
  /** Puts certificates and decisions where they are kept besides the catalogue. */
  copyCertificates(): Promise<void>;
  clock: Clock;
  /** Who runs the command. */
  operator: string;
};

export type SubjectErasureOrder = ErasureRules & {
  person: Person;
  /**
   * Only calls of this one of `controllers`, null: of none; undefined where there is no such. The language is not forgotten then: it is
   * remembered for all lines.
   */
  controller?: string | null | undefined;
  /** Without it nothing is changed. */
  apply: boolean;
  waitMs: number;
  signal: AbortSignal;
  /** Told of each call that was looked at. */
  progress?: (calls: number) => void;
};

type SubjectOutcome =
  | Extract<ErasureDecision, { kind: 'erase' | 'unfinished' | 'lost' | 'gone' }>
  | { kind: 'erased'; certificate: number }
  | { kind: 'kept'; exceptions: readonly Exception[]; ended: readonly string[] }
  | { kind: 'failed'; code: ErrorCode };

export type SubjectRecording = {
  id: RecordingId;
  startedAt: number;
  status: RecordingStatus;
  purposes: readonly string[];
  /** Of each purpose, as they were before. */
  ends: readonly PurposeEnd[];
  outcome: SubjectOutcome;
};

export type SubjectErasure = {
  calls: number;
  recordings: SubjectRecording[];
  /** Calls that have ended and have no recording. */
  unrecorded: number;
  /** Calls that go on and have no recording yet, and calls whose rows cannot be read. */
  open: CallId[];
  unreadable: CallId[];
  /** Calls that have ended and that no hold keeps, in which the direct number of an employee was dialled. */
  direct: number;
  /** Whether a language was remembered. */
  language: boolean;
  /** Why certificates or decisions could not be copied; the next retention run does it. */
  copyFailure: ErrorCode | undefined;
};

/** Throws job_busy, ledger_unusable, interrupted, and what the catalogue throws; what one recording throws is told of that one. */
export async function eraseForPerson(ports: SubjectErasurePorts, order: SubjectErasureOrder): Promise<SubjectErasure> {
  if (!order.apply) return run(ports, order);
  // The pass that erases what is due would come between.
  return withLease(ports.catalogue, 'retention', order.waitMs, async () => {
    await ports.checkLedger();

    return run(ports, order);
  });
}

async function run(ports: SubjectErasurePorts, order: SubjectErasureOrder): Promise<SubjectErasure> {
  const { catalogue } = ports;
  const { person, controller, apply, signal } = order;
  // Of a call of an employee without a recording: that their telephone was in it.
  const traces: CallId[] = [];
  const result: SubjectErasure = {
    calls: 0,
    recordings: [],
    unrecorded: 0,
    open: [],
    unreadable: [],
    direct: 0,
    language:
      person.kind === 'caller' &&
      controller === undefined &&
      (await catalogue.preferences.find(person.hash)) !== undefined,
    copyFailure: undefined,
  };
  for await (const found of callsOfPerson(catalogue, person, controller)) {
    signal.throwIfAborted();
    result.calls += 1;
    order.progress?.(result.calls);
    if (found.kind === 'unreadable') result.unreadable.push(found.id);
    else if (found.recording !== undefined) {
      result.recordings.push(await recordingOf(found, found.recording, ports, order));
    } else if (found.call.phase === 'ended') {
      result.unrecorded += 1;
      traces.push(found.call.id);
    } else result.open.push(found.call.id);
  }
  const numbers = await forgettableNumbers(ports, order);
  result.direct = numbers.length;
  if (!apply) return result;
  if (person.kind === 'employee') {
    await ports.decisions.forgetExtensions(traces);
    // Of those that were erased, or whose telephone was forgotten, it is forgotten already.
    await ports.decisions.forgetNumbers(numbers);
  } else {
    await ports.decisions.forgetCaller(person.hash, controller);
    if (controller === undefined) await ports.decisions.forgetLanguages(person.hash);
  }
  result.copyFailure = await ports.copyCertificates().then(
    () => undefined,
    (thrown: unknown) => asPreavisError(thrown).code,
  );

  return result;
}

/** Calls of a direct number that have ended: what a hold keeps is kept with the number that was dialled. */
async function forgettableNumbers(
  { catalogue, clock }: SubjectErasurePorts,
  { person, controller, signal }: SubjectErasureOrder,
): Promise<CallId[]> {
  if (person.kind !== 'employee') return [];
  const calls: CallId[] = [];
  for await (const { id, isOver } of callsToDirect(catalogue, person, controller)) {
    signal.throwIfAborted();
    const row = isOver ? await catalogue.recordings.ofCall(id) : undefined;
    const holds = row === undefined ? [] : await catalogue.legalHolds.of(row.id);
    if (isOver && !holds.some((hold) => isActive(hold, clock.now()))) calls.push(id);
  }

  return calls;
}

/** What keeps a recording beside its purposes. */
type Keepers = Pick<ErasureSubject, 'holds' | 'lock'>;

async function recordingOf(
  { call }: PersonCall,
  recording: PersonRecording,
  ports: SubjectErasurePorts,
  order: SubjectErasureOrder,
): Promise<SubjectRecording> {
  const { row, ends } = recording;
  const { purposes } = call;
  const decide = (keepers: Keepers): ErasureDecision =>
    decideErasure({ status: row.status, purposes, ends, ...keepers }, order, ports.clock.now());
  const now = { holds: recording.holds, lock: await lockOf(row, ports, order.signal) };
  const about = { id: row.id, startedAt: row.startedAt ?? row.noticeFinishedAt, status: row.status, purposes, ends };
  const attempt = (decision: ErasureDecision): Promise<SubjectOutcome> =>
    carryOut(decision, recording, ports).catch((thrown: unknown) => ({
      kind: 'failed',
      code: asPreavisError(thrown).code,
    }));
  if (!order.apply) return { ...about, outcome: previewOf(decide(now)) };
  let outcome = await attempt(decide(now));
  const known = outcome.kind === 'failed' ? await knownSince(outcome.code, row, now, ports, order.signal) : undefined;
  if (known !== undefined) outcome = await attempt(decide(known));
  if (outcome.kind === 'failed') {
    // For the report; whoever asked is told in any case.
    const note = { event: requestFailed, actor: ports.operator, detail: { code: outcome.code } };
    await ports.catalogue.auditTrail.append(row.id, note).catch(() => undefined);
  }

  return { ...about, outcome };
}

/** The lock that keeps it: somebody may have set another since it was archived, or taken it away for this request. */
async function lockOf(row: RecordingRow, ports: SubjectErasurePorts, signal: AbortSignal): Promise<Lock | undefined> {
  if (row.status !== 'archived') return undefined;

  return ports.lockInArchive(row, signal).catch(async () => lockNoted(await ports.catalogue.auditTrail.of(row.id)));
}

/** What kept it from being erased, as if it had been known before; undefined where that was nothing that keeps. */
async function knownSince(
  code: ErrorCode,
  row: RecordingRow,
  { holds, lock }: Keepers,
  ports: SubjectErasurePorts,
  signal: AbortSignal,
): Promise<Keepers | undefined> {
  if (code === 'recording_held') return { holds: await ports.catalogue.legalHolds.of(row.id), lock };
  if (code !== 'archive_locked') return undefined;
  const found = await ports.lockInArchive(row, signal).catch(() => undefined);

  return found && { holds, lock: found };
}

function previewOf(decision: ErasureDecision): SubjectOutcome {
  return decision.kind === 'keep'
    ? { kind: 'kept', exceptions: decision.exceptions, ended: decision.ending }
    : decision;
}

async function carryOut(
  decision: ErasureDecision,
  { row, ends }: PersonRecording,
  ports: SubjectErasurePorts,
): Promise<SubjectOutcome> {
  switch (decision.kind) {
    case 'unfinished':
    case 'lost':
    case 'gone':
      return decision;
    case 'erase':
      return { kind: 'erased', certificate: (await ports.erase(row)).number };
    case 'keep':
      await keep(row, decision, ends, ports);
      return previewOf(decision);
  }
}

/** What it is kept for is all that it may still be used for. */
async function keep(
  { id }: RecordingRow,
  { exceptions, ending }: Extract<ErasureDecision, { kind: 'keep' }>,
  ends: PersonRecording['ends'],
  { catalogue, decisions, clock, operator }: SubjectErasurePorts,
): Promise<void> {
  const at = clock.now();
  await catalogue.auditTrail.append(id, {
    event: requestRefused,
    actor: operator,
    detail: { exceptions, ending },
  });
  const shorter = ends
    .filter(({ purpose, keepUntil }) => ending.includes(purpose) && keepUntil > at)
    .map(({ purpose }) => ({ recording: id, purpose, to: at }));
  await decisions.shorten(shorter, 'person');
}

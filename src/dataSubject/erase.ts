import { lockNoted } from '../archive/lockUploads.ts';
import type { Lock } from '../store/objectLock.ts';
import { requestFailed, requestRefused } from '../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { PersonRequestRow } from '../catalogue/retention/askedErasures.ts';
import { isActive } from '../catalogue/retention/legalHolds.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type ErrorCode } from '../core/errors.ts';
import type { CallId, RecordingId, RequestId } from '../core/ids.ts';
import { forgetPerson, forgettingText, type Erasing, type Forgetting } from '../retention/asked.ts';
import type { Decisions } from '../retention/decisions.ts';
import { decideErasure, type ErasureDecision, type ErasureRules, type ErasureSubject } from './decideErasure.ts';
import {
  callsOfPerson,
  callsToDirect,
  type FindPorts,
  type Person,
  type PersonCall,
  type PersonRecording,
} from './findCalls.ts';
import {
  foundText,
  requestKeptMs,
  type SubjectErasure,
  type SubjectOutcome,
  type SubjectRecording,
  type ToldIn,
} from './personRequest.ts';

/**
 * Erases what is kept of a person (GDPR art. 17) but for what must be kept. What is to be erased and forgotten is decided first, for all
 * of it, and is in the catalogue before anything is removed: where the process is killed the retention pass does what is left.
 */
export type SubjectErasurePorts = Erasing & {
  catalogue: FindPorts &
    CataloguePart<{
      auditTrail: 'append' | 'of';
      preferences: 'find';
      leases: 'take' | 'renew' | 'release';
      askedErasures: 'noteForgotten' | 'noteFound';
    }>;
  decisions: Decisions;
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
  /** By what it can be read again what became of it, and what else that needs. */
  request: { id: RequestId; reference: string | null; told: ToldIn };
  /** Told of each call that was looked at. */
  progress?: (calls: number) => void;
};

/** Throws job_busy, ledger_unusable, interrupted, and what the catalogue throws; what one recording throws is told of that one. */
export async function eraseForPerson(ports: SubjectErasurePorts, order: SubjectErasureOrder): Promise<SubjectErasure> {
  if (!order.apply) return run(ports, order);
  // The pass that erases what is due would come between.
  return withLease(ports.catalogue, 'retention', order.waitMs, async (catalogue) => {
    await ports.checkLedger();

    return run({ ...ports, catalogue }, order);
  });
}

/** What there is of a person, and what is to become of each recording; nothing is changed yet. */
type Looked = {
  result: Omit<SubjectErasure, 'recordings' | 'copyFailure'>;
  found: Decided[];
  /** Of a call of an employee without a recording: that their telephone was in it. */
  traces: CallId[];
  /** Calls in which the direct number of an employee was dialled, and that keep it. */
  numbers: CallId[];
};
type Decided = {
  about: Omit<SubjectRecording, 'outcome'>;
  recording: PersonRecording;
  purposes: readonly string[];
  keepers: Keepers;
  decision: ErasureDecision;
};

async function look(ports: SubjectErasurePorts, order: SubjectErasureOrder): Promise<Looked> {
  const { catalogue } = ports;
  const { person, controller, signal } = order;
  const isAllOfCaller = person.kind === 'caller' && controller === undefined;
  const language = isAllOfCaller && (await catalogue.preferences.find(person.hash)) !== undefined;
  const looked: Looked = {
    result: { calls: 0, unrecorded: 0, open: [], unreadable: [], direct: 0, language },
    found: [],
    traces: [],
    numbers: await forgettableNumbers(ports, order),
  };
  const { result } = looked;
  result.direct = looked.numbers.length;
  for await (const found of callsOfPerson(catalogue, person, controller)) {
    signal.throwIfAborted();
    result.calls += 1;
    order.progress?.(result.calls);
    if (found.kind === 'unreadable') result.unreadable.push(found.id);
    else if (found.recording !== undefined) looked.found.push(await decideOn(found, found.recording, ports, order));
    else if (found.call.phase === 'ended') {
      result.unrecorded += 1;
      looked.traces.push(found.call.id);
    } else result.open.push(found.call.id);
  }

  return looked;
}

async function run(ports: SubjectErasurePorts, order: SubjectErasureOrder): Promise<SubjectErasure> {
  const looked = await look(ports, order);
  const { found } = looked;
  const planned: SubjectErasure = {
    ...looked.result,
    recordings: found.map(({ about, decision }) => ({ ...about, outcome: previewOf(decision) })),
    copyFailure: undefined,
  };
  if (!order.apply) return planned;
  const { catalogue, decisions } = ports;
  const { request } = order;
  // What is kept is done first: once the request is written down, nothing but erasing and forgetting is left of it.
  const kept = await outcomesOf(found, (each) => each.decision.kind !== 'erase', ports, order);
  const decided = { ...planned, recordings: planned.recordings.map((each) => kept.get(each.id) ?? each) };
  const forget = forgettingOf(order, looked);
  await ports.ask(
    found.flatMap(({ decision, about }) => (decision.kind === 'erase' ? [about.id] : [])),
    personRequest(decided, forget, order, ports),
  );
  await forgetPerson(forget, decisions);
  await catalogue.askedErasures.noteForgotten(request.id);
  const erased = await outcomesOf(found, (each) => each.decision.kind === 'erase', ports, order);
  const copyFailure = await ports.copyCertificates().then(
    () => undefined,
    (thrown: unknown) => asPreavisError(thrown).code,
  );
  const recordings = decided.recordings.map((each) => erased.get(each.id) ?? each);
  const result = { ...decided, recordings, copyFailure };
  await catalogue.askedErasures.noteFound(request.id, foundText(result, request.told));

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

/** Carries out what was decided of some of them. */
async function outcomesOf(
  found: readonly Decided[],
  isMeant: (each: Decided) => boolean,
  ports: SubjectErasurePorts,
  order: SubjectErasureOrder,
): Promise<ReadonlyMap<RecordingId, SubjectRecording>> {
  const outcomes = new Map<RecordingId, SubjectRecording>();
  for (const each of found.filter(isMeant)) {
    order.signal.throwIfAborted();
    outcomes.set(each.about.id, await carriedOut(each, ports, order));
  }

  return outcomes;
}

const forgettingOf = ({ person, controller }: SubjectErasureOrder, { traces, numbers }: Looked): Forgetting =>
  person.kind === 'employee'
    ? { kind: 'employee', calls: traces, numbers }
    : { kind: 'caller', hash: person.hash, ...(controller === undefined ? {} : { controller }) };

function personRequest(
  planned: SubjectErasure,
  forget: Forgetting,
  { person, controller = null, request: { id, reference, told } }: SubjectErasureOrder,
  { clock, operator }: SubjectErasurePorts,
): PersonRequestRow {
  const askedAt = clock.now();

  return {
    ...{ id, askedBy: operator, askedAt, endsAt: askedAt + requestKeptMs, controller, reference },
    // Of an employee it would say which telephone was theirs.
    found: person.kind === 'employee' ? null : foundText(planned, told),
    forget: forgettingText(forget),
  };
}

/** What keeps a recording beside its purposes. */
type Keepers = Pick<ErasureSubject, 'holds' | 'lock'>;

const decisionBy = (
  { about: { status, ends }, purposes }: Pick<Decided, 'about' | 'purposes'>,
  keepers: Keepers,
  { clock }: SubjectErasurePorts,
  order: SubjectErasureOrder,
): ErasureDecision => decideErasure({ status, purposes, ends, ...keepers }, order, clock.now());

async function decideOn(
  { call: { purposes } }: PersonCall,
  recording: PersonRecording,
  ports: SubjectErasurePorts,
  order: SubjectErasureOrder,
): Promise<Decided> {
  const { row, ends, holds } = recording;
  const keepers = { holds, lock: await lockOf(row, ports, order.signal) };
  const about = { id: row.id, startedAt: row.startedAt ?? row.noticeFinishedAt, status: row.status, purposes, ends };

  return {
    ...{ about, recording, purposes, keepers },
    decision: decisionBy({ about, purposes }, keepers, ports, order),
  };
}

async function carriedOut(
  decided: Decided,
  ports: SubjectErasurePorts,
  order: SubjectErasureOrder,
): Promise<SubjectRecording> {
  const { about, recording, keepers } = decided;
  const { row } = recording;
  const attempt = (decision: ErasureDecision): Promise<SubjectOutcome> =>
    carryOut(decision, recording, ports).catch((thrown: unknown) => ({
      kind: 'failed',
      code: asPreavisError(thrown).code,
    }));
  let outcome = await attempt(decided.decision);
  const known =
    outcome.kind === 'failed' ? await knownSince(outcome.code, row, keepers, ports, order.signal) : undefined;
  if (known !== undefined) outcome = await attempt(decisionBy(decided, known, ports, order));
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

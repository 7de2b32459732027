import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError } from 'zod';
import type { CallJournal } from '../call/session/ports.ts';
import type { KeptCaller } from '../call/plan/callerStore.ts';
import type { Clock } from '../core/clock.ts';
import { errnoOf, PreavisError, type ErrorCode } from '../core/errors.ts';
import type { CallId, HoldId, RecordingId } from '../core/ids.ts';
import { makeAuditTrail, type AuditLine, type OtherStatus } from './retention/auditTrail.ts';
import {
  makeArchiveCopies,
  type ArchiveCopy,
  type ArchiveUse,
  type CopiesLeft,
  type Move,
} from './jobs/archiveCopies.ts';
import { makeArchiveKeys, type ArchiveKey } from './jobs/archiveKeys.ts';
import { makeClockDoubts, type Doubt, type DoubtRow, type LineTimes } from './retention/clockDoubts.ts';
import { makeCallers, type CallerTimes, type SweptCallers } from './calls/callers.ts';
import { makeCalls, type CallFilter } from './calls/calls.ts';
import { makeChainHeads, type HeadRow, type NewHead } from './retention/chainHeads.ts';
import {
  makeErasures,
  type CertificateRow,
  type CopyPlace,
  type ErasureGround,
  type LedgerPlace,
  type NewCertificate,
} from './retention/certificates.ts';
import { makeEndedUnwatched } from './calls/endedUnwatched.ts';
import {
  makeDecisions,
  type DecisionEffect,
  type DecisionKind,
  type DecisionRow,
  type DecisionSource,
  type NewDecision,
} from './retention/decisions.ts';
import { makeDeliveries, type DeliveryTable, type Subscriber } from './jobs/deliveries.ts';
import { makeFigures, type Figures, type FigureTimes } from './figures.ts';
import { makeTimeline } from './calls/timeline.ts';
import { makeLegalHolds, type LegalHoldRow, type NewLegalHold } from './retention/legalHolds.ts';
import { makeIdentity } from './identity.ts';
import { makeStorageLimits } from './storageLimits.ts';
import { makeLeases, type LeaseHolder } from './jobs/leases.ts';
import { openDatabase } from './open.ts';
import { makePasses, type PassName, type PassTimes } from './jobs/passes.ts';
import { makePreferences } from './calls/preferences.ts';
import { makePromises, type DueAttempt, type Promised } from './retention/promises.ts';
import {
  makeRecordings,
  type AuditNote,
  type DueCursor,
  type ShortenBasis,
  type ShortenedEnd,
  type RecordingChanges,
  type RecordingFilter,
  type WaitingRecordings,
} from './calls/recordings.ts';
import type {
  AuditRow,
  CallRow,
  ChangeRow,
  Judgement,
  NoticeRow,
  PurposeEnd,
  RecordingRow,
  SaidRow,
  StoredPolicy,
  UnwatchedRow,
  UnwitnessedCall,
} from './rows.ts';
import type { RecordingStatus } from './statuses.ts';
import { makeWriteAheadLog } from './writeAheadLog.ts';
import { makeWitness, type WitnessStatement } from './calls/witness.ts';

type Tables = CallJournal & DeliveryTable;

/**
 * What is known of calls and recordings. Asynchronous although SQLite is not, so that another database can stand behind
 * it. Every method throws catalogue_unusable when the database fails, row_unreadable for a damaged row; `move` also status_conflict.
 */
export type Catalogue = Tables & {
  call(id: CallId): Promise<CallRow | undefined>;
  /** The newest of them. */
  calls(limit: number, filter?: CallFilter): Promise<CallRow[]>;
  knowsLine(line: string): Promise<boolean>;
  knowsPurpose(purpose: string): Promise<boolean>;
  notices(id: CallId): Promise<NoticeRow[]>;
  said(id: CallId): Promise<SaidRow[]>;
  changes(id: CallId): Promise<ChangeRow[]>;
  /** When nobody listened to this call, the first interval first. */
  unwatched(id: CallId): Promise<UnwatchedRow[]>;
  judgeUnwatched(judged: readonly { id: number; judged: Judgement }[]): Promise<void>;
  /** Until when the process before, or this one, has seen every event. */
  watchedUntil(): Promise<number | undefined>;
  saveWatchedUntil(at: number): Promise<void>;
  savePolicy(version: string, content: string): Promise<void>;
  policy(version: string): Promise<StoredPolicy | undefined>;

  recording(id: string): Promise<RecordingRow | undefined>;
  recordingOfCall(id: CallId): Promise<RecordingRow | undefined>;
  recordings(filter: RecordingFilter): Promise<RecordingRow[]>;
  /** All of them in the order of ids, beyond `after`. */
  recordingsBeyond(after: string, limit: number): Promise<RecordingRow[]>;
  /** Whether a recording that has no row is one that a call makes now (`open`), or that `adopt` would take. */
  makerOf(id: RecordingId): Promise<'open' | 'adoptable' | 'none'>;
  purposeEnds(id: RecordingId): Promise<PurposeEnd[]>;
  /** How loud a recording is, as audio/peaks.ts keeps it; undefined where that is not kept. */
  peaks(id: RecordingId): Promise<string | undefined>;
  finishable(): Promise<RecordingRow[]>;
  sendable(at: number, after: string, limit: number): Promise<RecordingRow[]>;
  due(at: number, after: DueCursor, limit: number): Promise<{ rows: RecordingRow[]; next: DueCursor | undefined }>;
  longerKept(purpose: string, keepMs: number, after: string, limit: number): Promise<ShortenedEnd[]>;
  shorten(purpose: string, ends: readonly ShortenedEnd[], basis: ShortenBasis, actor: string): Promise<void>;
  /** What must be in this archive: the first recording that is still there, or whether any ever was. */
  knownObject(archive: string): Promise<{ key: string } | 'gone' | 'never'>;
  archiveKeys(archive: string): Promise<ArchiveKey[]>;
  archivedIn(archive: string, after: string, limit: number): Promise<RecordingRow[]>;
  beginCopy(id: RecordingId, move: Move): Promise<void>;
  finishCopy(
    id: RecordingId,
    move: Move,
    how: { version: string | null; leaves: boolean },
    note: Omit<AuditNote, 'event'>,
  ): Promise<void>;
  noteCopy(id: RecordingId, archive: string): Promise<void>;
  noteCopyLock(id: RecordingId, archive: string, until: number | null): Promise<void>;
  forgetCopy(id: RecordingId, archive: string, note?: AuditNote): Promise<void>;
  copiesOf(id: RecordingId): Promise<ArchiveCopy[]>;
  copiesIn(archive: string, after: string, limit: number): Promise<ArchiveCopy[]>;
  archiveUse(): Promise<ArchiveUse[]>;
  copiesLeft(): Promise<CopiesLeft[]>;
  counts(): Promise<Partial<Record<RecordingStatus, number>>>;
  move(
    id: RecordingId,
    from: RecordingStatus,
    to: RecordingStatus,
    changes: RecordingChanges,
    note: AuditNote,
  ): Promise<void>;
  adopt(id: RecordingId): Promise<RecordingRow | undefined>;
  waiting(): Promise<WaitingRecordings[]>;
  postpone(id: RecordingId, until: number, failure: ErrorCode): Promise<void>;
  note(id: RecordingId, note: AuditNote): Promise<void>;
  audit(id: RecordingId): Promise<AuditRow[]>;
  isDiscardAudited(id: RecordingId): Promise<boolean>;
  statusesOtherwise(limit: number): Promise<OtherStatus[]>;
  auditedWithoutRow(limit: number): Promise<string[]>;
  /** The newest line of the audit trail that is in the chain. */
  auditHead(): Promise<{ id: number; chain: string } | undefined>;
  /** The lines of all recordings with these ids, in order, at most `limit`. */
  auditLines(from: number, to: number, limit: number): Promise<AuditLine[]>;
  /** When the line after this one was written, ms since 1970 UTC; undefined when it is the newest. */
  auditTimeAfter(line: number): Promise<number | undefined>;

  setHold(hold: NewLegalHold): Promise<void>;
  releaseHold(id: HoldId, by: string): Promise<RecordingId>;
  holdsOf(id: RecordingId): Promise<LegalHoldRow[]>;
  activeHolds(at: number, after: string, limit: number): Promise<LegalHoldRow[]>;

  /** Whether it was raised: a human is asked once about each recording. */
  raiseDoubt(id: RecordingId, doubt: Doubt): Promise<boolean>;
  settleDoubt(id: RecordingId, endedAt: number, by: string): Promise<void>;
  doubtOf(id: RecordingId): Promise<DoubtRow | undefined>;
  openDoubts(after: string, limit: number): Promise<DoubtRow[]>;
  countDoubts(): Promise<number>;
  lineTimes(id: RecordingId): Promise<LineTimes>;
  bootOffset(boot: string): Promise<number | undefined>;
  noteBootOffset(boot: string, offsetMs: number): Promise<void>;
  stepped(beyondMs: number, limit: number): Promise<RecordingId[]>;

  beginErasure(id: RecordingId, at: number, why: ErasureGround, note: AuditNote): Promise<void>;
  finishErasure(
    from: RecordingStatus,
    certificate: NewCertificate,
    previous: string | null,
    note: AuditNote,
    places?: readonly string[],
  ): Promise<boolean>;
  restoreCertificate(
    certificate: NewCertificate,
    from: RecordingStatus | undefined,
    place: CopyPlace,
    note: AuditNote,
  ): Promise<void>;
  lastCertificate(): Promise<CertificateRow | undefined>;
  certificatesOf(id: RecordingId): Promise<CertificateRow[]>;
  certificates(after: { number: number; sha256: string }, limit: number): Promise<CertificateRow[]>;
  missingCertificates(since: number, limit: number): Promise<{ recording: string; number: number }[]>;
  newestCertificates(limit: number): Promise<CertificateRow[]>;
  countCertificates(): Promise<number>;
  isCertificateKnown(sha256: string): Promise<boolean>;
  certificatesWithout(place: CopyPlace, limit: number): Promise<CertificateRow[]>;
  noteCertificateCopy(sha256: string, place: CopyPlace): Promise<void>;
  noteLostFromLedger(sha256: string): Promise<void>;
  oldCertificates(before: number, limit: number): Promise<CertificateRow[]>;
  removeCertificate(sha256: string): Promise<void>;
  ledgerRead(file: string): Promise<LedgerPlace | undefined>;
  noteLedgerRead(file: string, place: LedgerPlace): Promise<void>;
  carryOut(decision: NewDecision, effect: DecisionEffect, source: DecisionSource, actor: string): Promise<boolean>;
  isDecisionKnown(sha256: string): Promise<boolean>;
  decisionsWithoutLedger(limit: number): Promise<DecisionRow[]>;
  noteDecisionInLedger(sha256: string, isThere: boolean): Promise<void>;
  decisionsBeyond(after: string, limit: number): Promise<DecisionRow[]>;
  overDecisions(at: number, limit: number): Promise<DecisionRow[]>;
  removeDecision(sha256: string): Promise<void>;
  countDecisions(): Promise<number>;
  decisionsReplayed(since: number): Promise<{ kind: DecisionKind; count: number }[]>;
  forgettableCalls(hash: string, limit: number): Promise<CallId[]>;
  languagesKept(caller: string | undefined): Promise<{ count: number; last: number | null }>;
  callersWithLanguage(after: string, limit: number): Promise<string[]>;
  erasedWithoutCertificate(since: number, limit: number): Promise<RecordingId[]>;
  lastHead(): Promise<HeadRow | undefined>;
  heads(): Promise<HeadRow[]>;
  isHeadKnown(sha256: string): Promise<boolean>;
  keepHead(head: NewHead, previous: string | null): Promise<boolean>;
  takeUpHead(head: NewHead, place: CopyPlace): Promise<void>;
  headsWithout(place: CopyPlace): Promise<HeadRow[]>;
  noteHeadCopy(sha256: string, place: CopyPlace, isThere: boolean): Promise<void>;
  removeHead(sha256: string): Promise<void>;
  countDue(at: number): Promise<number>;
  countHeld(at: number): Promise<number>;
  /** Of one moment; `erasureFailed` is the event that says, with a `code`, why a recording could not be erased. */
  figures(times: FigureTimes, erasureFailed: string): Promise<Figures>;

  /** 16 hexadecimal digits, made with the catalogue; a copy of it has the same. */
  identity(): Promise<string>;
  withoutEnd(at: number): Promise<RecordingId[]>;
  flagEndedUnwatched(at: number, actor: string, others: readonly RecordingId[]): Promise<RecordingId[]>;
  unwitnessed(): Promise<UnwitnessedCall[]>;
  saveWitness(id: CallId, statement: WitnessStatement, actor: string): Promise<boolean>;

  /** By a keyed hash of the caller's number; expired ones are not given. */
  preference(caller: string): Promise<string | undefined>;
  setPreference(caller: string, language: string, expiresAt: number): Promise<void>;
  /** Removes the preferences that have expired; says how many. */
  sweepPreferences(): Promise<number>;

  keepCaller(caller: KeptCaller): Promise<void>;
  /** By a keyed hash of the caller's number; in the order of calls, beyond `after`. */
  callsOfCaller(hash: string, after: string, limit: number): Promise<KeptCaller[]>;
  newestCallOfCaller(hash: string): Promise<KeptCaller | undefined>;
  hashKeys(): Promise<string[]>;
  claimCaller(hash: string, bare: string): Promise<void>;
  newestSealedCaller(): Promise<KeptCaller | undefined>;
  sweepCallers(times: CallerTimes, after: string, limit: number): Promise<SweptCallers>;

  takeLease(job: string, me: LeaseHolder): Promise<LeaseHolder | undefined>;
  otherHolder(job: string, me: LeaseHolder): Promise<LeaseHolder | undefined>;
  noteServing(me: LeaseHolder): Promise<void>;
  notServedMs(): Promise<number | undefined>;
  takeAbandonedServe(me: LeaseHolder, awayMs: number): Promise<boolean>;
  releaseLease(job: string, me: LeaseHolder): Promise<void>;
  lastPass(job: string): Promise<number | undefined>;
  notePass(job: string, at: number): Promise<void>;
  /** A pass of the job has come to its end, and did what it is for. */
  passDone(pass: PassName, at: number): Promise<void>;
  /** The next pass is to begin then; a plan whose time has come stands until a pass was made after it. */
  planPass(pass: PassName, at: number, now: number): Promise<void>;
  passTimes(pass: PassName): Promise<PassTimes>;
  dueAttempts(at: number, erasureFailed: string, after: DueCursor, limit: number): Promise<DueAttempt[]>;
  promised(at: number): Promise<Promised>;

  /** Takes what was erased out of the write-ahead log as well; `busy` while another process works with what is in it. */
  emptyLog(): Promise<'empty' | 'busy'>;

  /** The longest that any recording is kept after its end, days; 0 when there is none. */
  longestKeptDays(): Promise<number>;
  /** How many recordings have a hold that may last longer than so many days after their end. */
  heldBeyond(days: number): Promise<number>;
  close(): void;
};

/** How long a step waits for other processes' writes, and how long between two tries, ms. */
const busyLimitMs = 10_000;
const busyPauseMs = 20;

/** What there is of it may be in a state that no step of ours leaves. */
function damaged(what: string, cause: unknown): PreavisError {
  return new PreavisError('catalogue_unusable', `the catalogue is damaged${what}`, {
    cause,
    hint: 'Stop Préavis, keep the file, and restore the last backup (docs/operations/backup.md).',
  });
}

/** The file as a whole may be well: then it is a fault of ours, and a backup would throw away what came after it. */
function badRow(cause: unknown): PreavisError {
  return new PreavisError('row_unreadable', 'a row of the catalogue is malformed', { cause });
}

/** For `catch`, in a pass over many rows: one that cannot be read is told by openCatalogue and left aside. */
export function undefinedIfUnreadable(thrown: unknown): undefined {
  if (thrown instanceof PreavisError && thrown.code === 'row_unreadable') return undefined;
  throw thrown;
}

function asCatalogueError(cause: unknown): unknown {
  const code = errnoOf(cause) ?? '';
  if (cause instanceof PreavisError) return cause;
  // Rows are read by their schema alone: SQLite hands out what a damaged page holds where it can.
  if (cause instanceof ZodError || cause instanceof SyntaxError) return badRow(cause);
  if (!code.startsWith('SQLITE')) return cause;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return damaged(` (${code})`, cause);

  return new PreavisError('catalogue_unusable', `the catalogue refused a step (${code})`, { cause });
}

/** Runs a synchronous step of SQLite as the asynchronous interface promises it; a busy database is asked again. */
function eventually<Args extends unknown[], T>(step: (...args: Args) => T): (...args: Args) => Promise<T> {
  return async (...args) => {
    const giveUp = performance.now() + busyLimitMs;
    for (;;) {
      try {
        return step(...args);
      } catch (cause) {
        const busy = (errnoOf(cause) ?? '').startsWith('SQLITE_BUSY');
        if (!busy || performance.now() >= giveUp) throw asCatalogueError(cause);
        await sleep(busyPauseMs);
      }
    }
  };
}

export type CatalogueOptions = {
  mustExist?: boolean;
  /** Told of each row that a pass leaves aside, since it does not have its form; once for each. */
  unreadable?: (recording: string, error: PreavisError) => void;
  /** Who is told of what becomes of recordings: each process that moves one must say it. Nobody by default. */
  webhooks?: readonly Subscriber[];
};

/** Opens the SQLite catalogue; see openDatabase for what it throws. */
export function openCatalogue(
  file: string,
  clock: Clock,
  { unreadable, webhooks = [], ...options }: CatalogueOptions = {},
): Catalogue {
  const database = openDatabase(file, options);
  const told = new Set<string>();
  const leftAside = (id: string, cause: unknown): void => {
    if (told.has(id)) return;
    told.add(id);
    unreadable?.(id, badRow(cause));
  };
  const now = (): number => clock.now();
  const trail = makeAuditTrail(database, now);
  const calls = makeCalls(database, trail);
  const happenings = makeTimeline(database);
  const deliveries = makeDeliveries(database, now, webhooks);
  const doubts = makeClockDoubts(database, trail, now);
  const recordings = makeRecordings(database, trail, deliveries, leftAside, doubts.raise);
  const holds = makeLegalHolds(database, trail, deliveries, now);
  const erasures = makeErasures(database, trail, recordings.move, holds.releaseHoldsOf);
  const decisions = makeDecisions(database, recordings.shorten);
  const chainHeads = makeChainHeads(database);
  const figures = makeFigures(database);
  const preferences = makePreferences(database, now);
  const callers = makeCallers(database);
  const archiveKeys = makeArchiveKeys(database);
  const archiveCopies = makeArchiveCopies(database, trail);
  const witness = makeWitness(database, trail);
  const endedUnwatched = makeEndedUnwatched(database, trail);
  const leases = makeLeases(database, clock);
  const passes = makePasses(database);
  const promises = makePromises(database);
  const identity = makeIdentity(database);
  const keeping = makeStorageLimits(database);
  const log = makeWriteAheadLog(database);

  return {
    save: eventually(calls.save),
    open: eventually(calls.open),
    endUnreadable: eventually(calls.endUnreadable),
    call: eventually(calls.call),
    calls: eventually(calls.calls),
    knowsLine: eventually(calls.knowsLine),
    knowsPurpose: eventually(calls.knowsPurpose),
    notices: eventually(calls.notices),
    addToTimeline: eventually(happenings.addToTimeline),
    said: eventually(happenings.said),
    changes: eventually(happenings.changes),
    unwatched: eventually(happenings.unwatched),
    judgeUnwatched: eventually(happenings.judgeUnwatched),
    watchedUntil: eventually(happenings.watchedUntil),
    saveWatchedUntil: eventually(happenings.saveWatchedUntil),
    savePolicy: eventually(calls.savePolicy),
    policy: eventually(calls.policy),
    recording: eventually(recordings.recording),
    recordingOfCall: eventually(recordings.recordingOfCall),
    recordings: eventually(recordings.recordings),
    recordingsBeyond: eventually(recordings.recordingsBeyond),
    makerOf: eventually(recordings.makerOf),
    purposeEnds: eventually(recordings.purposeEnds),
    peaks: eventually(recordings.peaks),
    finishable: eventually(recordings.finishable),
    sendable: eventually(recordings.sendable),
    due: eventually(recordings.due),
    longerKept: eventually(recordings.longerKept),
    shorten: eventually(recordings.shorten),
    knownObject: eventually(recordings.knownObject),
    archiveKeys: eventually(archiveKeys.archiveKeys),
    archivedIn: eventually(recordings.archivedIn),
    beginCopy: eventually(archiveCopies.beginCopy),
    finishCopy: eventually(archiveCopies.finishCopy),
    noteCopy: eventually(archiveCopies.noteCopy),
    noteCopyLock: eventually(archiveCopies.noteCopyLock),
    forgetCopy: eventually(archiveCopies.forgetCopy),
    copiesOf: eventually(archiveCopies.copiesOf),
    copiesIn: eventually(archiveCopies.copiesIn),
    archiveUse: eventually(archiveCopies.archiveUse),
    copiesLeft: eventually(archiveCopies.copiesLeft),
    counts: eventually(recordings.counts),
    move: eventually(recordings.move),
    adopt: eventually(recordings.adopt),
    waiting: eventually(recordings.waiting),
    postpone: eventually(recordings.postpone),
    note: eventually(recordings.note),
    audit: eventually(trail.of),
    isDiscardAudited: eventually(trail.isDiscardAudited),
    statusesOtherwise: eventually(trail.statusesOtherwise),
    auditedWithoutRow: eventually(trail.auditedWithoutRow),
    auditHead: eventually(trail.head),
    auditLines: eventually(trail.lines),
    auditTimeAfter: eventually(trail.timeAfter),
    setHold: eventually(holds.setHold),
    releaseHold: eventually(holds.releaseHold),
    holdsOf: eventually(holds.holdsOf),
    activeHolds: eventually(holds.activeHolds),
    raiseDoubt: eventually(doubts.raiseDoubt),
    settleDoubt: eventually(doubts.settleDoubt),
    doubtOf: eventually(doubts.doubtOf),
    openDoubts: eventually(doubts.openDoubts),
    countDoubts: eventually(doubts.countDoubts),
    lineTimes: eventually(doubts.lineTimes),
    bootOffset: eventually(doubts.bootOffset),
    noteBootOffset: eventually(doubts.noteBootOffset),
    stepped: eventually(doubts.stepped),
    beginErasure: eventually(erasures.beginErasure),
    finishErasure: eventually(erasures.finishErasure),
    restoreCertificate: eventually(erasures.restoreCertificate),
    lastCertificate: eventually(erasures.lastCertificate),
    certificatesOf: eventually(erasures.certificatesOf),
    certificates: eventually(erasures.certificates),
    missingCertificates: eventually(erasures.missingCertificates),
    newestCertificates: eventually(erasures.newestCertificates),
    countCertificates: eventually(erasures.countCertificates),
    isCertificateKnown: eventually(erasures.isCertificateKnown),
    certificatesWithout: eventually(erasures.certificatesWithout),
    noteCertificateCopy: eventually(erasures.noteCertificateCopy),
    noteLostFromLedger: eventually(erasures.noteLostFromLedger),
    oldCertificates: eventually(erasures.oldCertificates),
    removeCertificate: eventually(erasures.removeCertificate),
    erasedWithoutCertificate: eventually(erasures.erasedWithoutCertificate),
    lastHead: eventually(chainHeads.lastHead),
    heads: eventually(chainHeads.heads),
    isHeadKnown: eventually(chainHeads.isHeadKnown),
    keepHead: eventually(chainHeads.keepHead),
    takeUpHead: eventually(chainHeads.takeUpHead),
    headsWithout: eventually(chainHeads.headsWithout),
    noteHeadCopy: eventually(chainHeads.noteHeadCopy),
    removeHead: eventually(chainHeads.removeHead),
    ledgerRead: eventually(erasures.ledgerRead),
    noteLedgerRead: eventually(erasures.noteLedgerRead),
    carryOut: eventually(decisions.carryOut),
    isDecisionKnown: eventually(decisions.isDecisionKnown),
    decisionsWithoutLedger: eventually(decisions.decisionsWithoutLedger),
    noteDecisionInLedger: eventually(decisions.noteDecisionInLedger),
    decisionsBeyond: eventually(decisions.decisionsBeyond),
    overDecisions: eventually(decisions.overDecisions),
    removeDecision: eventually(decisions.removeDecision),
    countDecisions: eventually(decisions.countDecisions),
    decisionsReplayed: eventually(decisions.decisionsReplayed),
    forgettableCalls: eventually(decisions.forgettableCalls),
    languagesKept: eventually(decisions.languagesKept),
    callersWithLanguage: eventually(decisions.callersWithLanguage),
    countDue: eventually(erasures.countDue),
    countHeld: eventually(erasures.countHeld),
    figures: eventually(figures.figures),
    identity: eventually(identity.identity),
    withoutEnd: eventually(endedUnwatched.withoutEnd),
    flagEndedUnwatched: eventually(endedUnwatched.flagEndedUnwatched),
    unwitnessed: eventually(witness.unwitnessed),
    saveWitness: eventually(witness.saveWitness),
    preference: eventually(preferences.preference),
    setPreference: eventually(preferences.setPreference),
    sweepPreferences: eventually(preferences.sweepPreferences),
    deliveriesDue: eventually(deliveries.deliveriesDue),
    endpointsDue: eventually(deliveries.endpointsDue),
    deliveries: eventually(deliveries.deliveries),
    deliveryFigures: eventually(deliveries.deliveryFigures),
    delivered: eventually(deliveries.delivered),
    postponeDelivery: eventually(deliveries.postponeDelivery),
    postponeDeliveries: eventually(deliveries.postponeDeliveries),
    giveUpDeliveries: eventually(deliveries.giveUpDeliveries),
    giveUpEndpoint: eventually(deliveries.giveUpEndpoint),
    retryDeliveries: eventually(deliveries.retryDeliveries),
    sweepDeliveries: eventually(deliveries.sweepDeliveries),
    disabledEndpoints: eventually(deliveries.disabledEndpoints),
    disableEndpoint: eventually(deliveries.disableEndpoint),
    keepCaller: eventually(callers.keepCaller),
    callsOfCaller: eventually(callers.callsOfCaller),
    newestCallOfCaller: eventually(callers.newestCallOfCaller),
    hashKeys: eventually(callers.hashKeys),
    claimCaller: eventually(callers.claimCaller),
    newestSealedCaller: eventually(callers.newestSealedCaller),
    sweepCallers: eventually(callers.sweepCallers),
    takeLease: eventually(leases.takeLease),
    otherHolder: eventually(leases.otherHolder),
    noteServing: eventually(leases.noteServing),
    notServedMs: eventually(leases.notServedMs),
    takeAbandonedServe: eventually(leases.takeAbandonedServe),
    releaseLease: eventually(leases.releaseLease),
    lastPass: eventually(leases.lastPass),
    notePass: eventually(leases.notePass),
    emptyLog: eventually(log.emptyLog),
    passDone: eventually(passes.passDone),
    planPass: eventually(passes.planPass),
    passTimes: eventually(passes.passTimes),
    dueAttempts: eventually(promises.dueAttempts),
    promised: eventually(promises.promised),
    longestKeptDays: eventually(keeping.longestKeptDays),
    heldBeyond: eventually(keeping.heldBeyond),
    close: () => {
      database.close();
    },
  };
}

import * as z from 'zod';
import { lockNoted } from '../archive/lockUploads.ts';
import { requestFailed } from '../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { holdGrounds } from '../catalogue/holdGrounds.ts';
import type { PersonRequestRow } from '../catalogue/retention/askedErasures.ts';
import type { PurposeEnd, RecordingRow } from '../catalogue/rows.ts';
import { recordingStatuses, type RecordingStatus } from '../catalogue/statuses.ts';
import { lockModes } from '../config/objectLockModes.ts';
import { dayMs, type Clock } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { erasureFailed } from '../retention/pass.ts';
import type { Lock } from '../store/objectLock.ts';
import { keepersAt, type ErasureDecision, type Exception } from './decideErasure.ts';
import { subjectLanguages } from './languages.ts';

/**
 * What a person asked to have erased, and what became of it, so that it can be read again: whoever asked may have lost the answer. It has
 * neither number nor name; the ids of the recordings are those of one person, and so it is kept for a month only (GDPR art. 12(3)).
 */
export const requestKeptMs = 30 * dayMs;

/** For asking the archives about one lock, ms. */
const lockLimitMs = 10_000;

export type SubjectOutcome =
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

const millis = z.number();
const exception = z.discriminatedUnion('ground', [
  z.strictObject({ ground: z.literal('hold'), hold: z.enum(holdGrounds), until: millis }),
  z.strictObject({ ground: z.literal('lock'), mode: z.enum(lockModes), until: millis }),
  z.strictObject({ ground: z.enum(['obligation', 'evidence', 'unknown']), purpose: z.string() }),
]);
const texts = z.array(z.string());
const outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['erase', 'unfinished', 'lost', 'gone']) }),
  z.strictObject({ kind: z.literal('erased'), certificate: z.number() }),
  z.strictObject({ kind: z.literal('kept'), exceptions: z.array(exception), ended: texts }),
  z.strictObject({ kind: z.literal('failed'), code: z.string().transform((code) => code as ErrorCode) }),
]);
const recording = z.strictObject({
  id: z.string().transform((id) => id as RecordingId),
  startedAt: millis,
  status: z.enum(recordingStatuses),
  purposes: texts,
  ends: z.array(z.strictObject({ purpose: z.string(), keepUntil: millis })),
  outcome,
});
const callIds = z.array(z.string().transform((id) => id as CallId));
const erasure = z.strictObject({
  calls: z.number(),
  recordings: z.array(recording),
  unrecorded: z.number(),
  open: callIds,
  unreadable: callIds,
  direct: z.number(),
  language: z.boolean(),
  copyFailure: z
    .string()
    .transform((code) => code as ErrorCode)
    .optional(),
});

const told = z.strictObject({
  /** That of the answer to the person. */
  language: z.enum(subjectLanguages),
  /** Keys of numbers under which nobody has searched. */
  keysNotSearched: texts,
});
export type ToldIn = z.output<typeof told>;

const foundForm = z.strictObject({ told, result: erasure });

export const foundText = (result: SubjectErasure, toldIn: ToldIn): string => JSON.stringify({ told: toldIn, result });

type NowPorts = {
  catalogue: CataloguePart<{
    recordings: 'find' | 'purposeEnds';
    certificates: 'of';
    askedErasures: 'askedAt';
    legalHolds: 'of';
    auditTrail: 'of';
  }>;
  clock: Clock;
  /** What the archive itself says of a recording. */
  lockInArchive: (row: RecordingRow, signal: AbortSignal) => Promise<Lock | undefined>;
};

/**
 * What has become of it by now: what is erased since, and what keeps the rest. Not finished is what the next retention run still has to
 * erase. Throws what zod throws for a malformed row, and what the catalogue throws.
 */
export async function requestNow(
  { found, askedAt }: PersonRequestRow,
  ports: NowPorts,
): Promise<{ told: ToldIn; result: SubjectErasure; isFinished: boolean } | undefined> {
  if (found === null) return undefined;
  const read = foundForm.parse(JSON.parse(found));
  const recordings: SubjectRecording[] = [];
  let isFinished = true;
  for (const each of read.result.recordings) {
    const outcome = await outcomeNow(each, askedAt, ports);
    recordings.push({ ...each, outcome });
    const isAsked = outcome.kind === 'failed' && (await ports.catalogue.askedErasures.askedAt(each.id)) !== undefined;
    if (outcome.kind === 'erase' || isAsked) isFinished = false;
  }

  return { told: read.told, result: { ...read.result, copyFailure: read.result.copyFailure, recordings }, isFinished };
}

async function outcomeNow(each: SubjectRecording, askedAt: number, ports: NowPorts): Promise<SubjectOutcome> {
  const { id, outcome: before } = each;
  if (before.kind === 'erased' || before.kind === 'gone') return before;
  const row = await ports.catalogue.recordings.find(id);
  if (row === undefined || row.status === 'erased' || row.status === 'discarded') {
    const certificate = (await ports.catalogue.certificates.of(id)).at(-1);

    return certificate === undefined ? { kind: 'gone' } : { kind: 'erased', certificate: certificate.number };
  }
  switch (before.kind) {
    case 'unfinished':
    case 'lost':
      return before;
    case 'erase':
    case 'failed': {
      const keepers = await keepersOf(row, await lockMet(row, ports), ports);
      // The decision has ended them all.
      const ended = each.ends.filter(({ keepUntil }) => keepUntil > askedAt).map(({ purpose }) => purpose);

      return keepers.length === 0 ? before : { kind: 'kept', exceptions: keepers, ended };
    }
    case 'kept':
      return keptNow(row, before, ports);
  }
}

const keepersOf = async (row: RecordingRow, lock: Lock | undefined, { catalogue, clock }: NowPorts) =>
  keepersAt({ holds: await catalogue.legalHolds.of(row.id), lock }, clock.now());

/** The lock that the last attempt has met. Where the archive does not say, it is one that was noted. */
async function lockMet(row: RecordingRow, { catalogue, lockInArchive }: NowPorts): Promise<Lock | undefined> {
  const steps = await catalogue.auditTrail.of(row.id);
  const failure = steps.findLast(({ event }) => event === erasureFailed || event === requestFailed);
  if (failure?.detail['code'] !== 'archive_locked') return undefined;

  return lockInArchive(row, timeLimit(lockLimitMs)).catch(() => lockNoted(steps));
}

/** Holds are set and released, and purposes end. What nothing keeps any more is erased by the next run. */
async function keptNow(
  row: RecordingRow,
  before: Extract<SubjectOutcome, { kind: 'kept' }>,
  ports: NowPorts,
): Promise<SubjectOutcome> {
  const at = ports.clock.now();
  const ends = await ports.catalogue.recordings.purposeEnds(row.id);
  const lock = before.exceptions.find((each) => each.ground === 'lock');
  const ofPurposes = before.exceptions.filter(
    (each) => 'purpose' in each && ends.some(({ purpose, keepUntil }) => purpose === each.purpose && keepUntil > at),
  );
  const exceptions = [...(await keepersOf(row, lock, ports)), ...ofPurposes];

  return exceptions.length === 0 ? { kind: 'erase' } : { ...before, exceptions };
}

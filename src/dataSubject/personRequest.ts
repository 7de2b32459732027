import * as z from 'zod';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { holdGrounds } from '../catalogue/holdGrounds.ts';
import type { PersonRequestRow } from '../catalogue/retention/askedErasures.ts';
import type { PurposeEnd } from '../catalogue/rows.ts';
import { recordingStatuses, type RecordingStatus } from '../catalogue/statuses.ts';
import { lockModes } from '../config/objectLockModes.ts';
import { dayMs } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import type { ErasureDecision, Exception } from './decideErasure.ts';
import { subjectLanguages } from './languages.ts';

/**
 * What a person asked to have erased, and what became of it, so that it can be read again: whoever asked may have lost the answer. It has
 * neither number nor name; the ids of the recordings are those of one person, and so it is kept for a month only (GDPR art. 12(3)).
 */
export const requestKeptMs = 30 * dayMs;

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

type NowPorts = { catalogue: CataloguePart<{ recordings: 'find'; certificates: 'of'; askedErasures: 'isAsked' }> };

/**
 * What has become of it by now: of what was still to be erased, the recordings themselves say it. Throws what zod throws for a malformed row.
 */
export async function requestNow(
  { found }: PersonRequestRow,
  ports: NowPorts,
): Promise<{ told: ToldIn; result: SubjectErasure; isFinished: boolean } | undefined> {
  if (found === null) return undefined;
  const read = foundForm.parse(JSON.parse(found));
  const recordings: SubjectRecording[] = [];
  let isFinished = true;
  for (const each of read.result.recordings) {
    const outcome = await outcomeNow(each, ports);
    recordings.push({ ...each, outcome });
    const isLeft = outcome.kind === 'erase' || outcome.kind === 'failed';
    if (isLeft && (await ports.catalogue.askedErasures.isAsked(each.id))) isFinished = false;
  }

  return { told: read.told, result: { ...read.result, copyFailure: read.result.copyFailure, recordings }, isFinished };
}

async function outcomeNow({ id, outcome: before }: SubjectRecording, { catalogue }: NowPorts): Promise<SubjectOutcome> {
  if (before.kind !== 'erase' && before.kind !== 'failed') return before;
  const row = await catalogue.recordings.find(id);
  if (row !== undefined && row.status !== 'erased') return before;
  const certificate = (await catalogue.certificates.of(id)).at(-1);

  return certificate === undefined ? { kind: 'gone' } : { kind: 'erased', certificate: certificate.number };
}

import * as z from 'zod';
import { changes } from '../call/session/ports.ts';
import { unwatchedReasons } from '../call/watch/watch.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { recordingStatuses } from './statuses.ts';

export const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

/** Times are ms since 1970 UTC; those of the notice and the recorder are Asterisk's (P8). */
export const recordingRow = z
  .object({
    id: z.string().transform((id) => id as RecordingId),
    call_id: z.string().transform((id) => id as CallId),
    status: z.enum(recordingStatuses),
    notice_finished_at: z.number(),
    started_at: z.number().nullable(),
    finished_at: z.number().nullable(),
    keep_days: z.number(),
    keep_until: z.number().nullable(),
    bytes: z.number().nullable(),
    duration_ms: z.number().nullable(),
    sha256: z.string().nullable(),
    caller_talk_ms: z.number().nullable(),
    destination_talk_ms: z.number().nullable(),
    flags: json(z.array(z.string())),
    failure: z.string().nullable(),
    archive: z.string().nullable(),
    object_key: z.string().nullable(),
    object_version: z.string().nullable(),
    receipt_key: z.string().nullable(),
    receipt: z.string().nullable(),
    attempts: z.number(),
    next_attempt_at: z.number(),
    kept_from: z.number().nullable(),
    heard_at: z.number().nullable(),
    heard_boot: z.string().nullable(),
    heard_offset_ms: z.number().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    callId: row.call_id,
    status: row.status,
    noticeFinishedAt: row.notice_finished_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    keepDays: row.keep_days,
    keepUntil: row.keep_until,
    bytes: row.bytes,
    durationMs: row.duration_ms,
    sha256: row.sha256,
    talk:
      row.caller_talk_ms === null || row.destination_talk_ms === null
        ? null
        : { callerMs: row.caller_talk_ms, destinationMs: row.destination_talk_ms },
    flags: row.flags,
    failure: row.failure,
    archive: row.archive,
    objectKey: row.object_key,
    objectVersion: row.object_version,
    receiptKey: row.receipt_key,
    receipt: row.receipt,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    /** The end that keeping counts from; null before it is finished, and in recordings of an older version. */
    keptFrom: row.kept_from,
    /** Our clock when the recorder's end was heard of, and how far it was from the clock that counts since the boot. */
    heard:
      row.heard_at === null
        ? null
        : {
            at: row.heard_at,
            boot:
              row.heard_boot === null || row.heard_offset_ms === null
                ? null
                : { id: row.heard_boot, offsetMs: row.heard_offset_ms },
          },
  }));
export type RecordingRow = z.output<typeof recordingRow>;

/** What the second witness says of a sentence, and of a call: the worst of its sentences. */
export const sentenceWitnesses = ['agrees', 'disagrees', 'missing'] as const;
export type SentenceWitness = (typeof sentenceWitnesses)[number];
/** unavailable: there is none for this call. */
export const callWitnesses = [...sentenceWitnesses, 'unavailable'] as const;
export type CallWitness = (typeof callWitnesses)[number];

export const callRow = z
  .object({
    id: z.string().transform((id) => id as CallId),
    started_at: z.number(),
    ended_at: z.number().nullable(),
    policy_version: z.string(),
    asterisk_version: z.string(),
    asterisk_node: z.string(),
    line: z.string().nullable(),
    purposes: json(z.array(z.string())),
    languages: json(z.array(z.string())),
    language_reason: z.string().nullable(),
    languages_unavailable: json(z.array(z.object({ language: z.string(), reason: z.string() }))),
    consent_mode: z.enum(['announce', 'optOut', 'optIn']),
    consent_reason: z.enum(['purpose', 'callerCountry']).nullable(),
    consent_purposes: json(z.array(z.string())),
    answer: z.enum(['none', 'accepted', 'refused']),
    answer_digits: z.string().nullable(),
    answer_at: z.number().nullable(),
    phase: z.string(),
    result: z.string().nullable(),
    reason: z.string().nullable(),
    dial_status: z.string().nullable(),
    witness: z.enum(callWitnesses).nullable(),
  })
  .transform((row) => ({
    id: row.id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    policyVersion: row.policy_version,
    asterisk: { version: row.asterisk_version, node: row.asterisk_node },
    line: row.line,
    purposes: row.purposes,
    languages: row.languages,
    languageReason: row.language_reason,
    languagesUnavailable: row.languages_unavailable,
    consent: {
      /** null until the call was planned: nobody had decided what to ask. The column has its default then. */
      mode: row.language_reason === null ? null : row.consent_mode,
      reason: row.consent_reason,
      purposes: row.consent_purposes,
      answer: row.answer,
      digits: row.answer_digits,
      at: row.answer_at,
    },
    phase: row.phase,
    result: row.result,
    reason: row.reason,
    dialStatus: row.dial_status,
    /** null until it was compared. */
    witness: row.witness,
  }));
export type CallRow = z.output<typeof callRow>;

/** A call that has ended and was not yet compared with the second witness. */
export const unwitnessedCall = z
  .object({
    id: z.string().transform((id) => id as CallId),
    started_at: z.number(),
    ended_at: z.number().nullable(),
    asterisk_version: z.string(),
    caller_channel: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    asteriskVersion: row.asterisk_version,
    callerChannel: row.caller_channel,
  }));
export type UnwitnessedCall = z.output<typeof unwitnessedCall>;

/** A call that had not ended when it was last saved. */
export const openCallRow = z
  .object({
    id: z.string().transform((id) => id as CallId),
    recording_id: z
      .string()
      .transform((id) => id as RecordingId)
      .nullable(),
    state: z.string(),
  })
  .transform(({ id, recording_id, state }) => ({ id, recording: recording_id ?? undefined, state }));

/** The columns of a sentence that was played, whatever it was for. */
const spoken = z.object({
  prompt: z.string(),
  language: z.string(),
  text: z.string(),
  sha256: z.string(),
  length_ms: z.number(),
  started_at: z.number().nullable(),
  finished_at: z.number().nullable(),
});

const spokenOf = (row: z.output<typeof spoken>) => ({
  prompt: row.prompt,
  language: row.language,
  text: row.text,
  sha256: row.sha256,
  lengthMs: row.length_ms,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
});

export const noticeRow = spoken
  .extend({
    verdict: z.string(),
    witness: z.enum(sentenceWitnesses).nullable(),
    witness_began_at: z.number().nullable(),
    witness_ended_at: z.number().nullable(),
  })
  .transform((row) => ({
    ...spokenOf(row),
    verified: row.verdict === 'verified',
    verdict: row.verdict,
    /** null for a sentence that was not compared. Its times are Asterisk's too, ms since 1970 UTC. */
    witness:
      row.witness === null
        ? null
        : { status: row.witness, beganAt: row.witness_began_at, endedAt: row.witness_ended_at },
  }));
export type NoticeRow = z.output<typeof noticeRow>;

/**
 * What became of the sound of an interval in which nobody listened. witnessed: Asterisk's CEL names only parties who were told, so it was
 * kept. blanked: it is silence now. outside: it is in no recorded sound.
 */
export const judgements = ['witnessed', 'blanked', 'outside'] as const;
export type Judgement = (typeof judgements)[number];

export const unwatchedRow = z
  .object({
    id: z.number(),
    from_at: z.number(),
    to_at: z.number().nullable(),
    heard_again_at: z.number().nullable(),
    why: z.enum(unwatchedReasons),
    bridge: z.string(),
    parties: json(z.array(z.string())),
    judged: z.enum(judgements).nullable(),
  })
  .transform(({ from_at: from, to_at: to, heard_again_at: heardAgainAt, ...row }) => ({
    ...row,
    from,
    to,
    heardAgainAt,
  }));
export type UnwatchedRow = z.output<typeof unwatchedRow>;

/** A sentence that is not of the notice. */
export const saidRow = spoken.extend({ kind: z.string() }).transform((row) => ({ kind: row.kind, ...spokenOf(row) }));
export type SaidRow = z.output<typeof saidRow>;

export const changeRow = z
  .object({
    change: z.enum(changes),
    at: z.number().nullable(),
    done_at: z.number().nullable(),
    party: z.enum(['caller', 'destination']).nullable(),
  })
  .transform(({ change, at, done_at: doneAt, party }) => ({ change, at, doneAt, party }));
export type ChangeRow = z.output<typeof changeRow>;

export const auditRow = z
  .object({
    id: z.number(),
    at: z.number(),
    event: z.string(),
    from_status: z.string().nullable(),
    to_status: z.string().nullable(),
    actor: z.string(),
    detail: json(z.record(z.string(), z.unknown())),
    chain: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    at: row.at,
    event: row.event,
    from: row.from_status,
    to: row.to_status,
    actor: row.actor,
    detail: row.detail,
    /** Its link in the chain over all recordings; null in one from before there was a chain. */
    chain: row.chain,
  }));
export type AuditRow = z.output<typeof auditRow>;

/** Until when a recording is kept for one of its purposes, ms since 1970 UTC. */
export const purposeEnd = z
  .object({ purpose: z.string(), keep_until: z.number() })
  .transform((row) => ({ purpose: row.purpose, keepUntil: row.keep_until }));
export type PurposeEnd = z.output<typeof purposeEnd>;

/** What the catalogue keeps of each version of the policy, for the recordings and receipts that name it. */
export const storedPolicy = z.object({
  purposes: z.record(z.string(), z.object({ justification: z.string(), legalBasis: z.string(), keepDays: z.number() })),
});
export type StoredPolicy = z.infer<typeof storedPolicy>;

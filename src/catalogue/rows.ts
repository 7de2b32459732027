import * as z from 'zod';
import { changes } from '../call/watch/timeline.ts';
import { unwatchedReasons } from '../call/watch/watch.ts';
import { callId, columnOf, json, recordingId, row } from './sqlite/rowForm.ts';
import { recordingStatuses } from './statuses.ts';

/** Times are ms since 1970 UTC; those of the notice and the recorder are Asterisk's (P8). */
export const recordingRow = row({
  id: recordingId,
  callId,
  /** Of `controllers`; null: of the company itself. */
  controller: z.string().nullable(),
  status: z.enum(recordingStatuses),
  noticeFinishedAt: z.number(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  keepDays: z.number(),
  keepUntil: z.number().nullable(),
  bytes: z.number().nullable(),
  durationMs: z.number().nullable(),
  sha256: z.string().nullable(),
  callerTalkMs: z.number().nullable(),
  destinationTalkMs: z.number().nullable(),
  flags: json(z.array(z.string())),
  failure: z.string().nullable(),
  archive: z.string().nullable(),
  objectKey: z.string().nullable(),
  objectVersion: z.string().nullable(),
  receiptKey: z.string().nullable(),
  receipt: z.string().nullable(),
  attempts: z.number(),
  nextAttemptAt: z.number(),
  /** The end that keeping counts from; null before it is finished, and in recordings of an older version. */
  keptFrom: z.number().nullable(),
  heardAt: z.number().nullable(),
  heardBoot: z.string().nullable(),
  heardOffsetMs: z.number().nullable(),
}).transform(({ callerTalkMs, destinationTalkMs, heardAt, heardBoot, heardOffsetMs, ...recording }) => ({
  ...recording,
  talk:
    callerTalkMs === null || destinationTalkMs === null
      ? null
      : { callerMs: callerTalkMs, destinationMs: destinationTalkMs },
  /** Our clock when the recorder's end was heard of, and how far it was from the clock that counts since the boot. */
  heard:
    heardAt === null
      ? null
      : {
          at: heardAt,
          boot: heardBoot === null || heardOffsetMs === null ? null : { id: heardBoot, offsetMs: heardOffsetMs },
        },
}));
export type RecordingRow = z.output<typeof recordingRow>;

/** What lists show of a recording. Its receipt, the greater part of the row, is not read for them. */
const listed = {
  id: recordingId,
  callId,
  status: z.enum(recordingStatuses),
  startedAt: z.number().nullable(),
  keepUntil: z.number().nullable(),
  bytes: z.number().nullable(),
  durationMs: z.number().nullable(),
  flags: json(z.array(z.string())),
  failure: z.string().nullable(),
};
export const listedRecordingRow = row(listed);
export const listedRecordingColumns = Object.keys(listed).map(columnOf).join(', ');
export type ListedRecordingRow = z.output<typeof listedRecordingRow>;

/** What the second witness says of a sentence, and of a call: the worst of its sentences. */
export const sentenceWitnesses = ['agrees', 'disagrees', 'missing'] as const;
export type SentenceWitness = (typeof sentenceWitnesses)[number];
/** unavailable: there is none for this call. */
export const callWitnesses = [...sentenceWitnesses, 'unavailable'] as const;
export type CallWitness = (typeof callWitnesses)[number];

/** Who was told: who called (incoming), or who was called (outgoing). */
export const directions = ['incoming', 'outgoing'] as const;
export type Direction = (typeof directions)[number];

export const callRow = row({
  id: callId,
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  policyVersion: z.string(),
  asteriskVersion: z.string(),
  asteriskNode: z.string(),
  /** As the operator named that Asterisk; null: not at all. */
  pbx: z.string().nullable(),
  /** Of the serve that has, or had it; null: it is from before that was written down. */
  application: z.string().nullable(),
  line: z.string().nullable(),
  /** Of `controllers`; null: of the company itself. */
  controller: z.string().nullable(),
  direction: z.enum(directions),
  purposes: json(z.array(z.string())),
  languages: json(z.array(z.string())),
  languageReason: z.string().nullable(),
  languagesUnavailable: json(z.array(z.object({ language: z.string(), reason: z.string() }))),
  consentMode: z.enum(['announce', 'optOut', 'optIn']),
  consentReason: z.enum(['purpose', 'callerCountry']).nullable(),
  consentPurposes: json(z.array(z.string())),
  answer: z.enum(['none', 'accepted', 'refused']),
  answerDigits: z.string().nullable(),
  answerAt: z.number().nullable(),
  earlierCall: callId.nullable(),
  earlierToldAt: z.number().nullable(),
  phase: z.string(),
  result: z.string().nullable(),
  reason: z.string().nullable(),
  dialStatus: z.string().nullable(),
  /** null until it was compared. */
  witness: z.enum(callWitnesses).nullable(),
}).transform(
  ({
    asteriskVersion: version,
    asteriskNode: node,
    consentMode,
    consentReason: reason,
    consentPurposes: purposes,
    answer,
    answerDigits: digits,
    answerAt: at,
    earlierCall,
    earlierToldAt,
    ...call
  }) => ({
    ...call,
    /** The whole notice of an earlier call that counted for this one; `toldAt` is Asterisk's time of its end, ms. */
    ...(earlierCall === null ? {} : { earlier: { call: earlierCall, toldAt: earlierToldAt } }),
    asterisk: { version, node },
    consent: {
      /** null until the call was planned: nobody had decided what to ask. The column has its default then. */
      mode: call.languageReason === null ? null : consentMode,
      reason,
      purposes,
      answer,
      digits,
      at,
    },
  }),
);
export type CallRow = z.output<typeof callRow>;

/** A call that has ended and was not yet compared with the second witness. */
export const unwitnessedCall = row({
  id: callId,
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  asteriskVersion: z.string(),
  callerChannel: z.string().nullable(),
});
export type UnwitnessedCall = z.output<typeof unwitnessedCall>;

/** A call that had not ended when it was last saved. */
export const openCallRow = row(
  { id: callId, recording: recordingId.nullable(), state: z.string() },
  { recording: 'recording_id' },
);

/** A sentence that was played, whatever it was for. */
const spoken = {
  prompt: z.string(),
  language: z.string(),
  text: z.string(),
  sha256: z.string(),
  lengthMs: z.number(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
};

export const noticeRow = row({
  ...spoken,
  verdict: z.string(),
  witness: z.enum(sentenceWitnesses).nullable(),
  witnessBeganAt: z.number().nullable(),
  witnessEndedAt: z.number().nullable(),
}).transform(({ verdict, witness, witnessBeganAt: beganAt, witnessEndedAt: endedAt, ...heard }) => ({
  ...heard,
  verified: verdict === 'verified',
  verdict,
  /** null for a sentence that was not compared. Its times are Asterisk's too, ms since 1970 UTC. */
  witness: witness === null ? null : { status: witness, beganAt, endedAt },
}));
export type NoticeRow = z.output<typeof noticeRow>;

/**
 * What became of the sound of an interval in which nobody listened. witnessed: Asterisk's CEL names only parties who were told, so it was
 * kept. blanked: it is silence now. outside: it is in no recorded sound.
 */
export const judgements = ['witnessed', 'blanked', 'outside'] as const;
export type Judgement = (typeof judgements)[number];

export const unwatchedRow = row(
  {
    id: z.number(),
    from: z.number(),
    to: z.number().nullable(),
    heardAgainAt: z.number().nullable(),
    why: z.enum(unwatchedReasons),
    bridge: z.string(),
    parties: json(z.array(z.string())),
    judged: z.enum(judgements).nullable(),
  },
  { from: 'from_at', to: 'to_at' },
);
export type UnwatchedRow = z.output<typeof unwatchedRow>;

/** A sentence that is not of the notice; `newcomer`: the channel of the one who heard it alone. */
export const saidRow = row({ kind: z.string(), ...spoken, newcomer: z.string().nullable() });
export type SaidRow = z.output<typeof saidRow>;

export const changeRow = row({
  change: z.enum(changes),
  at: z.number().nullable(),
  doneAt: z.number().nullable(),
  party: z.enum(['caller', 'destination']).nullable(),
  newcomer: z.string().nullable(),
});
export type ChangeRow = z.output<typeof changeRow>;

export const auditRow = row(
  {
    id: z.number(),
    at: z.number(),
    event: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    actor: z.string(),
    detail: json(z.record(z.string(), z.unknown())),
    /** Its link in the chain over all recordings; null in one from before there was a chain. */
    chain: z.string().nullable(),
  },
  { from: 'from_status', to: 'to_status' },
);
export type AuditRow = z.output<typeof auditRow>;

/** Until when a recording is kept for one of its purposes, ms since 1970 UTC. */
export const purposeEnd = row({ purpose: z.string(), keepUntil: z.number() });
export type PurposeEnd = z.output<typeof purposeEnd>;

const localText = z.union([z.string(), z.record(z.string(), z.string())]);

/** How a policy words a purpose. */
export const wording = z.object({ justification: localText, legalBasis: localText });

/** What the catalogue keeps of each version of the policy, for the recordings and receipts that name it. */
export const storedPolicy = z.object({
  purposes: z.record(z.string(), wording.extend({ keepDays: z.number() })),
  /** Names of controllers by line: of lines that have one. */
  controllerOfLine: z.record(z.string(), z.string()).optional(),
});
export type StoredPolicy = z.infer<typeof storedPolicy>;

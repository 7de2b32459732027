import * as z from 'zod';
import { keyRewrapped, moved } from '../catalogue/retention/auditTrail.ts';
import type { Encryption } from '../store/store.ts';
import { wasTold } from '../call/decide/recordable.ts';
import { changes } from '../call/watch/timeline.ts';
import { unwatchedReasons } from '../call/watch/watch.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import {
  callWitnesses,
  directions,
  judgements,
  sentenceWitnesses,
  type AuditRow,
  type Direction,
  type NoticeRow,
  type RecordingRow,
  type ChangeRow,
  type SaidRow,
  type StoredPolicy,
} from '../catalogue/rows.ts';
import { isoTime } from '../core/clock.ts';
import { sha256Form } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import { installedVersion } from '../core/installation.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { toldChanges } from './toldChanges.ts';
import { toleranceMs } from './witness.ts';

/**
 * The proof that belongs to a call: how the caller was told, what they answered, and what was recorded then, if anything.
 * Times are Asterisk's, ISO 8601 in UTC (P8). No names and no numbers (P7). docs/receipt.schema.json is made from this;
 * a change of its form is a new number.
 */

const time = z.iso.datetime().nullable();

const spoken = z.strictObject({
  prompt: z.string(),
  language: z.string(),
  text: z.string(),
  sha256: sha256Form.describe('Of the sound file that was played, in its WAV form.'),
  lengthMs: z.int(),
  startedAt: time,
  finishedAt: time,
});

const sentence = spoken.extend({
  verified: z.boolean().describe('Heard whole: Asterisk played at least 95 % of it to somebody who was still there.'),
  verdict: z
    .string()
    .describe(
      'verified; answered: a question that was stopped because they said yes, or a sentence of a second language after that; or why it does not count.',
    ),
  witness: z
    .strictObject({ status: z.enum(sentenceWitnesses), beganAt: time, endedAt: time })
    .nullable()
    .describe('What the second witness says of this sentence; null where it was not asked.'),
});

/** Telephones are not named: a number tells one newcomer from another. */
const newcomer = z
  .int()
  .nullable()
  .describe(
    'Which of those who came in heard it alone, or was told: they are counted in the order of this. null: none.',
  );

const otherSentence = spoken.extend({
  kind: z
    .string()
    .describe(
      'What it is for: chooseLanguage offers a language; optOutAck, optInAck, noAnswer and erasedAck say what follows from the answer. A sentence of the notice, such as whole or purpose, was said to a newcomer alone.',
    ),
  newcomer,
});

const change = z.strictObject({
  change: z
    .enum(changes)
    .describe(
      'held, resumed: this party put the other on hold, and came back. joined: somebody else came in. transferred: somebody else took the place of this party. awareJoined: either, by somebody who knew of the recording: staff, by their extension, or who was told before. newcomerTold, newcomerRefused, newcomerUntold: somebody who had come in heard the notice alone, which is among otherSentences; refused, or did not agree; did not hear it. allTold: from then on nobody was there who had not been told, and the recording goes on; what it had of the time since they came is silent. recorderPaused, recorderResumed: for a hold, for a newcomer who is told, and between two talks of a caller who is followed. recordingRemoved: Asterisk has removed what was recorded. unheard, heardAgain: between these two the sound of this party may be missing, for the other and in the recording, since it went on from another RTP source at some time in between; unheard without heardAgain: until the end of the recording; without a time: nobody knows since when. pauseBegan, pauseEnded: this party asked by a code that nothing be recorded, and that it go on; without a party: a program or an operator did. What the file had from the first key on, and half a second before it, is silent. pauseExpired: the time of the pause was over. A pause without an end lasted to the end. recordAsked: on a line that records on request, this party asked for it; nothing was recorded before that time. eraseAsked: they asked that what was recorded be removed; the answer of who was told is in consent, and is no refusal by this. agreementMarked: they marked that an agreement was made, and the recording is for that purpose as well; agreementUntold: it is not, since the notice did not name it. exemplaryMarked: they marked the call as exemplary. For all of these: without a party a program or an operator did. neverRecorded: somebody came in whose number is never recorded. turnedAway: only of a call without a recording.',
    ),
  at: time,
  party: z.enum(['caller', 'destination']).nullable(),
  newcomer,
});

const unwatchedPart = z.strictObject({
  from: z.iso.datetime(),
  to: time.describe('null: not known to have ended before the recording.'),
  why: z
    .enum(unwatchedReasons)
    .describe(
      'events_late: somebody had joined, and the recorder went on for more than a second, as where Préavis was stopped for a while.',
    ),
  judged: z
    .enum(judgements)
    .nullable()
    .describe(
      "What became of the sound: witnessed, it was kept, since Asterisk's Channel Event Logging names only parties who were told; blanked, it is silence; outside, it was not recorded. null before it was judged.",
    ),
});

const encryptionPart = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('client'), keyId: z.string() }),
  z.strictObject({ mode: z.literal('server') }),
]);

const recordingPart = z.strictObject({
  id: z.string(),
  status: z.string(),
  startedAt: time,
  finishedAt: time,
  gapMs: z
    .int()
    .nullable()
    .describe(
      'From the end of the notice, the question included but not what confirms a yes, to the start of the recorder, by Asterisk; a lower bound.',
    ),
  bytes: z.int().nullable(),
  durationMs: z.int().nullable(),
  sha256: sha256Form.nullable(),
  flags: z.array(z.string()),
  keepUntil: time.describe('When its last purpose ends.'),
  encryption: encryptionPart
    .nullable()
    .describe(
      'How it is encrypted in the archive: client, by Préavis, its key wrapped with the key that is named; server, by the store itself. null where it is not, or is not there.',
    ),
});

const purposePart = z.strictObject({
  id: z.string(),
  justification: z
    .string()
    .describe('As the company words it, in the first of the decided languages where it has several.'),
  legalBasis: z.string(),
  keepDays: z.int(),
  keepUntil: time.describe('When this purpose ends, and with it every use of the recording for it.'),
});

const toldPart = z.strictObject({
  party: z.enum(['caller', 'destination']).describe('Who heard the notice, whole. destination: who was called.'),
  how: z
    .enum(['onArrival', 'onAnswer'])
    .describe(
      'onArrival: alone, before anybody was called for them. onAnswer: alone, when they had answered, while who called them waited.',
    ),
});

export const receiptSchema = z
  .strictObject({
    receipt: z.literal(6),
    preavis: z
      .string()
      .optional()
      .describe(
        'The version of Préavis that wrote this receipt: one that is made for whoever asks has the version that answers. Without it: one that did not say so yet.',
      ),
    call: z.strictObject({
      id: z.string(),
      startedAt: z.iso.datetime(),
      endedAt: time.describe(
        'When it ended in Préavis. null for a call that went on in the dialplan, unrecorded: Préavis does not see its end; and where Asterisk did not tell it.',
      ),
      line: z.string().nullable(),
      direction: z
        .enum(directions)
        .describe('incoming: somebody called, and was to be told; outgoing: somebody was called, and was to be told.'),
      result: z.string().nullable(),
      reason: z.string().nullable(),
    }),
    told: toldPart.nullable().describe('null where nobody was told, or not every sentence was heard whole.'),
    policyVersion: z.string(),
    purposes: z.array(purposePart),
    language: z.strictObject({
      decided: z.array(z.string()).describe('In which it was to be said.'),
      played: z.array(z.string()).describe('Of the sentences of the notice that were begun.'),
      reason: z.string().nullable(),
      unavailable: z
        .array(z.strictObject({ language: z.string(), reason: z.string() }))
        .describe('Languages that stronger evidence spoke for but that have no prompts.'),
    }),
    notice: z.array(sentence),
    earlierNotice: z
      .strictObject({ call: z.string(), finishedAt: time })
      .optional()
      .describe(
        'The call in which who was told heard the whole notice lately, and when it ended: that notice counts, and this call said less. Without it, this call said all.',
      ),
    otherSentences: z
      .array(otherSentence)
      .describe(
        'What else Préavis said, in the order in which it began; one without finishedAt was not heard to its end.',
      ),
    changes: z
      .array(change)
      .describe(
        'What happened while they talked, in the order in which it was kept; times are null where Asterisk told none.',
      ),
    unwatched: z
      .array(unwatchedPart)
      .describe('When Préavis did not listen while the parties were together, by the clock of Asterisk.'),
    consent: z.strictObject({
      mode: z
        .enum(['announce', 'optOut', 'optIn'])
        .nullable()
        .describe('What held for this call; null where it ended, or went on unrecorded, before that was decided.'),
      reason: z
        .enum(['purpose', 'callerCountry'])
        .nullable()
        .describe(
          'Why this mode: a purpose has it, or the country of the number of who was told asks for optIn. null before it was planned.',
        ),
      purposes: z.array(z.string()).describe('The purposes that ask for this mode, of all that the notice names.'),
      answer: z.enum(['none', 'accepted', 'refused']),
      digits: z.string().nullable(),
      at: time,
    }),
    witness: z
      .strictObject({
        source: z.literal('asterisk-cel'),
        status: z.enum(callWitnesses),
        toleranceMs: z.int(),
      })
      .nullable()
      .describe(
        "Asterisk's Channel Event Logging, which logs each sound without ARI: what it says of the notice, by its worst sentence. disagrees: another sound, or times that differ by more than the tolerance; missing: no line; unavailable: there is none for this call. null until it was compared.",
      ),
    recording: recordingPart.nullable().describe('null for a call that was not recorded.'),
    asterisk: z.strictObject({
      version: z.string(),
      node: z.string(),
      pbx: z.string().optional().describe('Its name, where the operator has several and named them.'),
    }),
  })
  .meta({ title: 'Receipt of a call, version 6' });

export type Receipt = z.infer<typeof receiptSchema>;

/** The time from the end of the notice to the start of the recorder, ms, by Asterisk's clock. */
export function gapMs(recording: Pick<RecordingRow, 'startedAt' | 'noticeFinishedAt'>): number | null {
  return recording.startedAt === null ? null : recording.startedAt - recording.noticeFinishedAt;
}

const encryptionNoted = z.object({ encryption: encryptionPart.nullable() });

/** As the audit trail has it: when it was archived, when its key was wrapped anew, or when it was moved. */
export function encryptionOf(steps: readonly AuditRow[]): Encryption {
  const step = steps.findLast(({ event, to }) => to === 'archived' || event === keyRewrapped || event === moved);
  // Those from before it was noted were not encrypted by Préavis.
  return encryptionNoted.safeParse(step?.detail).data?.encryption ?? null;
}

function recordingOf(row: RecordingRow, encryption: Encryption): Receipt['recording'] {
  return {
    id: row.id,
    status: row.status,
    startedAt: isoTime(row.startedAt),
    finishedAt: isoTime(row.finishedAt),
    gapMs: gapMs(row),
    bytes: row.bytes,
    durationMs: row.durationMs,
    sha256: row.sha256,
    flags: row.flags,
    keepUntil: isoTime(row.keepUntil),
    encryption,
  };
}

/** A sentence as receipts and commands show it. */
export function sentenceOf({ startedAt, finishedAt, witness, ...notice }: NoticeRow): Receipt['notice'][number] {
  return {
    ...notice,
    startedAt: isoTime(startedAt),
    finishedAt: isoTime(finishedAt),
    witness:
      witness === null
        ? null
        : { status: witness.status, beganAt: isoTime(witness.beganAt), endedAt: isoTime(witness.endedAt) },
  };
}

/** Whoever was called stands for the caller in what is kept of an outgoing call. */
function asCalled<Side extends 'caller' | 'destination' | null>(
  party: Side,
  direction: Direction,
): Side | 'caller' | 'destination' {
  if (party === null || direction === 'incoming') return party;

  return party === 'caller' ? 'destination' : 'caller';
}

/** The number of each channel that stands for a newcomer. */
function newcomersIn(said: readonly SaidRow[], changed: readonly ChangeRow[]): ReadonlyMap<string, number> {
  const known = [
    ...said.map(({ newcomer, startedAt }) => ({ newcomer, at: startedAt })),
    ...changed.map(({ newcomer, at }) => ({ newcomer, at })),
  ].toSorted((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity));
  const channels = new Set(known.flatMap(({ newcomer }) => newcomer ?? []));

  return new Map([...channels].map((channel, index) => [channel, index + 1]));
}

/** What was said and what changed while they talked. */
function meanwhile(
  said: readonly SaidRow[],
  changed: readonly ChangeRow[],
  direction: Direction,
): Pick<Receipt, 'otherSentences' | 'changes'> {
  const newcomers = newcomersIn(said, changed);
  const numberOf = (channel: string | null): number | null => newcomers.get(channel ?? '') ?? null;

  return {
    otherSentences: said.map(({ newcomer, startedAt, finishedAt, ...spoken }) => ({
      ...spoken,
      startedAt: isoTime(startedAt),
      finishedAt: isoTime(finishedAt),
      newcomer: numberOf(newcomer),
    })),
    changes: toldChanges(changed).map(({ change, at, party, newcomer }) => ({
      change,
      at: isoTime(at),
      party: asCalled(party, direction),
      newcomer: numberOf(newcomer),
    })),
  };
}

function toldOf(direction: Direction, notices: readonly NoticeRow[]): Receipt['told'] {
  if (!wasTold(notices.map(({ verdict }) => verdict))) return null;

  return direction === 'incoming' ? { party: 'caller', how: 'onArrival' } : { party: 'destination', how: 'onAnswer' };
}

type ReceiptSources = CataloguePart<{
  calls: 'find' | 'notices' | 'policy';
  timeline: 'said' | 'changes' | 'unwatched';
  recordings: 'purposeEnds' | 'find' | 'ofCall';
  auditTrail: 'of';
}>;

/** The policy of this version, which each call has kept. */
export async function storedPolicy(
  catalogue: CataloguePart<{ calls: 'policy' }>,
  version: string,
): Promise<StoredPolicy> {
  const policy = await catalogue.calls.policy(version);
  if (policy === undefined) throw new PreavisError('internal', 'the policy of a call is not in the catalogue');

  return policy;
}

/**
 * The receipt of a call, recorded or not. Throws call_unknown.
 *
 * @param archiving how its recording is about to be archived; default: as it was, or was not
 */
export async function receiptOfCall(catalogue: ReceiptSources, id: CallId, archiving?: Encryption): Promise<Receipt> {
  const call = await catalogue.calls.find(id);
  if (call === undefined) throw new PreavisError('call_unknown', 'there is no call with this id');
  const policy = await storedPolicy(catalogue, call.policyVersion);
  const recording = await catalogue.recordings.ofCall(id);
  const ends = recording === undefined ? [] : await catalogue.recordings.purposeEnds(recording.id);
  const encryption =
    recording === undefined || archiving !== undefined
      ? archiving
      : encryptionOf(await catalogue.auditTrail.of(recording.id));
  const [notices, said, changed, unwatched] = await Promise.all([
    catalogue.calls.notices(id),
    catalogue.timeline.said(id),
    catalogue.timeline.changes(id),
    catalogue.timeline.unwatched(id),
  ]);

  return {
    receipt: 6,
    preavis: installedVersion(),
    call: {
      id: call.id,
      startedAt: isoTime(call.startedAt),
      endedAt: isoTime(call.endedAt),
      line: call.line,
      direction: call.direction,
      result: call.result,
      reason: call.reason,
    },
    told: toldOf(call.direction, notices),
    policyVersion: call.policyVersion,
    purposes: call.purposes.map((purpose) => {
      const stored = policy.purposes[purpose];
      if (stored === undefined) throw new PreavisError('internal', 'a purpose of the call is not in its policy');
      return {
        id: purpose,
        // In the language in which the purpose was said.
        justification: inLanguage(stored.justification, call.languages[0] ?? ''),
        legalBasis: inLanguage(stored.legalBasis, call.languages[0] ?? ''),
        keepDays: stored.keepDays,
        keepUntil: isoTime(ends.find((end) => end.purpose === purpose)?.keepUntil ?? null),
      };
    }),
    language: {
      decided: call.languages,
      played: [...new Set(notices.flatMap(({ language, startedAt }) => (startedAt === null ? [] : [language])))],
      reason: call.languageReason,
      unavailable: call.languagesUnavailable,
    },
    notice: notices.map(sentenceOf),
    ...(call.earlier && { earlierNotice: { call: call.earlier.call, finishedAt: isoTime(call.earlier.toldAt) } }),
    ...meanwhile(said, changed, call.direction),
    unwatched: unwatched.map(({ from, to, why, judged }) => ({ from: isoTime(from), to: isoTime(to), why, judged })),
    consent: { ...call.consent, at: isoTime(call.consent.at) },
    witness: call.witness === null ? null : { source: 'asterisk-cel', status: call.witness, toleranceMs },
    recording: recording === undefined ? null : recordingOf(recording, encryption ?? null),
    asterisk: { ...call.asterisk, ...(call.pbx === null ? {} : { pbx: call.pbx }) },
  };
}

/** The receipt that belongs to a recording. Throws recording_unknown. */
export async function receiptOfRecording(
  catalogue: ReceiptSources,
  id: RecordingId,
  archiving?: Encryption,
): Promise<Receipt> {
  const recording = await catalogue.recordings.find(id);
  if (recording === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');

  return receiptOfCall(catalogue, recording.callId, archiving);
}

/** As it is stored beside the object. */
export function receiptText(receipt: Receipt): string {
  return `${JSON.stringify(receipt, undefined, 2)}\n`;
}

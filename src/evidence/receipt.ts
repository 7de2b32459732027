import type { Catalogue } from '../catalogue/catalogue.ts';
import {
  storedPolicy,
  type CallRow,
  type NoticeRow,
  type PurposeEnd,
  type RecordingRow,
  type StoredPolicy,
} from '../catalogue/rows.ts';
import { isoTime } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';

/**
 * The proof that belongs to a recording. Times are Asterisk's, ISO 8601 in UTC (P8). No names and no numbers (P7).
 */
export type Receipt = {
  receipt: 1;
  recording: {
    id: string;
    startedAt: string | null;
    finishedAt: string | null;
    /** From the end of the last sentence to the recorder's start, ms: a lower bound, since the recorder reports before the first sample. */
    gapMs: number | null;
    bytes: number | null;
    durationMs: number | null;
    sha256: string | null;
    flags: readonly string[];
    /** When its last purpose ends. */
    keepUntil: string | null;
  };
  call: { id: string; startedAt: string; line: string | null };
  policyVersion: string;
  purposes: readonly {
    id: string;
    justification: string;
    legalBasis: string;
    keepDays: number;
    /** When this purpose ends, and with it every use of the recording for it. */
    keepUntil: string | null;
  }[];
  consent: { mode: 'announce'; digit: null };
  language: { played: readonly string[]; reason: string | null };
  notice: readonly {
    prompt: string;
    language: string;
    text: string;
    sha256: string;
    lengthMs: number;
    startedAt: string | null;
    finishedAt: string | null;
    verified: boolean;
  }[];
  asterisk: { version: string; node: string };
};

const time = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

/** The time from the end of the notice to the start of the recorder, ms, by Asterisk's clock. */
export function gapMs(recording: Pick<RecordingRow, 'startedAt' | 'noticeFinishedAt'>): number | null {
  return recording.startedAt === null ? null : recording.startedAt - recording.noticeFinishedAt;
}

export function makeReceipt(
  recording: RecordingRow,
  call: CallRow,
  notices: readonly NoticeRow[],
  policy: StoredPolicy,
  ends: readonly PurposeEnd[],
): Receipt {
  return {
    receipt: 1,
    recording: {
      id: recording.id,
      startedAt: time(recording.startedAt),
      finishedAt: time(recording.finishedAt),
      gapMs: gapMs(recording),
      bytes: recording.bytes,
      durationMs: recording.durationMs,
      sha256: recording.sha256,
      flags: recording.flags,
      keepUntil: time(recording.keepUntil),
    },
    call: { id: call.id, startedAt: isoTime(call.startedAt), line: call.line },
    policyVersion: call.policyVersion,
    purposes: call.purposes.map((id) => {
      const purpose = policy.purposes[id];
      if (purpose === undefined) throw new PreavisError('internal', 'a purpose of the call is not in its policy');
      return { id, ...purpose, keepUntil: time(ends.find((end) => end.purpose === id)?.keepUntil ?? null) };
    }),
    consent: { mode: 'announce', digit: null },
    language: { played: call.languages, reason: call.languageReason },
    notice: notices.map((notice) => ({
      prompt: notice.prompt,
      language: notice.language,
      text: notice.text,
      sha256: notice.sha256,
      lengthMs: notice.lengthMs,
      startedAt: time(notice.startedAt),
      finishedAt: time(notice.finishedAt),
      verified: notice.verified,
    })),
    asterisk: call.asterisk,
  };
}

/** The receipt of a recording from what the catalogue holds. Throws recording_unknown. */
export async function receiptFrom(
  catalogue: Pick<Catalogue, 'recording' | 'call' | 'notices' | 'policy' | 'purposeEnds'>,
  id: RecordingId,
): Promise<Receipt> {
  const recording = await catalogue.recording(id);
  if (recording === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
  const call = await catalogue.call(recording.callId);
  const content = call === undefined ? undefined : await catalogue.policy(call.policyVersion);
  if (call === undefined || content === undefined) {
    throw new PreavisError('internal', 'the call or the policy of a recording is not in the catalogue');
  }

  return makeReceipt(
    recording,
    call,
    await catalogue.notices(call.id),
    storedPolicy.parse(JSON.parse(content)),
    await catalogue.purposeEnds(recording.id),
  );
}

/** As it is stored beside the object. */
export function receiptText(receipt: Receipt): string {
  return `${JSON.stringify(receipt, undefined, 2)}\n`;
}

import type { ClockReading } from '../../core/clock.ts';
import type { BridgeId, CallId, ChannelId, RecordingId } from '../../core/ids.ts';
import type { UnrecordedReason } from '../decide/unrecordedReasons.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { CallState } from '../decide/state.ts';
import type { Order, Party } from '../decide/order.ts';
import type { unwatchedReasons } from '../watch/watch.ts';

/** ms, by Asterisk's talk detection. */
export type TalkTimes = { callerMs: number; destinationMs: number };

/** What was measured of a recorded call until its end. */
export type Measured = {
  /** How long each party was heard while the recorder ran. */
  talk?: TalkTimes | undefined;
  /** Our clocks when the recorder's end was heard of. */
  heard?: ClockReading | undefined;
};

/** Where calls are kept; the catalogue is one. */
export type CallJournal = {
  /**
   * Writes the whole state, and at its end what was measured of it: it survives the end of this process,
   * and from `talking` on a power cut as well. Throws catalogue_unusable.
   */
  save(state: CallState, measured?: Measured): Promise<void>;
  /** Keeps what only the receipt tells; that the recorder is paused, or not, only where it is news. Throws catalogue_unusable. */
  addToTimeline(id: CallId, entry: TimelineEntry): Promise<void>;
  /** The calls that had not ended when they were last saved. */
  open(): Promise<readonly (CallState | UnreadableCall)[]>;
  /** Ends such a call, as interrupted; what was recorded of it is kept and finished. Throws catalogue_unusable. */
  endUnreadable(id: CallId): Promise<void>;
};

/** What happened in a call and decides nothing. Times are Asterisk's, ms since 1970 UTC; undefined where it told none. */
export type TimelineEntry =
  /** A sentence that is not of the notice was said, or is being said. */
  | { kind: 'said'; sentence: Sentence; startedAt: number | undefined; finishedAt: number | undefined }
  /** `doneAt`: for what we ask of the recorder, when Asterisk had done it at the latest. */
  | { kind: 'change'; change: Change; at: number | undefined; doneAt?: number; party?: Party }
  | { kind: 'unwatched'; interval: Unwatched };

/**
 * Nobody listened while these parties were in their bridge. `to` is null where the call was not as it had been when it was compared
 * again: then nothing after it is known to be clean either. `heardAgainAt`: from when on keys were heard again; null until then. Times
 * are Asterisk's, ms since 1970 UTC.
 */
export type Unwatched = {
  from: number;
  to: number | null;
  heardAgainAt: number | null;
  why: (typeof unwatchedReasons)[number];
  bridge: BridgeId;
  parties: readonly ChannelId[];
};

/**
 * held, resumed: this party put the other on hold, and came back. joined: somebody else came into the bridge. transferred:
 * somebody else took this party's place. recorderPaused, recorderResumed: for a hold. recordingRemoved: what was recorded is
 * gone, by Asterisk's word. unheard: the sound of this party comes from another RTP source since some time after, and may be lost; heardAgain:
 * until then.
 */
export const changes = [
  'held',
  'resumed',
  'joined',
  'transferred',
  'recorderPaused',
  'recorderResumed',
  'recordingRemoved',
  'unheard',
  'heardAgain',
] as const;
export type Change = (typeof changes)[number];

/** A call that had not ended, saved by another version in a form that this one does not know. */
export type UnreadableCall = { kind: 'unreadable'; id: CallId; recording: RecordingId | undefined };

/** Whether a call could be announced and recorded now. */
export type Readiness = {
  check(order: Order): Promise<'ready' | UnrecordedReason>;
};

/** The languages that callers chose in earlier calls, without their numbers. */
export type LanguagePreferences = {
  find(callerNumber: string): Promise<string | undefined>;
  remember(callerNumber: string, language: string): Promise<void>;
};

/** Keeps whose call it is, so that persons can be told what is kept of them: never the number in a form that can be read. */
export type CallerKeeper = {
  keep(call: CallId, callerNumber: string): Promise<void>;
};

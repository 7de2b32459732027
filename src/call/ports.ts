import type { CallId, RecordingId } from '../core/ids.ts';
import type { UnrecordedReason } from './events.ts';
import type { CallState, Order } from './state.ts';

/** ms, by Asterisk's talk detection. */
export type TalkTimes = { callerMs: number; destinationMs: number };

/** Where calls are kept; the catalogue is one. */
export type CallJournal = {
  /**
   * Writes the whole state, and how long each party was heard while the recorder ran: it survives the end of this process,
   * and from `talking` on a power cut as well. Throws catalogue_unusable.
   */
  save(state: CallState, talk?: TalkTimes): Promise<void>;
  /** The calls that had not ended when they were last saved. */
  open(): Promise<readonly (CallState | UnreadableCall)[]>;
  /** Ends such a call, as interrupted; what was recorded of it is kept and finished. Throws catalogue_unusable. */
  endUnreadable(id: CallId): Promise<void>;
};

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

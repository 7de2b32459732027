import type { ClockReading } from '../../core/clock.ts';
import type { CallId, HappeningId, RecordingId } from '../../core/ids.ts';
import type { CallState } from '../decide/state.ts';
import type { TimelineEntry } from '../watch/timeline.ts';

/** ms, by Asterisk's talk detection; where the dialplan dials, by the packets of sound that came. */
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
  /** This state is saved soon: the steps before it may take long. */
  expect?(state: CallState): void;
  /**
   * Keeps what only the receipt tells; that the recorder is paused, or not, only where it is news. Throws catalogue_unusable; then nobody knows whether
   * it was kept, and who tells it again gives the same `happening`, with which it is kept once.
   */
  addToTimeline(id: CallId, entry: TimelineEntry, happening?: HappeningId): Promise<void>;
  /** The calls that had not ended when they were last saved. */
  open(): Promise<readonly (CallState | UnreadableCall)[]>;
  /** The same, of those that another serve of this Asterisk has: what belongs to them is in nobody else's hands. */
  openOfOthers(): Promise<readonly (CallState | UnreadableCall)[]>;
  /** Ends such a call, as interrupted; what was recorded of it is kept and finished. Throws catalogue_unusable. */
  endUnreadable(id: CallId): Promise<void>;
};

/** A call that had not ended, saved by another version in a form that this one does not know. */
export type UnreadableCall = { kind: 'unreadable'; id: CallId; recording: RecordingId | undefined };

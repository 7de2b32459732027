/** Conditions that several queries share; @at is the time in question, ms since 1970 UTC. */

/** There is audio of it, finished. */
export const isKept = `status IN ('recorded', 'archived', 'failed')`;

/** By the index of ends: SQLite would take that of statuses, and look at everything that is archived. */
export const recordingsByEnd = 'recordings INDEXED BY recordings_by_end';

/** The last of its purposes has ended. */
export const isOver = `${isKept} AND keep_until <= @at AND NOT EXISTS (
  SELECT 1 FROM recording_purposes AS ends WHERE ends.recording_id = recordings.id AND ends.keep_until > @at)`;

/** A hold that keeps what it was set for. */
export const isActiveHold = `released_at IS NULL AND expires_at > @at`;

/** Its clocks do not agree, and nobody has settled when it ended. */
export const isDoubtful = `EXISTS (SELECT 1 FROM clock_doubts
  WHERE clock_doubts.recording_id = recordings.id AND settled_at IS NULL)`;

/** Somebody has decided to erase it, and it is not erased yet. */
export const isAsked = `EXISTS (SELECT 1 FROM asked_erasures WHERE asked_erasures.recording_id = recordings.id)`;

/** In the audit trail: the end of a purpose was put forward. */
export const keptShorter = 'kept shorter';

/** A hold keeps the recording. */
export const isHeld = `EXISTS (SELECT 1 FROM holds WHERE holds.recording_id = recordings.id AND ${isActiveHold})`;

/** Nothing keeps it from being erased once it is over. What clocks say of its end is nothing to whoever has decided to erase it. */
export const isFree = `NOT ${isHeld} AND (NOT ${isDoubtful} OR ${isAsked})`;

/** Only forward: recording -> recorded -> archived -> erased, with side exits (P5). */
export const recordingStatuses = [
  'recording',
  'recorded',
  'archived',
  'erased',
  'failed',
  'lost',
  'discarded',
] as const;
export type RecordingStatus = (typeof recordingStatuses)[number];

/** What a status may become. */
export const forward: Readonly<Record<RecordingStatus, readonly RecordingStatus[]>> = {
  // To `erased` only where a certificate says so that an older state of the catalogue does not know.
  recording: ['recorded', 'failed', 'lost', 'discarded', 'erased'],
  recorded: ['archived', 'erased'],
  archived: ['erased'],
  erased: [],
  failed: ['erased'],
  // Found again: a mount came back, a setting was corrected.
  lost: ['recorded', 'failed', 'erased'],
  discarded: [],
};

/**
 * Only forward: recording -> recorded -> archived -> erased, with side exits (P5). A step may be left out where the archive or a
 * certificate shows that it was taken. `lost` stands before `recorded`: what is found again goes on from there. No status is come back to.
 */
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
  // To `archived` and `erased` only where the archive or a certificate shows what an older state of the catalogue does not know.
  recording: ['recorded', 'failed', 'lost', 'discarded', 'archived', 'erased'],
  recorded: ['archived', 'erased'],
  archived: ['erased'],
  erased: [],
  failed: ['erased'],
  // Found again: a mount came back, a setting was corrected, it lies in the archive.
  lost: ['recorded', 'failed', 'discarded', 'archived', 'erased'],
  discarded: [],
};

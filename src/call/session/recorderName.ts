/** The name under which Asterisk knows the recorder, and the recording's file name without `.wav`. */
export function recorderName(recordingId: string): string {
  return `preavis-${recordingId}`;
}

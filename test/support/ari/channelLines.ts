/** Of `core show channels concise`, the lines of calls: the dead-man channel goes a little after the last one. */
export const linesOfCalls = (shown: string): string[] =>
  shown.split('\n').filter((line) => line !== '' && !line.startsWith('Local/s@preavis-deadman-'));

/**
 * Bridge() takes a channel out of its dialplan, and leaves the shell of it behind as a surrogate. Asterisk (22.10) now and then goes on showing one
 * that has ended: it is in no application, and nobody is in it.
 */
const endedSurrogate = /^Surrogate\/.*!Down!\(None\)!/;

/** Of `core show channels concise`, the lines of calls: the dead-man channel goes a little after the last one. */
export const linesOfCalls = (shown: string): string[] =>
  shown
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Local/s@preavis-deadman-') && !endedSurrogate.test(line));

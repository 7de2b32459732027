import { makeLog, type Logger, type LogOptions } from '../../src/core/log.ts';

export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** A log whose lines a test can read. */
export function collectingLog(
  level = 'debug',
  options: LogOptions = {},
): { log: Logger; lines: LogLine[]; text: () => string } {
  const written: string[] = [];
  const lines: LogLine[] = [];
  const destination = {
    write: (line: string) => {
      written.push(line);
      lines.push(JSON.parse(line) as LogLine);
    },
  };
  const log = makeLog(level, destination, options);

  return { log, lines, text: () => written.join('') };
}

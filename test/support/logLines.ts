import { makeLog, type Logger } from '../../src/core/log.ts';

export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** A log whose lines a test can read. */
export function collectingLog(level = 'debug'): { log: Logger; lines: LogLine[]; text: () => string } {
  const written: string[] = [];
  const lines: LogLine[] = [];
  const log = makeLog(level, {
    write: (line) => {
      written.push(line);
      lines.push(JSON.parse(line) as LogLine);
    },
  });

  return { log, lines, text: () => written.join('') };
}

import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

/**
 * Personal data may stand in a log line only under these keys, and is replaced there. Messages are static texts: what
 * comes from a caller is never part of one (P7).
 */
const personalKeys = ['callerNumber', 'callerName', 'dialString', 'header'];

/**
 * JSON lines on standard output. Not written by the thread of the calls: they wait for nobody who reads slowly. An ordinary end
 * writes out what is left (pino's own hook); a kill may take the last lines.
 */
export function makeLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: personalKeys.flatMap((key) => [key, `*.${key}`]),
      censor: '[personal]',
    },
  };

  return destination === undefined ? pino(options) : pino(options, destination);
}

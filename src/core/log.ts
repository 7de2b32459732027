import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { PreavisError } from './errors.ts';

/** What is asked of a log. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'> & { child(about: object): Logger };

/**
 * Personal data may stand in a log line only under these keys, and is replaced there. Messages are static texts: what
 * comes from a caller is never part of one (P7).
 */
const personalKeys = ['callerNumber', 'callerName', 'dialString', 'header'];

/** Of what is expected, code and message say all; only a fault of our own needs where in the code it was. */
function withoutStack(error: unknown): unknown {
  if (!(error instanceof PreavisError) || error.code === 'internal') return stdSerializers.err(error as Error);
  const { code, message } = error;

  return { code, message };
}

export type LogOptions = {
  /** `internal`: only of faults in Préavis itself. Default: of every error. */
  stacks?: 'internal';
  /** The name of the PBX, for each line. */
  pbx?: string | undefined;
  /** That of one of two workers, for each line. */
  worker?: string | undefined;
};

/**
 * JSON lines on standard output. Not written by the thread of the calls: they wait for nobody who reads slowly. An ordinary end
 * writes out what is left (pino's own hook); a kill may take the last lines.
 */
export function makeLog(
  level: string,
  destination?: DestinationStream,
  { stacks, pbx, worker }: LogOptions = {},
): Logger {
  const about = { ...(pbx === undefined ? {} : { pbx }), ...(worker === undefined ? {} : { worker }) };
  const options = {
    level,
    base: Object.keys(about).length === 0 ? null : about,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    ...(stacks === 'internal' ? { serializers: { err: withoutStack } } : {}),
    redact: {
      paths: personalKeys.flatMap((key) => [key, `*.${key}`]),
      censor: '[personal]',
    },
  };

  return destination === undefined ? pino(options) : pino(options, destination);
}

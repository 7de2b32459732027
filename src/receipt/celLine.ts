import csv from 'papaparse';
import * as z from 'zod';
import { jsonIn } from '../core/text/json.ts';

/**
 * One line of the CSV file that Asterisk's cel_custom writes by the mapping of config/asterisk/cel_custom.conf: event, time,
 * channel and extra. Whatever else stands in the file is no line of ours.
 */
export type CelLine =
  /** A sound begins; undefined for music on hold, which has no file. Asterisk gives the language that was asked for. */
  | { event: 'begin'; at: number; channel: string; sound: string | undefined; language: string | undefined }
  /** What plays on that channel ends. */
  | { event: 'end'; at: number; channel: string }
  | BridgeLine;

/** A channel comes into a bridge, or leaves it. */
export type BridgeLine = { event: 'enter' | 'leave'; at: number; channel: string; bridge: string };

const fields = z.tuple([
  z.enum(['STREAM_BEGIN', 'STREAM_END', 'BRIDGE_ENTER', 'BRIDGE_EXIT']),
  // Seconds and microseconds since 1970 UTC, as long as cel.conf has no dateformat.
  z.string().regex(/^\d{9,11}\.\d{6}$/),
  z.string().min(1),
  z.string(),
]);
const bridgeExtra = z.object({ bridge_id: z.string().min(1) });
const extra = z.object({ sound: z.string().optional(), language: z.string().optional() });

/** The fields of one line of CSV; undefined where its quotes do not fit. */
function recordOf(text: string): unknown {
  const { data, errors } = csv.parse(text, { delimiter: ',', newline: '\n' });

  return errors.length === 0 ? data[0] : undefined;
}

/** `text` is one line without its end; undefined when it is none of ours. Times are Asterisk's, ms since 1970 UTC. */
export function parseCelLine(text: string): CelLine | undefined {
  const line = fields.safeParse(recordOf(text.replace(/\r$/, '')));
  if (!line.success) return undefined;
  const [event, time, channel, details] = line.data;
  const at = Math.floor(Number(time) * 1_000);
  if (event === 'STREAM_END') return { event: 'end', at, channel };
  if (event === 'BRIDGE_ENTER' || event === 'BRIDGE_EXIT') {
    const entered = bridgeExtra.safeParse(jsonIn(details));
    const what = event === 'BRIDGE_ENTER' ? 'enter' : 'leave';
    return entered.success ? { event: what, at, channel, bridge: entered.data.bridge_id } : undefined;
  }
  const played = extra.safeParse(jsonIn(details));

  return played.success
    ? { event: 'begin', at, channel, sound: played.data.sound, language: played.data.language }
    : undefined;
}

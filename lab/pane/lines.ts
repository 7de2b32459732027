/** One line of the pane: where it comes from, and what a person needs of it. */
import { oneLine } from '../../src/core/text/oneLine.ts';

const sources = ['lab', 'asterisk', 'preavis', 'store', 'caller', 'agent'] as const;
export type Source = (typeof sources)[number];

const width = Math.max(...sources.map((source) => source.length));

/** Each line of the text behind its source. Callers choose parts of it: no character of it obeys the terminal. */
export function prefixed(source: Source, text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${source.padEnd(width)} | ${oneLine(line.replaceAll('\t', ' '))}`)
    .join('\n');
}

/** The time of day of an ISO 8601 time in UTC. */
export const timeOfDay = (iso: string): string => iso.slice(11, 23);

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A line of `serve`'s log: time, level, message, then the rest as `key=value`. Other text stays as it is. */
export function preavisLine(text: string): string {
  const entry = parsed(text);
  if (entry === undefined) return text;
  const { level, time, msg, ...rest } = entry;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${valueText(value)}`);

  return [timeOfDay(valueText(time)), valueText(level).padEnd(5), valueText(msg), ...pairs].join(' ');
}

const request = /^\S+ \S+ +\d+ beast: \S+ \S+ - \S+ \[[^\]]*\] "(\S+ \S+) [^"]*" (\d+) .*$/;
const faultLevel = /^\S+ \S+ +(-1|0) /;

/** A line of the gateway's log: each request with its answer, and errors; undefined for what it says about itself. */
export function storeLine(text: string): string | undefined {
  const [, what, status] = request.exec(text) ?? [];
  if (what !== undefined && status !== undefined) return `${timeOfDay(text)} ${what} ${status}`;

  return faultLevel.test(text) ? text : undefined;
}

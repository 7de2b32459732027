import type { PresenceWindow } from '../archive/unwatchedSound.ts';
import type { Presence } from '../archive/unwatchedSpans.ts';
import type { UnwatchedRow } from '../catalogue/rows.ts';
import { asPreavisError } from '../core/errors.ts';
import { readCelLines } from './celFile.ts';
import type { CelLine } from './celLine.ts';

/**
 * Who was in the bridge of a call while Préavis did not listen, by Asterisk's Channel Event Logging. It counts only where it shows the
 * whole: the parties are in it, and everybody who came in left again.
 */

type Stay = { channel: string; from: number; to: number | undefined };

/** From the lines of one bridge, in the order of time; undefined where one is missing. `mayBeOpen`: also where somebody has not left. */
function staysOf(lines: readonly CelLine[], mayBeOpen: boolean): Stay[] | undefined {
  const stays: Stay[] = [];
  for (const line of lines) {
    if (line.event !== 'enter' && line.event !== 'leave') continue;
    const last = stays.findLast(({ channel }) => channel === line.channel);
    const isIn = last !== undefined && last.to === undefined;
    if ((line.event === 'enter') === isIn) return undefined;
    if (line.event === 'enter') stays.push({ channel: line.channel, from: line.at, to: undefined });
    else if (last !== undefined) last.to = line.at;
  }

  return !mayBeOpen && stays.some(({ to }) => to === undefined) ? undefined : stays;
}

/**
 * `lines` are those of the bridge, in the order of time. Where the end of the recorder was never told, Asterisk died, and nobody was seen
 * to leave: that does not make them incomplete then.
 */
export function presenceIn(
  { from, to, parties }: Pick<UnwatchedRow, 'from' | 'to' | 'parties'>,
  lines: readonly CelLine[],
  recorderEnd: 'told' | 'untold',
): Presence {
  const stays = staysOf(lines, recorderEnd === 'untold');
  if (stays === undefined) return 'incomplete';
  const isKnown = (party: string): boolean => stays.some(({ channel }) => channel === party);
  if (parties.length === 0 || !parties.every(isKnown)) return 'incomplete';
  const end = to ?? Number.POSITIVE_INFINITY;
  const isThere = ({ from: came, to: left }: Stay): boolean => came <= end && (left ?? end) >= from;

  return stays.some((stay) => !parties.includes(stay.channel) && isThere(stay)) ? 'others' : 'onlyTold';
}

/**
 * What CEL says of each of these intervals of one call, by their ids; nothing where its file cannot be read.
 */
export async function readPresence(
  celFile: string,
  intervals: readonly UnwatchedRow[],
  { recorderEnd, ...window }: PresenceWindow,
): Promise<Map<number, Presence>> {
  const bridges = [...new Set(intervals.map(({ bridge }) => bridge))];
  const lines = await readCelLines(celFile, { ids: bridges, ...window }).catch((thrown: unknown) => {
    if (asPreavisError(thrown).code !== 'witness_unusable') throw thrown;

    return new Map<string, CelLine[]>();
  });

  return new Map(intervals.map((each) => [each.id, presenceIn(each, lines.get(each.bridge) ?? [], recorderEnd)]));
}

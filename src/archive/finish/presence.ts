import type { PresenceWindow } from './unwatchedSound.ts';
import type { Presence } from './unwatchedSpans.ts';
import type { UnwatchedRow } from '../../catalogue/rows.ts';
import { asPreavisError } from '../../core/errors.ts';
import { readCelLines, type CelFound } from '../../receipt/celFile.ts';
import type { BridgeLine, CelLine } from '../../receipt/celLine.ts';
import { isOwn } from '../../call/session/orphans.ts';

/**
 * Who was in the bridge of a call while Préavis did not listen, by Asterisk's Channel Event Logging. It counts only where it shows the
 * whole: the parties are in it, and everybody who came in left again.
 */

type Stay = { channel: string; from: number; to: number | undefined };

/** From the lines of one bridge, in the order of time; undefined where one is missing. */
function staysOf(lines: readonly CelLine[]): Stay[] | undefined {
  const stays: Stay[] = [];
  for (const line of lines) {
    if (line.event !== 'enter' && line.event !== 'leave') continue;
    const last = stays.findLast(({ channel }) => channel === line.channel);
    const isIn = last !== undefined && last.to === undefined;
    if ((line.event === 'enter') === isIn) return undefined;
    if (line.event === 'enter') stays.push({ channel: line.channel, from: line.at, to: undefined });
    else if (last !== undefined) last.to = line.at;
  }

  return stays;
}

/** What else CEL shows, and what is known of the end of the recorder. */
export type Circumstances = Omit<CelFound, 'lines' | 'moves'> & Pick<PresenceWindow, 'recorderEnd' | 'header'>;

/** Of a followed call: into which bridges its caller came, and which they left. They are recorded wherever they are. */
type Moves = { bridge: string; lines: readonly BridgeLine[] };

/** The stays of the caller in other bridges than this; undefined where a line is missing. */
function staysElsewhere({ bridge, lines }: Moves): Stay[] | undefined {
  const others = [...new Set(lines.map((line) => line.bridge))].filter((each) => each !== bridge);
  const stays = others.map((each) => staysOf(lines.filter((line) => line.bridge === each)));

  return stays.includes(undefined) ? undefined : stays.flatMap((each) => each ?? []);
}

/**
 * `lines` are those of the bridge, in the order of time. Where Asterisk died, which shows in its file, nobody was seen to leave. That does not make
 * them incomplete where a later line, whoever's, shows that CEL did write until the end of the interval: a CEL that stopped looks the same.
 */
export function presenceIn(
  { from, to, parties }: Pick<UnwatchedRow, 'from' | 'to' | 'parties'>,
  lines: readonly CelLine[],
  { knownTo, aliveTo, recorderEnd, header }: Circumstances,
  moves?: Moves,
): Presence {
  const stays = staysOf(lines);
  const elsewhere = moves === undefined ? [] : staysElsewhere(moves);
  const endOfSound = to ?? recorderEnd;
  if (stays === undefined || elsewhere === undefined || knownTo < endOfSound) return 'incomplete';
  const mayBeOpen = header === 'unfinished' && aliveTo > endOfSound;
  if (!mayBeOpen && [...stays, ...elsewhere].some((stay) => stay.to === undefined)) return 'incomplete';
  const isKnown = (party: string): boolean => stays.some(({ channel }) => channel === party);
  if (parties.length === 0 || !parties.every(isKnown)) return 'incomplete';
  const end = to ?? Number.POSITIVE_INFINITY;
  const isThere = ({ from: came, to: left }: Stay): boolean => came <= end && (left ?? end) >= from;
  // With whom they were there is not asked: the call did not know that bridge.
  if (elsewhere.some(isThere)) return 'others';

  return stays.some((stay) => !parties.includes(stay.channel) && isThere(stay)) ? 'others' : 'onlyTold';
}

/**
 * What CEL says of each of these intervals of one call, by their ids; nothing where its file cannot be read.
 */
export async function readPresence(
  celFile: string,
  intervals: readonly UnwatchedRow[],
  { from, to, recorderEnd, header }: PresenceWindow,
): Promise<Map<number, Presence>> {
  const ids = [...new Set(intervals.map(({ bridge }) => bridge))];
  // A followed call has the bridges of others, and its recorder goes with its caller.
  const callerOf = ({ bridge, parties: [caller] }: UnwatchedRow): string | undefined =>
    isOwn(bridge) ? undefined : caller;
  const members = [...new Set(intervals.flatMap((each) => callerOf(each) ?? []))];
  const found = await readCelLines(celFile, { ids, members, from, to }).catch((thrown: unknown) => {
    if (asPreavisError(thrown).code !== 'witness_unusable') throw thrown;

    return {
      lines: new Map<string, CelLine[]>(),
      moves: new Map<string, BridgeLine[]>(),
      knownTo: Number.NEGATIVE_INFINITY,
      aliveTo: Number.NEGATIVE_INFINITY,
    };
  });
  const { lines, moves, knownTo, aliveTo } = found;
  const circumstances = { knownTo, aliveTo, recorderEnd, header };
  const movesIn = (interval: UnwatchedRow): Moves | undefined => {
    const caller = callerOf(interval);

    return caller === undefined ? undefined : { bridge: interval.bridge, lines: moves.get(caller) ?? [] };
  };
  const saidOf = (each: UnwatchedRow): Presence =>
    presenceIn(each, lines.get(each.bridge) ?? [], circumstances, movesIn(each));

  return new Map(intervals.map((each) => [each.id, saidOf(each)]));
}

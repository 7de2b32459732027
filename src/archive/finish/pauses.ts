import type { ChangeRow } from '../../catalogue/rows.ts';

/** By Asterisk's times, ms since 1970 UTC. */
export type Stretch = { from: number; to: number };

/**
 * When the recorder was paused: for certain, and at most. Asterisk does not tell when it pauses or goes on. It does so between the event
 * of the hold, or of its end, and the answer to our request; either may be unknown.
 */
export type Pauses = { certain: readonly Stretch[]; possible: readonly Stretch[] };

const earliestOf = ({ at }: ChangeRow): number => at ?? Number.NEGATIVE_INFINITY;
const latestOf = ({ at, doneAt }: ChangeRow): number =>
  doneAt === null ? Number.POSITIVE_INFINITY : Math.max(doneAt, at ?? doneAt);

/** In the order of `changes`. A pause that does not end lasts to the end. */
export function pausesOf(changes: readonly ChangeRow[]): Pauses {
  const certain: Stretch[] = [];
  const possible: Stretch[] = [];
  const close = (paused: ChangeRow, certainTo: number, possibleTo: number): void => {
    // None is counted twice.
    const from = Math.max(earliestOf(paused), possible.at(-1)?.to ?? Number.NEGATIVE_INFINITY);
    if (latestOf(paused) < certainTo) certain.push({ from: latestOf(paused), to: certainTo });
    if (from < possibleTo) possible.push({ from, to: possibleTo });
  };
  let open: ChangeRow | undefined;
  for (const each of changes) {
    if (each.change === 'recorderPaused') open ??= each;
    if (each.change !== 'recorderResumed' || open === undefined) continue;
    close(open, earliestOf(each), latestOf(each));
    open = undefined;
  }
  if (open !== undefined) close(open, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);

  return { certain, possible };
}

/** How much of these lies between two moments, ms. */
export function pausedMs(pauses: readonly Stretch[], from: number, to: number): number {
  return pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(pause.to, to) - Math.max(pause.from, from)), 0);
}

/** Since when somebody wanted a pause that lasted to the end, by Asterisk's time, ms; undefined where none did. */
export function openPauseAt(changes: readonly ChangeRow[]): number | undefined {
  const ends = ['pauseEnded', 'pauseExpired'];
  const last = changes.findLast(({ change }) => change === 'pauseBegan' || ends.includes(change));

  return last?.change === 'pauseBegan' ? (last.at ?? undefined) : undefined;
}

import type { ChangeRow } from '../catalogue/rows.ts';

/** When the recorder was paused, by Asterisk's times, ms since 1970 UTC. */
export type Pause = { from: number; to: number };

/** A pause that does not end lasts to the end. */
export function pausesOf(changes: readonly ChangeRow[]): Pause[] {
  const pauses: Pause[] = [];
  for (const { change, at } of changes) {
    const open = pauses.at(-1);
    if (change === 'recorderPaused' && at !== null) pauses.push({ from: at, to: Number.POSITIVE_INFINITY });
    // Where Asterisk does not tell when it went on, the pause counts as none: what follows lies later then, never earlier.
    if (change === 'recorderResumed' && open !== undefined) open.to = at ?? open.from;
  }

  return pauses;
}

/** Where the sound of this moment lies in the file, ms from its beginning: time - start - pauses. */
export function positionOf(at: number, startedAt: number, pauses: readonly Pause[]): number {
  const pausedMs = pauses.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, at) - Math.max(from, startedAt)),
    0,
  );

  return Math.max(0, at - startedAt - pausedMs);
}

import type { ChangeRow, Judgement, RecordingRow, UnwatchedRow } from '../catalogue/rows.ts';
import { pausesOf, positionOf, type Pause } from './pauses.ts';

/**
 * Which parts of a recording may hold somebody who was not told, and are to be silence: what was recorded while nobody listened, and what
 * a recorder still got after somebody joined (P1). Pure.
 */

/** Of the audio, ms from its beginning; `to` may lie beyond its end. */
export type Span = { from: number; to: number };

/** What Asterisk's CEL says of the bridge in an interval; incomplete: it does not show the whole of it. */
export type Presence = 'onlyTold' | 'others' | 'incomplete';

export type Judged = { spans: readonly Span[]; judged: readonly { id: number; judged: Judgement }[] };

/** Asterisk and the last answer on its socket are not exact to the ms; a party may have joined just before. */
const marginMs = 1_000;

/** Sound that is so far from where it is expected is no matter of keys: a clock was set, and CEL's times do not tell either. */
const unplacedMs = 60_000;

/** Without the time of its start, or where clocks were set, all of a recording counts as unwatched. */
const everything: Span = { from: 0, to: Number.POSITIVE_INFINITY };

/**
 * How far a sound may lie from where it is expected, ms: the file is shorter or longer than its recorder ran, by Asterisk's events. Keys
 * that were pressed are left out of it, and a clock may have been set in the talk; then nothing can be placed.
 */
function uncertaintyOf(startedAt: number, finishedAt: number, pauses: readonly Pause[], durationMs: number): number {
  const apartMs = Math.abs(positionOf(finishedAt, startedAt, pauses) - durationMs);
  if (finishedAt < startedAt) return Number.POSITIVE_INFINITY;

  return apartMs <= marginMs ? 0 : apartMs;
}

/**
 * @param durationMs of the sound in the file
 * @param presence by the id of each interval
 */
export function judgeUnwatched(
  { startedAt, finishedAt, durationMs }: Pick<RecordingRow, 'startedAt' | 'finishedAt'> & { durationMs: number },
  unwatched: readonly UnwatchedRow[],
  changes: readonly ChangeRow[],
  presence: ReadonlyMap<number, Presence>,
): Judged {
  const pauses = pausesOf(changes);
  const aroundMs =
    startedAt === null || finishedAt === null ? 0 : uncertaintyOf(startedAt, finishedAt, pauses, durationMs);
  const isPlaced = aroundMs < unplacedMs;
  const spanOf = (from: number, to: number): Span =>
    startedAt === null || !isPlaced || to < from
      ? everything
      : {
          from: Math.max(0, positionOf(from, startedAt, pauses) - aroundMs),
          to: positionOf(to, startedAt, pauses) + aroundMs,
        };
  const end = Number.POSITIVE_INFINITY;
  const spans: Span[] = [];
  const judged = unwatched.map(({ id, from, to }): Judged['judged'][number] => {
    const isBefore = startedAt !== null && to !== null && to < startedAt;
    const isBehind = finishedAt !== null && from - marginMs > finishedAt;
    if (isPlaced && (to === null || to >= from) && (isBefore || isBehind)) return { id, judged: 'outside' };
    if (isPlaced && presence.get(id) === 'onlyTold') return { id, judged: 'witnessed' };
    spans.push(spanOf(from - marginMs, to ?? end));
    return { id, judged: 'blanked' };
  });
  const joinedAt = changes.flatMap(({ change, at }) =>
    (change === 'joined' || change === 'transferred') &&
    at !== null &&
    (startedAt === null || !isPlaced || at >= startedAt)
      ? [at]
      : [],
  );
  if (joinedAt.length > 0) spans.push(spanOf(Math.min(...joinedAt), end));

  return { spans, judged };
}

import type { ChangeRow, Judgement, RecordingRow, UnwatchedRow } from '../catalogue/rows.ts';
import { pausesOf, positionOf } from './pauses.ts';

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

/** Without the time of its start, all of a recording counts as unwatched. */
const everything: Span = { from: 0, to: Number.POSITIVE_INFINITY };

/** `presence`: by the id of each interval. */
export function judgeUnwatched(
  { startedAt, finishedAt }: Pick<RecordingRow, 'startedAt' | 'finishedAt'>,
  unwatched: readonly UnwatchedRow[],
  changes: readonly ChangeRow[],
  presence: ReadonlyMap<number, Presence>,
): Judged {
  const pauses = pausesOf(changes);
  const spanOf = (from: number, to: number): Span =>
    startedAt === null
      ? everything
      : { from: positionOf(from, startedAt, pauses), to: positionOf(to, startedAt, pauses) };
  const end = Number.POSITIVE_INFINITY;
  const spans: Span[] = [];
  const judged = unwatched.map(({ id, from, to }): Judged['judged'][number] => {
    const isOutside =
      (startedAt !== null && to !== null && to < startedAt) || (finishedAt !== null && from - marginMs > finishedAt);
    if (isOutside) return { id, judged: 'outside' };
    if (presence.get(id) === 'onlyTold') return { id, judged: 'witnessed' };
    spans.push(spanOf(from - marginMs, to ?? end));
    return { id, judged: 'blanked' };
  });
  const joinedAt = changes.flatMap(({ change, at }) =>
    (change === 'joined' || change === 'transferred') && at !== null && (startedAt === null || at >= startedAt)
      ? [at]
      : [],
  );
  if (joinedAt.length > 0) spans.push(spanOf(Math.min(...joinedAt), end));

  return { spans, judged };
}

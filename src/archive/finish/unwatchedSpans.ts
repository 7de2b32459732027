import type { ChangeRow, Judgement, RecordingRow, UnwatchedRow } from '../../catalogue/rows.ts';
import { pausedMs, pausesOf, type Pauses } from './pauses.ts';

/**
 * Which parts of a recording may hold somebody who was not told, and are to be silence: what was recorded while nobody listened, and what
 * a recorder still got after somebody joined (P1). So with what was recorded from the first key of a pause on. Pure.
 */

/** Of the audio, ms from its beginning; `to` may lie beyond its end. `why`: since somebody wanted a pause. */
type Span = { from: number; to: number; why?: 'pause' };

/** What Asterisk's CEL says of the bridge in an interval; incomplete: it does not show the whole of it. */
export type Presence = 'onlyTold' | 'others' | 'incomplete';

/**
 * `joinedAt`: when somebody first joined untold while it was recorded, as far as that can be told. The sound from then on is among the spans,
 * until everybody was told. `untoldMs`: how much of it the file holds at most in one piece.
 */
export type Judged = {
  spans: readonly Span[];
  judged: readonly { id: number; judged: Judgement }[];
  joinedAt: number | undefined;
  untoldMs: number | undefined;
};

export type Recorded = Pick<RecordingRow, 'startedAt' | 'finishedAt'> & {
  /** Of the sound in the file. */
  durationMs: number;
  /** When the file was last written to, ms since 1970 UTC; undefined where it was copied from another machine, and nothing tells. */
  writtenAt: number | undefined;
  /** When the call began and ended, by Asterisk's clock, as far as it is known. */
  call: { startedAt: number; endedAt: number | null } | undefined;
};

/** Asterisk and the last answer on its socket are not exact to the ms; a party may have joined just before. */
const marginMs = 1_000;
/**
 * Somebody who joins is told of by Asterisk before they are heard, and where that moment lies in the file is reckoned too early rather than too
 * late: this is for what a transfer takes in Asterisk, ms. More would cost the told what they said last.
 */
const joinedMarginMs = 300;

/**
 * Before the first key of a pause, ms: what was said just then may be the beginning of a number, and a key that is a tone in the sound is
 * recorded before Asterisk has told of it.
 */
const pauseMarginMs = 500;

/** Sound is written by whole frames, so that of what was before a gap the file may have so much more than by Asterisk's events, ms. */
const frameMs = 20;

/** Sound that is so far from where it is expected is no matter of keys: a clock was set, and CEL's times do not tell either. */
export const unplacedMs = 60_000;

/** Without the times of its start and its end, or where clocks were set, all of a recording counts as unwatched. */
const everything: Span = { from: 0, to: Number.POSITIVE_INFINITY };

/** Where the sound of a moment may lie in the file, ms from its beginning. */
type Places = {
  earliest: (at: number) => number;
  latest: (at: number) => number;
  /** By how much a clock was put back in the talk, as far as the length of the file shows it, ms. */
  setBackMs: number;
};

/** How much longer, and shorter, the file is than the recorder can have run by Asterisk's events, ms; at most one of them. */
function differenceOf(
  { startedAt, finishedAt, durationMs, writtenAt }: Recorded,
  { certain, possible }: Pauses,
): { longerMs: number; shorterMs: number } {
  // Where nobody saw it end, that was no later than its file was written to; perhaps sooner.
  const endedAt = finishedAt ?? writtenAt;
  if (startedAt === null || endedAt === undefined) return { longerMs: 0, shorterMs: 0 };
  const ranMs = endedAt - startedAt;
  if (ranMs < 0) return { longerMs: Number.POSITIVE_INFINITY, shorterMs: 0 };

  return {
    longerMs: Math.max(0, durationMs - (ranMs - pausedMs(certain, startedAt, endedAt))),
    shorterMs: finishedAt === null ? 0 : Math.max(0, ranMs - pausedMs(possible, startedAt, endedAt) - durationMs),
  };
}

/**
 * A second of sound takes a second of time at least. So a moment lies no later in the file than the time since the beginning, and no earlier than
 * its end less the time to the end, whatever was lost in between: keys that were pressed, a late first sample, a pause that nobody knows of.
 * Certain pauses narrow that.
 */
function placesIn(recorded: Recorded, pauses: Pauses): Places | 'unknown start' | 'unknown end' | 'clock set' {
  const { startedAt, finishedAt, durationMs, writtenAt } = recorded;
  const { certain, possible } = pauses;
  const { longerMs, shorterMs } = differenceOf(recorded, pauses);
  const endedAt = finishedAt ?? writtenAt;
  if (startedAt === null) return 'unknown start';
  if (endedAt === undefined) return 'unknown end';
  if (Math.max(longerMs, shorterMs) >= unplacedMs) return 'clock set';
  // A clock may have been set by so much in the talk. A file that is longer by less has more sound than time.
  const around = (apartMs: number): number => (apartMs <= marginMs ? 0 : apartMs);

  return {
    setBackMs: longerMs,
    earliest: (at) => {
      const fromBeginning = at - startedAt - pausedMs(finishedAt === null ? possible : certain, startedAt, at);
      const fromEnd = durationMs - (endedAt - at) + pausedMs(certain, at, endedAt);

      return Math.max(0, Math.min(fromBeginning, fromEnd) - around(longerMs));
    },
    latest: (at) => at - startedAt - pausedMs(certain, startedAt, at) + Math.max(longerMs, around(shorterMs)),
  };
}

/**
 * Whether an interval of a call lies beyond the call itself. It begins while the call is on, so Asterisk's clock was set when it began or
 * ended: where its sound lies is not known.
 */
function isOutsideOf(call: Recorded['call'], from: number, to: number | null): boolean {
  if (call === undefined) return false;
  const { startedAt, endedAt } = call;
  const isBefore = from < startedAt - unplacedMs || (to !== null && to < startedAt - unplacedMs);

  return isBefore || (endedAt !== null && from > endedAt + unplacedMs);
}

/**
 * What was judged before stands.
 * @param presence by the id of each interval
 */
export function judgeUnwatched(
  recorded: Recorded,
  unwatched: readonly UnwatchedRow[],
  changes: readonly ChangeRow[],
  presence: ReadonlyMap<number, Presence>,
): Judged {
  const { startedAt, finishedAt, durationMs } = recorded;
  const places = placesIn(recorded, pausesOf(changes));
  const spanOf = (from: number, to: number | null, beforeMs = marginMs): Span => {
    if (typeof places === 'string' || isOutsideOf(recorded.call, from, to)) return everything;
    const begin = places.earliest(from - beforeMs);
    if (to === null) return { from: begin, to: Number.POSITIVE_INFINITY };
    // A clock was put back in it. Where the file is not longer by as much, it was set again since, so nobody knows by how much.
    if (to < from - Math.max(marginMs, places.setBackMs)) return everything;

    return { from: begin, to: places.latest(to) };
  };
  const judge = ({ id, from, to }: UnwatchedRow): Judgement => {
    if (places === 'clock set' || isOutsideOf(recorded.call, from, to)) return 'blanked';
    const isBefore = startedAt !== null && to !== null && to < startedAt;
    const isBehind = typeof places !== 'string' && finishedAt !== null && places.earliest(from - marginMs) > durationMs;
    if ((to === null || to >= from) && (isBefore || isBehind)) return 'outside';

    return presence.get(id) === 'onlyTold' ? 'witnessed' : 'blanked';
  };
  const judged = unwatched.map((row) => ({ row, judged: row.judged ?? judge(row) }));
  const spans = judged.flatMap(({ row: { from, to }, judged: each }) => (each === 'blanked' ? [spanOf(from, to)] : []));
  const isRecorded = (at: number): boolean =>
    startedAt === null || places === 'clock set' || at >= startedAt - marginMs;
  // Both by Asterisk's clock: who comes after the recorder has ended, or while it pauses for certain, is not in the file.
  const pauses = pausesOf(changes).certain;
  const isInFile = ({ from, to }: Untold): boolean => {
    if (typeof places === 'string' || places.setBackMs > marginMs) return true;
    const isPaused = pauses.some((pause) => from >= pause.from && to !== null && to <= pause.to);

    return !isPaused && (finishedAt === null || from <= finishedAt);
  };
  const untold = untoldStretches(changes, isRecorded).filter(isInFile);
  const withFrame = ({ from, to }: Span): Span => ({ from, to: to + frameMs });
  const heard = untold
    .map(({ from, to }) => withFrame(spanOf(from, to, joinedMarginMs)))
    .filter(({ from }) => from < durationMs);
  const paused = pausedStretches(changes)
    .map(({ from, to }) => spanOf(from, to, pauseMarginMs))
    // One from before the recording may be over by then.
    .filter(({ from, to }) => from < durationMs && to > 0)
    .map((span): Span => ({ ...withFrame(span), why: 'pause' }));
  const longest = Math.max(...heard.map(({ from, to }) => Math.min(to, durationMs) - from));
  // After its end there is nothing to make silent.
  const inFile = [...spans.filter(({ from }) => from < durationMs), ...heard, ...paused];

  return {
    untoldMs: heard.length === 0 ? undefined : longest,
    joinedAt: untold[0]?.from,
    spans: inFile,
    judged: judged.map(({ row: { id }, judged: each }) => ({ id, judged: each })),
  };
}

/** From when to when somebody was there who was not told; null: to the end. */
type Untold = { from: number; to: number | null };

/** From the first key of each pause until both were told that it is over. */
function pausedStretches(changes: readonly ChangeRow[]): Untold[] {
  const stretches: Untold[] = [];
  let open: number | undefined;
  for (const { change, at } of changes) {
    if (change === 'pauseBegan') open ??= at ?? Number.NEGATIVE_INFINITY;
    if ((change !== 'pauseEnded' && change !== 'pauseExpired') || open === undefined || at === null) continue;
    stretches.push({ from: open, to: at });
    open = undefined;
  }

  return open === undefined ? stretches : [...stretches, { from: open, to: null }];
}

/** The stretches, where those who joined then are recorded. */
function untoldStretches(changes: readonly ChangeRow[], isRecorded: (at: number) => boolean): Untold[] {
  const stretches: Untold[] = [];
  let open: number | undefined;
  for (const { change, at } of changes) {
    if (at === null) continue;
    if ((change === 'joined' || change === 'transferred') && isRecorded(at)) open = Math.min(open ?? at, at);
    if (change !== 'allTold' || open === undefined) continue;
    stretches.push({ from: open, to: at });
    open = undefined;
  }

  return open === undefined ? stretches : [...stretches, { from: open, to: null }];
}

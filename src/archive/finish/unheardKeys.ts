import type { CallRow, UnwatchedRow } from '../../catalogue/rows.ts';
import { unplacedMs } from './unwatchedSpans.ts';

/** Whose key had no effect hears no answer, and presses it again within this time, ms. */
const pressedAgainMs = 30_000;

/**
 * Whether a key that refuses may have been missed while nobody listened; nothing shows it afterwards. perhapsRefused: the call ended
 * meanwhile or soon after, so the caller had no time to press it again. unheard: they talked on, and did not.
 */
export type UnheardKeys = 'none' | 'unheard' | 'perhapsRefused';

/**
 * @param recorderEndedAt when the recorder ended, where that was heard of
 * @param unwatched the intervals of this call in which nobody listened; times are Asterisk's, ms since 1970 UTC
 */
export function judgeKeys(
  call: Pick<CallRow, 'consent' | 'startedAt' | 'endedAt'> | undefined,
  recorderEndedAt: number | null,
  unwatched: readonly Pick<UnwatchedRow, 'from' | 'heardAgainAt'>[],
): UnheardKeys {
  if (call === undefined || call.consent.mode === 'announce') return 'none';
  // Where nobody saw the end of the call, all was heard until that of the recorder, unless nobody listened again since.
  const heardTo = unwatched.every(({ from }) => recorderEndedAt !== null && from < recorderEndedAt)
    ? recorderEndedAt
    : null;
  const endedAt = call.endedAt ?? heardTo;
  // Where Asterisk's clock was put back meanwhile, it begins behind its own end; where it was so then, before the call; where that was done
  // later, it begins long after the end of the call in which it was.
  const isPutBack = ({ from, heardAgainAt }: (typeof unwatched)[number], byMs: number): boolean =>
    (heardAgainAt !== null && (heardAgainAt < from - byMs || heardAgainAt < call.startedAt - unplacedMs)) ||
    (endedAt !== null && from > endedAt + unplacedMs);
  const inTheCall = unwatched.filter((each) => endedAt === null || each.from < endedAt || isPutBack(each, 0));
  if (inTheCall.length === 0) return 'none';
  // By a little: its end and that of the call are of the same clock. By more: its times tell nothing.
  const isSoon = (each: (typeof unwatched)[number]): boolean =>
    endedAt === null ||
    each.heardAgainAt === null ||
    isPutBack(each, unplacedMs) ||
    endedAt - each.heardAgainAt <= pressedAgainMs;

  return inTheCall.some(isSoon) ? 'perhapsRefused' : 'unheard';
}

import type { CallRow, UnwatchedRow } from '../catalogue/rows.ts';

/** Whose key had no effect hears no answer, and presses it again within this time, ms. */
const pressedAgainMs = 30_000;

/**
 * Whether a key that refuses may have been missed while nobody listened; nothing shows it afterwards. perhapsRefused: the call ended
 * meanwhile or soon after, so the caller had no time to press it again. unheard: they talked on, and did not.
 */
export type UnheardKeys = 'none' | 'unheard' | 'perhapsRefused';

/** @param unwatched the intervals of this call in which nobody listened; times are Asterisk's, ms since 1970 UTC */
export function judgeKeys(
  call: Pick<CallRow, 'consent' | 'endedAt'> | undefined,
  unwatched: readonly Pick<UnwatchedRow, 'from' | 'heardAgainAt'>[],
): UnheardKeys {
  if (call === undefined || call.consent.mode === 'announce') return 'none';
  const { endedAt } = call;
  const inTheCall = unwatched.filter(({ from }) => endedAt === null || from < endedAt);
  if (inTheCall.length === 0) return 'none';
  // Where nobody saw the end, it was in one of them.
  const isSoon = ({ heardAgainAt }: (typeof unwatched)[number]): boolean =>
    endedAt === null || heardAgainAt === null || endedAt - heardAgainAt <= pressedAgainMs;

  return inTheCall.some(isSoon) ? 'perhapsRefused' : 'unheard';
}

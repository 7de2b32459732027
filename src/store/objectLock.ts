import type { LockMode, PurposeLock } from '../config/objectLockModes.ts';
import type { PurposeEnd } from '../catalogue/rows.ts';

/** Which Object Lock a recording gets, and whether an object has it. */
export type Lock = {
  mode: LockMode;
  /** ms since 1970 UTC, a whole second: no finer time survives every store. */
  until: number;
};

/** What keeps an object version from being deleted. */
export type Protection = {
  lock: Lock | undefined;
  /** Of an encrypted object whose wrapped key is locked otherwise: the stricter mode and the later end, since both must go. */
  longest: Lock | undefined;
  legalHold: 'on' | 'off' | 'unknown';
};

/**
 * The lock of a recording: the strictest mode that its purposes ask for, until the last of those that ask for it ends, never
 * beyond. A purpose that is over asks for nothing. A version has one lock only: where a purpose of a lesser mode ends later,
 * its recordings are unlocked from the end of the stricter one on.
 */
export function lockFor(
  ends: readonly PurposeEnd[],
  locks: ReadonlyMap<string, PurposeLock>,
  at: number,
): Lock | undefined {
  const asked = ends.flatMap(({ purpose, keepUntil }): Lock[] => {
    const mode = locks.get(purpose) ?? 'none';
    const until = wholeSecond(keepUntil);

    return mode === 'none' || until <= at ? [] : [{ mode, until }];
  });

  return strictest(asked.filter(({ mode }) => mode === strictestMode(asked)));
}

/** Whether what was read back holds all that is wanted, and nothing beyond `longest`: then it could not be erased when due. */
export function isLockedAs(found: Lock | undefined, wanted: Lock, longest: number): boolean {
  if (found === undefined) return false;
  const isStrict = found.mode === wanted.mode || found.mode === 'compliance';

  return isStrict && found.until >= wanted.until && found.until <= longest;
}

/** One that holds as much as all of them; undefined where there is none. */
export function strictest(locks: readonly (Lock | undefined)[]): Lock | undefined {
  const all = locks.filter((lock) => lock !== undefined);
  if (all.length === 0) return undefined;

  return { mode: strictestMode(all), until: Math.max(...all.map(({ until }) => until)) };
}

const strictestMode = (locks: readonly Lock[]): LockMode =>
  locks.some(({ mode }) => mode === 'compliance') ? 'compliance' : 'governance';

export function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

/**
 * Calls are placed again where the lab was late: what came late says nothing about Préavis. They are also placed again where the call was not
 * in the state that the test is about.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { bounds, watched, watchVariable, type Late, type Watched } from '../../../lab/machine/lateness.ts';
import type { PlacedAgain } from '../../run/delays.mjs';

/** How often a call is placed at most. */
export const mostAttempts = 8;
/**
 * Where the lab was late so often, one more late call counts if all of it held: a machine whose host takes a fifth of its time away for minutes would
 * fail every test otherwise. A claim that fails in a late call says nothing; one that holds in spite of it was made.
 */
const mostLateInVain = 2;
/** All attempts together, ms: less than the time limit of a test. */
const withinMs = 270_000;
/** The environment variable that has every call placed twice at least, so that what a call in vain leaves is found on a prompt machine, too. */
const twiceVariable = 'PREAVIS_LAB_TWICE';
/** Of a file that places dozens at once, so many are placed again at the same time: what made the lab late may have been their number. */
const oneOfFew = pLimit(8);

/**
 * Thrown by a test whose call had left its state when the test did something to it, so that nothing was tried. No assertion throws it.
 */
export class StateMissed extends Error {}

export type OnTimeOptions<T> = {
  /** What is placed, for the output: the line of the call. */
  what: string;
  /** The whole call, and all that is measured of it; `attempt` is 1 for the first. */
  act: (attempt: number) => Promise<T>;
  /** Puts aside what the late call has left, before it is placed again. */
  setAside?: () => Promise<void> | void;
};

export type OnTimePorts = {
  watch: <T>(act: () => Promise<T>) => Promise<Watched<T>>;
  /** `late`: what was late, so that calls that one delay has hit are told from several delays. */
  say: (sentence: string, late: readonly Late[]) => void;
  /** Whether the first call is in vain whatever came of it. */
  isTwice?: boolean;
};

const inWords = (late: readonly Late[]): string =>
  late
    .slice(0, 3)
    .map(({ kind, at, lateMs }) => `${kind} ${lateMs} ms at ${new Date(at).toISOString()} (bound ${bounds[kind]} ms)`)
    .join(', ') + (late.length > 3 ? `, and ${late.length - 3} more` : '');

/**
 * Gives what `act` gives, or throws what it throws, of the first call in which the lab kept its time and which reached its state. What
 * `act` found out does not matter for that, but for a third late call in which all of it held: that one counts. After the last attempt, or when there is no time for another, it throws
 * `machine too slow`, or which state was missed.
 */
export async function onTime<T>(
  { what, act, setAside }: OnTimeOptions<T>,
  { watch, say, isTwice = false }: OnTimePorts = {
    watch: watched,
    say: sayOnce,
    isTwice: process.env[twiceVariable] !== undefined,
  },
): Promise<T> {
  const began = performance.now();
  let lateCalls = 0;
  for (let attempt = 1; ; attempt += 1) {
    const place = (): Promise<Watched<T>> => watch(() => act(attempt));
    const { outcome, late } = await (attempt === 1 ? place() : oneOfFew(place));
    if (late.length > 0) lateCalls += 1;
    const missed = 'error' in outcome && outcome.error instanceof StateMissed ? outcome.error : undefined;
    const spentMs = performance.now() - began;
    const hasTime = spentMs + spentMs / attempt < withinMs;
    const isRehearsal = isTwice && attempt === 1 && hasTime;
    if (late.length === 0 && missed === undefined && !isRehearsal) {
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    }
    if ('value' in outcome && lateCalls > mostLateInVain && !isRehearsal) return outcome.value;
    const isLast = attempt === mostAttempts || !hasTime;
    if (isLast && late.length === 0) {
      const why = `what this test is about did not come to be in ${attempt} attempts at ${what}: ${missed?.message ?? ''}`;
      throw new Error(why, { cause: missed });
    }
    if (isLast) {
      throw new Error(
        `machine too slow: ${what} was placed ${attempt === 1 ? 'once' : `${attempt} times`}, and the lab was late each time: ${inWords(late)}`,
        // What the last one came to, for whoever wonders whether it was the machine.
        'error' in outcome ? { cause: outcome.error } : {},
      );
    }
    const unlate = missed?.message ?? `as ${twiceVariable} asks`;
    const why = late.length === 0 ? unlate : `the lab was late: ${inWords(late)}`;
    say(`${what} is placed again (${attempt + 1} of ${mostAttempts}), ${why}`, late);
    await setAside?.();
  }
}

/** At once, and for the end of the run. */
function sayOnce(sentence: string, late: readonly Late[]): void {
  process.stderr.write(`lab: ${sentence}\n`);
  const folder = process.env[watchVariable];
  if (folder === undefined || !existsSync(folder)) return;
  const placedAgain: PlacedAgain = { sentence, at: late.map(({ at }) => at) };
  appendFileSync(join(folder, 'again.txt'), `${JSON.stringify(placedAgain)}\n`);
}

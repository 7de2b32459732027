/** Calls whose lab was late are placed again: what came late says nothing about Préavis. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { bounds, watched, watchVariable, type Late, type Watched } from '../../lab/lateness.ts';

/** How often a call is placed at most. */
export const placings = 4;
/** All placings together, ms: less than the time limit of a test. */
const withinMs = 150_000;

export type OnTimeOptions<T> = {
  /** What is placed, for the output: the line of the call. */
  what: string;
  /** The whole call, and all that is measured of it; `placing` is 1 for the first. */
  act: (placing: number) => Promise<T>;
  /** Puts aside what the late call has left, before it is placed again. */
  setAside?: () => Promise<void> | void;
};

export type OnTimePorts = {
  watch: <T>(act: () => Promise<T>) => Promise<Watched<T>>;
  say: (sentence: string) => void;
};

const inWords = (late: readonly Late[]): string =>
  late
    .slice(0, 3)
    .map(({ kind, at, lateMs }) => `${kind} ${lateMs} ms at ${new Date(at).toISOString()} (bound ${bounds[kind]} ms)`)
    .join(', ') + (late.length > 3 ? `, and ${late.length - 3} more` : '');

/**
 * Gives what `act` gives, or throws what it throws, of the first call in which the lab kept its time. What `act` found out does not
 * matter for that. After the last placing, or when there is no time for another, it throws
 * `machine too slow`.
 */
export async function onTime<T>(
  { what, act, setAside }: OnTimeOptions<T>,
  { watch, say }: OnTimePorts = { watch: watched, say: sayOnce },
): Promise<T> {
  const began = performance.now();
  for (let placing = 1; ; placing += 1) {
    const { outcome, late } = await watch(() => act(placing));
    if (late.length === 0) {
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    }
    const spentMs = performance.now() - began;
    const hasTime = spentMs + spentMs / placing < withinMs;
    if (placing === placings || !hasTime) {
      throw new Error(
        `machine too slow: ${what} was placed ${placing} times, and the lab was late each time: ${inWords(late)}`,
        // What the last one came to, for whoever wonders whether it was the machine.
        'error' in outcome ? { cause: outcome.error } : {},
      );
    }
    say(`${what} is placed again (${placing + 1} of ${placings}), the lab was late: ${inWords(late)}`);
    await setAside?.();
  }
}

/** At once, and for the end of the run. */
function sayOnce(sentence: string): void {
  process.stderr.write(`lab: ${sentence}\n`);
  const folder = process.env[watchVariable];
  if (folder !== undefined && existsSync(folder)) appendFileSync(join(folder, 'again.txt'), `${sentence}\n`);
}

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `check` again and again until it neither throws nor gives false, and returns what it gave. After `withinMs` it
 * throws what the last try threw. A minute is no claim about time: it leaves room for machines that do many things at once.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, false>> {
  const until = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== false) return value as Exclude<T, false>;
      last = new Error(`Still false after ${withinMs} ms: ${check.toString()}`);
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) throw last;
    await sleep(everyMs);
  }
}

/**
 * As Promise.all, but never before all of them are over. For calls at the same time that may be placed again: what still ran of one attempt, such as
 * keys that are pressed until somebody is heard, would reach into the next.
 */
export async function allOver<T>(all: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(all);

  return Promise.all(all);
}

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `check` again and again until it no longer throws and does not give false or undefined, and returns what it gave.
 * After `withinMs` it throws what the last try threw.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 5000, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const until = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      last = new Error(`Still ${String(value)} after ${withinMs} ms: ${check.toString()}`);
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) throw last;
    await sleep(everyMs);
  }
}

import { setTimeout as delay } from 'node:timers/promises';

/** Repeats the assertion until it holds, and rejects with its own error when it does not within `limitMs`. */
export async function eventually(assertion: () => void | Promise<void>, limitMs = 10_000): Promise<void> {
  const limit = Date.now() + limitMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > limit) throw error;
      await delay(5);
    }
  }
}

import type { Database } from './sqlite.ts';

/**
 * A step that has the write lock from its beginning, so that nothing of what it reads changes before it writes. Called by another one, it is
 * part of that one's transaction.
 */
export function writing<Args extends unknown[], Result>(
  database: Database,
  step: (...args: Args) => Result,
): (...args: Args) => Result {
  const transaction = database.transaction(step);

  return (...args) => transaction.immediate(...args);
}

import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqlite } from '../catalogue/sqlite.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';

/** How long a step waits for another one that changes the ledger, and how long between two tries, ms. */
const waitLimitMs = 30_000;
const pauseMs = 20;

/**
 * One step at a time changes the ledger, over all processes: what is added while its old lines are removed would be lost with the
 * old file. SQLite holds the lock, in an empty file of its own beside the ledger, since Node has no locks of files: it ends with
 * its process, however that ends, and holds between two steps of one process as well.
 *
 * @throws PreavisError `ledger_unusable` when another step does not end in time; what SQLite and Node throw.
 */
export async function withLedgerLock<T>(ledger: string, step: () => Promise<T>): Promise<T> {
  const file = `${ledger}.lock`;
  makeMissing(file);
  const lock = openSqlite(file, { timeout: 0 });
  try {
    const giveUp = performance.now() + waitLimitMs;
    while (!isTaken(lock)) {
      if (performance.now() >= giveUp) {
        throw new PreavisError('ledger_unusable', `another process changes ${ledger}, and has not come to an end`, {
          hint: 'Find the process that has the file beside it open (fuser), and see why it hangs. Nothing is lost: a later pass goes on.',
        });
      }
      await sleep(pauseMs);
    }

    return await step();
  } finally {
    lock.close();
  }
}

/** One that is there is not opened: by its closing, the locks that this process has on it would end. */
function makeMissing(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function isTaken(lock: ReturnType<typeof openSqlite>): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((errnoOf(error) ?? '').startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}

import { closeSync, existsSync, openSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqlite, type Database } from '../../catalogue/sqlite/sqlite.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { giveAsThere, likeThatThere, nearestFolder } from './ledgerOwner.ts';

/** How long a step waits for another one that changes the ledger, and how long between two tries, ms. */
const waitLimitMs = 30_000;
const pauseMs = 20;

const lockOf = (ledger: string): string => `${ledger}.lock`;

/**
 * One step at a time changes the ledger, over all processes: what is added while its old lines are removed would be lost with the
 * old file. SQLite holds the lock, in an empty file of its own beside the ledger, since Node has no locks of files: it ends with
 * its process, however that ends, and holds between two steps of one process as well.
 *
 * @throws PreavisError `ledger_unusable` when another step does not end in time, and when there can be no lock.
 */
export async function withLedgerLock<T>(ledger: string, step: () => Promise<T>): Promise<T> {
  const lock = openLock(ledger);
  try {
    const giveUp = performance.now() + waitLimitMs;
    while (!isTaken(lock, ledger)) {
      if (performance.now() >= giveUp) {
        throw new PreavisError('ledger_unusable', `another process changes ${ledger}, and is not done`, {
          hint: 'Find the process that has the file beside it open (fuser), and see why it hangs. Nothing is lost: a later pass continues.',
        });
      }
      await sleep(pauseMs);
    }

    return await step();
  } finally {
    lock.close();
  }
}

/** Whether there can be a lock: one that another step has now is none the worse. Makes nothing. @throws PreavisError `ledger_unusable` */
export async function requireLedgerLock(ledger: string): Promise<void> {
  if (!existsSync(lockOf(ledger))) {
    await access(await nearestFolder(dirname(ledger)), constants.W_OK | constants.X_OK).catch((cause: unknown) => {
      throw notMade(ledger, cause);
    });

    return;
  }
  const lock = openLock(ledger);
  try {
    isTaken(lock, ledger);
  } finally {
    lock.close();
  }
}

function openLock(ledger: string): Database {
  makeMissing(ledger);
  try {
    return openSqlite(lockOf(ledger), { timeout: 0 });
  } catch (error) {
    throw notOpened(ledger, error);
  }
}

/** One that is there is not opened: by its closing, the locks that this process has on it would end. */
function makeMissing(ledger: string): void {
  try {
    const file = openSync(lockOf(ledger), 'wx', 0o600);
    try {
      giveAsThere(file, likeThatThere(ledger));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw notMade(ledger, error);
  }
}

function isTaken(lock: Database, ledger: string): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((errnoOf(error) ?? '').startsWith('SQLITE_BUSY')) return false;
    throw notOpened(ledger, error);
  }
}

function notMade(ledger: string, cause: unknown): PreavisError {
  const code = errnoOf(cause) ?? 'error';
  const options = { cause, ...(code === 'EACCES' && { hint: folderHint(ledger) }) };

  return new PreavisError('ledger_unusable', `${lockOf(ledger)} cannot be made (${code})`, options);
}

function folderHint(ledger: string): string {
  return [
    'Who changes the ledger makes files beside it. As root, give the folder to the account that Préavis runs as:',
    `chown ${accountName()} ${dirname(ledger)} ; or move the ledger into a folder of that account, and name it in evidence.ledgerFile.`,
  ].join(' ');
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? 'ACCOUNT');
  }
}

function notOpened(ledger: string, cause: unknown): PreavisError {
  const code = errnoOf(cause) ?? 'error';
  const file = lockOf(ledger);
  const like = existsSync(ledger) ? ledger : dirname(ledger);
  const hint =
    code === 'SQLITE_NOTADB'
      ? `It is empty where it is a lock. Remove it: rm ${file}`
      : `It may belong to another account, as after a command that was run as root. As root: chown --reference=${like} ${file}; chmod 600 ${file}`;

  return new PreavisError('ledger_unusable', `${file} cannot be used (${code})`, { cause, hint });
}

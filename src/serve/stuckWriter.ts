import { setTimeout as sleep } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { serveLease, type LeaseHolder, type ServeName } from '../catalogue/jobs/leases.ts';
import { isWriting } from '../catalogue/sqlite/writeLock.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { spentBy, thisProcess } from '../core/processes.ts';

/** Nobody who goes on is in one write for so long, behind the end of its lease, ms. */
const stuckMs = 1_000;

export type StuckWriterPorts = {
  catalogue: CataloguePart<{ leases: 'lapsed' }>;
  /** The application of the other worker. */
  serve: ServeName;
  /** That of SQLite. */
  file: string;
  log: Logger;
};

/**
 * Ends the other worker where it was stopped in the middle of a write into SQLite. One writes at a time there, so that nobody could take its lease, nor
 * write anything, until it goes on; and then it would end for want of its lease. Linux gives its lock back. In PostgreSQL the database ends such a
 * transaction by itself.
 */
export async function endStuckWriter(ports: StuckWriterPorts): Promise<void> {
  const before = await stuckWriter(ports);
  if (before === undefined) return;
  const spent = spentBy(before.pid);
  await sleep(stuckMs);
  const holder = await stuckWriter(ports);
  // One that has only lost Asterisk lets its lease run out as well, and may write at both times; but it goes on in between.
  if (holder?.id !== before.id || spent === undefined || spentBy(holder.pid) !== spent) return;
  const { pid } = holder;
  try {
    process.kill(pid, 'SIGKILL');
    ports.log.warn({ pid }, 'other worker stood still in a write; ended');
  } catch (thrown) {
    const error = asPreavisError(thrown);
    ports.log.error({ pid, code: error.code, err: error }, 'other worker stands still in a write; not ended');
  }
}

/** Who has let that lease run out, and is writing: only where its number is known to mean that process here. */
async function stuckWriter({ catalogue, serve, file }: StuckWriterPorts): Promise<LeaseHolder | undefined> {
  const holder = await catalogue.leases.lapsed(serveLease(serve), thisProcess());
  if (holder === undefined || holder.started === null || holder.machine !== thisProcess().machine) return undefined;

  return isWriting(file, holder.pid) ? holder : undefined;
}

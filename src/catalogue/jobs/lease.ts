import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreavisError } from '../../core/errors.ts';
import type { CataloguePart } from '../catalogue.ts';
import { leaseMs, type LeaseHolder } from './leases.ts';

const pollMs = 250;
/** For withLease: a pass that comes again by itself does not wait for that of another process, ms. */
export const noWait = 0;

/**
 * This process, for other processes: a pid says something only within its own namespace, and containers may share a host
 * name.
 */
export function leaseHolder(): LeaseHolder {
  return { host: `${hostname()} ${pidNamespace()}`, pid: process.pid };
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/**
 * Runs one pass of a job while holding its lease, so that a command and a running serve, or two serves, never run it at
 * the same time. Waits up to `waitMs` for another pass to end. Throws job_busy, naming the process that holds it.
 */
export async function withLease<T>(
  catalogue: CataloguePart<{ leases: 'take' | 'release' }>,
  job: string,
  waitMs: number,
  pass: () => Promise<T>,
): Promise<T> {
  const me = leaseHolder();
  const give = performance.now() + waitMs;
  for (;;) {
    const other = await catalogue.leases.take(job, me);
    if (other === undefined) break;
    if (performance.now() >= give) {
      throw new PreavisError('job_busy', `${job} is being run by process ${other.pid} on ${other.host}`);
    }
    await sleep(pollMs);
  }
  const renewal = setInterval(() => {
    // A renewal that fails is made good by the next one; the lease outlives three.
    catalogue.leases.take(job, me).catch(() => undefined);
  }, leaseMs / 4);
  try {
    return await pass();
  } finally {
    clearInterval(renewal);
    await catalogue.leases.release(job, me);
  }
}

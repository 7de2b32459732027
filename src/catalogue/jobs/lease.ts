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
 * The jobs that this process runs now, by the leases of each open catalogue. A lease is of a process, which may renew it: so it keeps no second
 * pass of the same process out, and the first to end would give it back under the other.
 */
const running = new WeakMap<object, Set<string>>();

function runningOf(leases: object): Set<string> {
  const known = running.get(leases) ?? new Set<string>();
  running.set(leases, known);

  return known;
}

/**
 * Runs one pass of a job while holding its lease, so that a command and a running serve, or two serves, or two who ask one
 * server, never run it at the same time. Waits up to `waitMs` for another pass to end. Throws job_busy, naming the process that holds it.
 * A pass must not ask for the same job again: it would wait for itself.
 */
export async function withLease<T>(
  catalogue: CataloguePart<{ leases: 'take' | 'release' }>,
  job: string,
  waitMs: number,
  pass: () => Promise<T>,
): Promise<T> {
  const me = leaseHolder();
  const here = runningOf(catalogue.leases);
  const give = performance.now() + waitMs;
  for (;;) {
    const other = here.has(job) ? me : await takeHere(catalogue, job, { me, here });
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
    await catalogue.leases.release(job, me).finally(() => here.delete(job));
  }
}

/** Noted before it is asked for: others of this process ask meanwhile. */
async function takeHere(
  { leases }: CataloguePart<{ leases: 'take' }>,
  job: string,
  { me, here }: { me: LeaseHolder; here: Set<string> },
): Promise<LeaseHolder | undefined> {
  here.add(job);
  let isTaken = false;
  try {
    const other = await leases.take(job, me);
    isTaken = other === undefined;

    return other;
  } finally {
    if (!isTaken) here.delete(job);
  }
}

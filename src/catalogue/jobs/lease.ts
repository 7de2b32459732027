import { setTimeout as sleep } from 'node:timers/promises';
import { PreavisError } from '../../core/errors.ts';
import { thisProcess } from '../../core/processes.ts';
import type { CataloguePart } from '../catalogue.ts';
import { leaseMs, type Taking } from './leases.ts';
import { boundTo, unboundOf } from './turns.ts';

const pollMs = 250;
/** For withLease: a pass that comes again by itself does not wait for that of another process, ms. */
export const noWait = 0;
/** For a pass that each of several PBXs makes for what lies at itself, one after the other: how long one waits for the others, ms. */
export const turnMs = 60 * 60_000;

/**
 * The jobs that this process runs now, by the leases of each open catalogue. A lease is of a process, which may renew it: so it keeps no second
 * pass of the same process out, and the first to end would give it back under the other.
 */
const running = new WeakMap<object, Set<string>>();

function runningOf(leases: object): Set<string> {
  const key = unboundOf(leases);
  const known = running.get(key) ?? new Set<string>();
  running.set(key, known);

  return known;
}

type Leases = CataloguePart<{ leases: 'take' | 'renew' | 'release' }>;

/**
 * Runs one pass of a job while holding its lease, so that a command and a running serve, or two serves, or two who ask one
 * server, never run it at the same time. Waits up to `waitMs` for another pass to end, and no longer than until `stop`. Throws job_busy, naming the process that holds it.
 * A pass must not ask for the same job again: it would wait for itself.
 *
 * The pass is given the catalogue as far as it is its turn: one that stood still until another has taken the job writes nothing more, and gets
 * lease_lost.
 */
export async function withLease<T, Part extends Leases>(
  catalogue: Part,
  job: string,
  waitMs: number,
  pass: (catalogue: Part) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const me = thisProcess();
  const here = runningOf(catalogue.leases);
  const give = performance.now() + waitMs;
  let taking = await takeHere(catalogue, job, here);
  for (; taking.kind === 'busy'; taking = await takeHere(catalogue, job, here)) {
    if (performance.now() >= give || stop?.aborted === true) {
      throw new PreavisError('job_busy', `${job} is being run by process ${taking.other.pid} on ${taking.other.host}`);
    }
    await sleep(pollMs);
  }
  const { turn } = taking;
  let renewing: Promise<unknown> = Promise.resolve();
  const renewal = setInterval(() => {
    // A renewal that fails is made good by the next one; the lease outlives three.
    renewing = catalogue.leases.renew(turn, me).catch(() => undefined);
  }, leaseMs / 4);
  try {
    return await pass(boundTo(catalogue, turn));
  } finally {
    clearInterval(renewal);
    // Behind it, it would be taken again.
    await renewing;
    await catalogue.leases.release(turn).finally(() => here.delete(job));
  }
}

/** Noted before it is asked for: others of this process ask meanwhile. */
async function takeHere({ leases }: Leases, job: string, here: Set<string>): Promise<Taking> {
  const me = thisProcess();
  if (here.has(job)) return { kind: 'busy', other: me };
  here.add(job);
  let isTaken = false;
  try {
    const taking = await leases.take(job, me);
    isTaken = taking.kind === 'taken';

    return taking;
  } finally {
    if (!isTaken) here.delete(job);
  }
}

import type Database from 'better-sqlite3';
import { z } from 'zod';
import { errnoOf } from '../core/errors.ts';

/** Who holds the right to run a job. */
export type LeaseHolder = { host: string; pid: number };

/** A lease must be renewed within this time, ms; one of a dead process on the same host is free at once. */
export const leaseMs = 60_000;

/** A process that has not renewed its lease for so long, ms, is another one with the number of one that has died, and not one that was stopped. */
const renumberedMs = 24 * 60 * 60_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** The tables `leases` and `passes`: one pass of a job at a time, over all processes that share the catalogue. */
export function makeLeases(database: Database.Database, now: () => number) {
  const select = database.prepare(`SELECT host, pid, until FROM leases WHERE job = ?`);
  const upsert = database.prepare(`INSERT OR REPLACE INTO leases (job, host, pid, until) VALUES (?, ?, ?, ?)`);
  const remove = database.prepare(`DELETE FROM leases WHERE job = ? AND host = ? AND pid = ?`);
  const selectPass = database.prepare(`SELECT at FROM passes WHERE job = ?`).pluck();
  const upsertPass = database.prepare(`INSERT OR REPLACE INTO passes (job, at) VALUES (?, ?)`);
  const row = z.object({ host: z.string(), pid: z.number(), until: z.number() }).optional();

  const lastPass = (job: string): number | undefined => z.number().optional().parse(selectPass.get(job));
  const otherHolder = (job: string, me: LeaseHolder): LeaseHolder | undefined => {
    const held = row.parse(select.get(job));
    const mine = held?.host === me.host && held.pid === me.pid;
    const dead = held?.host === me.host && !isAlive(held.pid);

    return held !== undefined && !mine && !dead && held.until > now() ? { host: held.host, pid: held.pid } : undefined;
  };
  const take = database.transaction((job: string, me: LeaseHolder): LeaseHolder | undefined => {
    const other = otherHolder(job, me);
    if (other === undefined) upsert.run(job, me.host, me.pid, now() + leaseMs);

    return other;
  });
  const takeAbandoned = database.transaction((job: string, me: LeaseHolder, awayMs: number): boolean => {
    const held = row.parse(select.get(job));
    // One that was stopped does not renew it, and goes on where it was.
    const mayGoOn = held?.host === me.host && isAlive(held.pid) && now() - held.until < renumberedMs;
    if (mayGoOn) return false;
    const lastHeld = held === undefined ? lastPass(job) : held.until - leaseMs;
    const isAbandoned = lastHeld !== undefined && now() - lastHeld >= awayMs;
    // Where nothing tells, as in a catalogue of an older version, it counts from now.
    if (held !== undefined || lastHeld === undefined) upsertPass.run(job, lastHeld ?? now());
    if (isAbandoned) upsert.run(job, me.host, me.pid, now() + leaseMs);

    return isAbandoned;
  });

  return {
    /** Takes or renews; the other holder when it cannot be had. */
    takeLease: (job: string, me: LeaseHolder): LeaseHolder | undefined => take.immediate(job, me),
    /** Who else works at it now. */
    otherHolder,
    /** Takes the lease of a job whose end is written down as its pass (`notePass`), where nobody has held it for so long, ms. */
    takeAbandonedLease: (job: string, me: LeaseHolder, awayMs: number): boolean =>
      takeAbandoned.immediate(job, me, awayMs),
    /** When the last pass of the job began, ms since 1970 UTC by this machine's clock; undefined before the first. */
    lastPass,
    notePass: (job: string, at: number): void => {
      upsertPass.run(job, at);
    },
    releaseLease: (job: string, me: LeaseHolder): void => {
      remove.run(job, me.host, me.pid);
    },
  };
}

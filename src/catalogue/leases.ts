import type Database from 'better-sqlite3';
import { z } from 'zod';
import { errnoOf } from '../core/errors.ts';

/** Who holds the right to run a job. */
export type LeaseHolder = { host: string; pid: number };

/** A lease must be renewed within this time, ms; one of a dead process on the same host is free at once. */
export const leaseMs = 60_000;

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

  const take = database.transaction((job: string, me: LeaseHolder): LeaseHolder | undefined => {
    const held = row.parse(select.get(job));
    const mine = held?.host === me.host && held.pid === me.pid;
    const dead = held?.host === me.host && !isAlive(held.pid);
    if (held !== undefined && !mine && !dead && held.until > now()) return { host: held.host, pid: held.pid };
    upsert.run(job, me.host, me.pid, now() + leaseMs);

    return undefined;
  });

  return {
    /** Takes or renews; the other holder when it cannot be had. */
    takeLease: (job: string, me: LeaseHolder): LeaseHolder | undefined => take.immediate(job, me),
    /** When the last pass of the job began, ms since 1970 UTC by this machine's clock; undefined before the first. */
    lastPass: (job: string): number | undefined => z.number().optional().parse(selectPass.get(job)),
    notePass: (job: string, at: number): void => {
      upsertPass.run(job, at);
    },
    releaseLease: (job: string, me: LeaseHolder): void => {
      remove.run(job, me.host, me.pid);
    },
  };
}

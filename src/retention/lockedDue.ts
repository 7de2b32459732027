import * as z from 'zod';
import { locksNoted } from '../archive/lockUploads.ts';
import { requestFailed, requestRefused } from '../catalogue/retention/auditTrail.ts';
import type { AuditRow } from '../catalogue/rows.ts';

/**
 * Recordings that are due, and that a lock in the archive keeps. Where Préavis has set that lock itself, or a person who asked for the
 * erasure was told of it, nothing can be done until the lock is over: that is told once. Any other lock keeps a recording for longer than
 * callers were told, and stays an alarm.
 */

const refusedByLock = z.object({ exceptions: z.array(z.object({ ground: z.string() })) });

function toldPerson({ event, detail }: AuditRow): boolean {
  if (event === requestFailed) return detail['code'] === 'archive_locked';
  if (event !== requestRefused) return false;

  return refusedByLock.safeParse(detail).data?.exceptions.some(({ ground }) => ground === 'lock') === true;
}

/**
 * Whether a lock on this recording, or on an old copy of it, is one that was to be.
 *
 * @param steps its audit trail
 * @param at ms since 1970 UTC
 */
export function isLockKnown(steps: readonly AuditRow[], at: number): boolean {
  return locksNoted(steps).some(({ until }) => until > at) || steps.some(toldPerson);
}

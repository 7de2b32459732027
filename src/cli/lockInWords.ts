import { lockNoted } from '../archive/lockUploads.ts';
import type { Lock } from '../store/objectLock.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { isoTime } from '../core/clock.ts';
import { lockInArchive, type PlacePorts } from '../retention/erasure.ts';
import { localTime } from './localTime.ts';

/** An Object Lock that keeps from erasing what is to be erased now. */

type LockPorts = PlacePorts & { at: number };

/** What the archive says now of an archived recording; where it does not answer, what the audit trail says. */
export async function lockThatKeeps(
  row: RecordingRow,
  { at, ...ports }: LockPorts,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  if (row.objectKey === null) return undefined;
  const lock = await lockInArchive(row, ports, signal).catch(async () =>
    lockNoted(await ports.catalogue.auditTrail.of(row.id)),
  );

  return lock === undefined || lock.until <= at ? undefined : lock;
}

export const lockInWords = ({ mode, until }: Lock): string =>
  `an Object Lock (${mode}) keeps it until ${localTime(until)}`;

/** For --json. */
export const shownLock = ({ mode, until }: Lock): { mode: string; until: string } => ({ mode, until: isoTime(until) });

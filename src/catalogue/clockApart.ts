import type { CataloguePart } from './catalogue.ts';
import { movedByItselfMs } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';

/**
 * Several PBXs that share a database must have one time: by a clock that is ahead, recordings would be erased early. A file has no clock of its own.
 *
 * @throws PreavisError `clock_apart`, and what the catalogue throws
 */
export async function requireOneTime({ leases }: CataloguePart<{ leases: 'clockAheadMs' }>): Promise<void> {
  const aheadMs = await leases.clockAheadMs();
  if (Math.abs(aheadMs) <= movedByItselfMs) return;
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  throw new PreavisError(
    'clock_apart',
    `the clock of this machine is ${minutes} minutes ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the database`,
  );
}

import { noWait, turnMs } from '../../catalogue/jobs/lease.ts';
import type { Logger } from '../../core/log.ts';
import { discrepancyKinds, type DiscrepancyKind } from './compare.ts';
import { reconcile, type Discrepancy, type ReconcilePorts } from './reconcile.ts';
import type { ArchiveSharing } from './sharing.ts';

/** Findings that get a line of their own in the log; the rest are counted. A wrong archive has one for each recording. */
const reportedOneByOne = 50;

export type Left = Partial<Record<DiscrepancyKind, number>>;

/**
 * What `serve` does at its start and daily: compares spool, catalogue and archive, repairs what is proved, and logs the rest as
 * errors. `left` gets how many of each kind are left to people. Throws as reconcile.
 *
 * @param sharing where other PBXs share the archive
 */
export async function reconcileJob(
  ports: ReconcilePorts,
  signal: AbortSignal,
  left: (counts: Left) => void,
  sharing?: ArchiveSharing,
): Promise<void> {
  const { log } = ports;
  const counts: Left = {};
  let repaired = 0;
  let reported = 0;
  const found = (finding: Discrepancy): void => {
    const { kind, done } = finding;
    if (done === 'repaired') repaired += 1;
    else counts[kind] = (counts[kind] ?? 0) + 1;
    reported += 1;
    if (reported <= reportedOneByOne) report(log, finding);
  };
  const compared = await reconcile(ports, {
    verify: false,
    sharing,
    waitMs: sharing === undefined ? noWait : turnMs,
    signal,
    found,
  });
  left(counts);
  const isClean = Object.keys(counts).length === 0;
  const level = isClean ? 'info' : 'error';
  const all = { ...compared, repaired, left: counts };
  if (compared.archive === undefined) {
    log[level](all, isClean ? 'spool, catalogue and archive consistent' : 'spool, catalogue and archive inconsistent');
  } else log[level](all, isClean ? 'spool and catalogue consistent' : 'spool and catalogue inconsistent');
}

/** The key of a foreign object may hold anything, so the place is not logged (P7): `recordings reconcile` shows it. */
function report(log: Logger, { kind, recording, done }: Discrepancy): void {
  const { meaning, advice } = discrepancyKinds[kind];
  const about = { recording, kind, meaning };
  if (done === 'repaired') log.warn(about, 'discrepancy repaired');
  else log.error({ ...about, hint: advice, ...(done === 'nothing' ? {} : { code: done }) }, 'discrepancy found');
}

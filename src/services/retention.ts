import { ulid } from 'ulid';
import { makeHoldsAllowed } from '../config/purposeRules.ts';
import { dayMs } from '../core/clock.ts';
import type { Config } from '../config/schema.ts';
import type { HeadLock } from '../retention/heads/keepHeads.ts';
import { makeDecisions, type Decisions } from '../retention/decisions.ts';
import type { RetentionPorts } from '../retention/pass.ts';
import type { FetchPorts } from '../archive/fetch.ts';
import type { Shared } from './shared.ts';
import { ledgerOf, makeSigner, makeTrust } from './signing.ts';

/** What erasing and fetching need. */

export function retentionPorts({ config, catalogue, store, former, clock, log, actor }: Shared): RetentionPorts {
  return {
    catalogue,
    store,
    former,
    spoolFolder: config.recording.spoolFolder,
    ledger: ledgerOf(config),
    signer: makeSigner(config, catalogue),
    trusts: makeTrust(config),
    clock,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    certificatesKeptMs: config.evidence.certificateDays * dayMs,
    callersKeptMs: config.privacy.callerDays * dayMs,
    headLock: headLockOf(config),
  };
}

/** What erases without a certificate; `actor` is who decides. */
export function decisionsOf({ config, catalogue, clock, actor }: Omit<Shared, 'store' | 'former' | 'log'>): Decisions {
  return makeDecisions({
    catalogue,
    signer: makeSigner(config, catalogue),
    newId: ulid,
    now: () => clock.now(),
    decisionsKeptMs: config.evidence.certificateDays * dayMs,
    actor,
  });
}

/**
 * As the purposes are: in the strictest mode that one of them asks for, for as long as the last of these keeps a recording of today. So
 * a head asks no more of a bucket than its recordings do.
 */
export function headLockOf({ purposes }: Pick<Config, 'purposes'>): HeadLock | undefined {
  const asked = Object.values(purposes);
  const mode = (['compliance', 'governance'] as const).find((each) => asked.some(({ lock }) => lock === each));
  if (mode === undefined) return undefined;
  const days = asked.filter(({ lock }) => lock === mode).map(({ keepDays }) => keepDays);

  return { mode, keptMs: Math.max(...days) * dayMs };
}

export function fetchPorts({ config, catalogue, store, former, clock, actor }: Omit<Shared, 'log'>): FetchPorts {
  return {
    catalogue,
    store,
    former,
    spoolFolder: config.recording.spoolFolder,
    clock,
    actor,
    holdsAllowed: makeHoldsAllowed(config),
  };
}

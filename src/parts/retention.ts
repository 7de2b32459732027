import { ulid } from 'ulid';
import { makeHoldsAllowed } from '../config/purposeRules.ts';
import { dayMs } from '../core/clock.ts';
import { makeDecisions, type Decisions } from '../retention/decisions.ts';
import type { RetentionPorts } from '../retention/enforcer.ts';
import type { FetchPorts } from '../retention/fetch.ts';
import type { Shared } from './shared.ts';
import { ledgerOf, makeSigner, makeTrust } from './signing.ts';

/** What erasing and fetching need. */

export function retentionPorts({ config, catalogue, store, clock, log, actor }: Shared): RetentionPorts {
  return {
    catalogue,
    store,
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
  };
}

/** What erases without a certificate; `actor` is who decides. */
export function decisionsOf({ config, catalogue, clock, actor }: Omit<Shared, 'store' | 'log'>): Decisions {
  return makeDecisions({
    catalogue,
    signer: makeSigner(config, catalogue),
    newId: ulid,
    now: () => clock.now(),
    decisionsKeptMs: config.evidence.certificateDays * dayMs,
    actor,
  });
}

export function fetchPorts({ config, catalogue, store, clock, actor }: Omit<Shared, 'log'>): FetchPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    clock,
    actor,
    holdsAllowed: makeHoldsAllowed(config),
  };
}

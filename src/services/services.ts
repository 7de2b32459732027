import { ulid } from 'ulid';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { makeHoldsAllowed } from '../config/purposeRules.ts';
import type { Config } from '../config/schema.ts';
import { dayMs, type Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { makeDecisions } from '../retention/decisions.ts';
import type { HeadLock } from '../retention/heads/keepHeads.ts';
import { isRemovalProved } from '../retention/reconcile/removalProof.ts';
import { serveNameOf } from './serveName.ts';
import { makeEvidence } from './signing.ts';

export type ServiceOptions = {
  config: Config;
  catalogue: Catalogue;
  clock: Clock;
  log: Logger;
  /** Who acts, for the audit trail. */
  actor: string;
};

/** What one process has beside its archives: see `addArchives` in store.ts. */
export type Services = ReturnType<typeof makeServices>;

/**
 * Makes, once, what stages and commands need. Its members have the names of their ports, so that a stage takes it as it is and sees what its
 * ports name. Nothing is opened yet: the signing key is, once, at its first use. Who opened the catalogue closes it.
 */
export function makeServices(options: ServiceOptions) {
  const { config, catalogue, clock, actor } = options;
  const { archive, evidence, privacy, purposes, recording } = config;
  const { signer, trusts, ledger, requireLedger } = makeEvidence(config, catalogue);
  const certificatesKeptMs = evidence.certificateDays * dayMs;

  return {
    ...options,
    random: Math.random,
    /** Beside others that share the catalogue; undefined: there are none. */
    pbx: serveNameOf(config).pbx,
    spool: recording.spool,
    spoolFolder: recording.spoolFolder,
    /** Recordings that are sent, erased or compared at a time. */
    atOnce: archive.uploadsAtOnce,
    /** The time limit of one of them. */
    attemptMs: archive.attemptSeconds * 1_000,
    /** Which Object Lock each purpose asks for now: a recording that waits gets that of the time when it is stored. */
    locks: new Map(Object.entries(purposes).map(([id, { lock }]) => [id, lock])),
    headLock: headLockOf(config),
    holdsAllowed: makeHoldsAllowed(config),
    ledger,
    requireLedger,
    signer,
    trusts,
    /** Whether a certificate of a trusted key says that a recording was erased. */
    isRemovalProved: (row: Pick<RecordingRow, 'id' | 'status'>) => isRemovalProved(row, catalogue, trusts),
    /** What erases without a certificate; `actor` is who decides. */
    decisions: makeDecisions({ catalogue, signer, newId: ulid, clock, decisionsKeptMs: certificatesKeptMs, actor }),
    certificatesKeptMs,
    callersKeptMs: privacy.callerDays * dayMs,
    dialledKeptMs: privacy.dialledDays * dayMs,
    tracesKeptMs: privacy.traceDays * dayMs,
    /** What an alarm was raised for, which later upload passes do not log again. */
    alreadyLogged: new Set<string>(),
  };
}

/**
 * As the purposes are: in the strictest mode that one of them asks for, for as long as the last of these keeps a recording of today. So
 * a head asks no more of a bucket than its recordings do.
 */
function headLockOf({ purposes }: Pick<Config, 'purposes'>): HeadLock | undefined {
  const asked = Object.values(purposes);
  const mode = (['compliance', 'governance'] as const).find((each) => asked.some(({ lock }) => lock === each));
  if (mode === undefined) return undefined;
  const days = asked.filter(({ lock }) => lock === mode).map(({ keepDays }) => keepDays);

  return { mode, keptMs: Math.max(...days) * dayMs };
}

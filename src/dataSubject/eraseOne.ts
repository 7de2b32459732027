import type { CataloguePart } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { NewCertificate } from '../catalogue/retention/certificates.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type ErrorCode } from '../core/errors.ts';
import type { Lock } from '../store/objectLock.ts';
import { decideErasure, type ErasureDecision, type ErasureRules } from './decideErasure.ts';

/**
 * Erases one recording before its end, since somebody who is responsible has decided so. What keeps a recording from a person's request
 * keeps it here, too; and then nothing of it changes.
 */
export type EraseOnePorts = {
  catalogue: CataloguePart<{
    calls: 'find';
    recordings: 'find' | 'purposeEnds';
    legalHolds: 'of';
    leases: 'take' | 'release';
  }>;
  erase(row: RecordingRow): Promise<NewCertificate>;
  /** What the archive itself says of a recording. */
  lockInArchive(row: RecordingRow, signal: AbortSignal): Promise<Lock | undefined>;
  /** Nothing is erased without the ledger. Throws ledger_unusable. */
  checkLedger(): Promise<void>;
  /** Puts certificates where they are kept besides the catalogue. */
  copyCertificates(): Promise<void>;
  clock: Clock;
};

export type ErasedOne =
  | Exclude<ErasureDecision, { kind: 'erase' }>
  | { kind: 'erased'; certificate: NewCertificate; copyFailure: ErrorCode | undefined };

/** What would become of it. Throws what the archive and the catalogue throw. */
export async function previewErasure(
  { catalogue, lockInArchive, clock }: Pick<EraseOnePorts, 'catalogue' | 'lockInArchive' | 'clock'>,
  row: RecordingRow,
  rules: ErasureRules,
  signal: AbortSignal,
): Promise<ErasureDecision> {
  const call = await catalogue.calls.find(row.callId);
  const [ends, holds] = [await catalogue.recordings.purposeEnds(row.id), await catalogue.legalHolds.of(row.id)];
  const lock = row.status === 'archived' ? await lockInArchive(row, signal) : undefined;
  const subject = { status: row.status, purposes: call?.purposes ?? [], ends, holds, lock };

  return decideErasure(subject, rules, clock.now());
}

/** Throws job_busy, ledger_unusable, and what eraseRecording and the catalogue throw. */
export async function eraseOne(
  ports: EraseOnePorts,
  id: RecordingRow['id'],
  { waitMs, signal, ...rules }: ErasureRules & { waitMs: number; signal: AbortSignal },
): Promise<ErasedOne> {
  const { catalogue } = ports;

  // The pass that erases what is due would come between.
  return withLease(catalogue, 'retention', waitMs, async () => {
    await ports.checkLedger();
    const row = await catalogue.recordings.find(id);
    if (row === undefined) return { kind: 'gone' };
    const decision = await previewErasure(ports, row, rules, signal);
    if (decision.kind !== 'erase') return decision;
    const certificate = await ports.erase(row);
    const copyFailure = await ports.copyCertificates().then(
      () => undefined,
      (thrown: unknown) => asPreavisError(thrown).code,
    );

    return { kind: 'erased', certificate, copyFailure };
  });
}

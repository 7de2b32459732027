import type { CataloguePart } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { NewCertificate } from '../catalogue/retention/certificates.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import type { Erasing } from '../retention/asked.ts';
import { noteFailure } from '../retention/pass.ts';
import { decideErasure, type ErasureDecision, type ErasureRules } from './decideErasure.ts';

/**
 * Erases one recording before its end, since somebody who is responsible has decided so. What keeps a recording from a person's request
 * keeps it here, too; and then nothing of it changes. Else the decision is in the catalogue first, and stands whatever happens then.
 */
export type EraseOnePorts = Erasing & {
  catalogue: CataloguePart<{
    calls: 'find';
    recordings: 'find' | 'purposeEnds';
    legalHolds: 'of';
    leases: 'take' | 'renew' | 'release';
    auditTrail: 'append' | 'of';
  }>;
  clock: Clock;
  /** Who decides. */
  operator: string;
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

/** Throws job_busy, ledger_unusable, recording_held, and what eraseRecording and the catalogue throw. */
export async function eraseOne(
  ports: EraseOnePorts,
  id: RecordingRow['id'],
  { waitMs, signal, ...rules }: ErasureRules & { waitMs: number; signal: AbortSignal },
): Promise<ErasedOne> {
  // The pass that erases what is due would come between.
  return withLease(ports.catalogue, 'retention', waitMs, async (catalogue) => {
    await ports.checkLedger();
    const row = await catalogue.recordings.find(id);
    if (row === undefined) return { kind: 'gone' };
    const decision = await previewErasure(ports, row, rules, signal);
    if (decision.kind !== 'erase') return decision;
    // From here on it is decided: what is not done now, the retention pass does.
    if (!(await ports.ask([row.id]))) throw new PreavisError('recording_held', 'a hold keeps it');
    const copied = (): Promise<ErrorCode | undefined> =>
      ports.copyCertificates().then(
        () => undefined,
        (thrown: unknown) => asPreavisError(thrown).code,
      );
    try {
      const certificate = await ports.erase(row);

      return { kind: 'erased', certificate, copyFailure: await copied() };
    } catch (thrown) {
      const { code } = asPreavisError(thrown);
      // A hold that was set meanwhile is no failure.
      if (code !== 'recording_held') {
        await noteFailure(row, code, { catalogue, actor: ports.operator }).catch(() => undefined);
      }
      // The end of its purposes belongs into the ledger all the same.
      await copied();
      throw thrown;
    }
  });
}

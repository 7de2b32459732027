import { everyCertificate, readCertificate } from '../certificates/certificate.ts';
import { copyHeads, signHead, type HeadPorts } from './keepHeads.ts';
import { auditFaults, type VerifyPorts } from '../certificates/verify.ts';
import { verifyHeads, type TrailPorts } from '../certificates/verifyTrail.ts';

/**
 * `other`: what was signed is of another audit trail than this one, and nobody said why; `acknowledged`: somebody says so now, signed.
 */
export type TrailAfterReplay = 'fits' | 'other' | 'acknowledged';

export type ReplayHeadsPorts = HeadPorts & TrailPorts & { catalogue: VerifyPorts['catalogue'] };

const never = new AbortController().signal;

/**
 * Puts back into ledger and archive the heads that they lack. Comes behind the replays of ledger and archive, which take up the heads
 * that this catalogue does not know: a new one is numbered behind them. Throws what those throw, and `signing_key_unusable`.
 *
 * @param by who says that an older catalogue was put back on purpose; undefined where nobody does
 */
export async function replayHeads(
  ports: ReplayHeadsPorts,
  { dryRun, by }: { dryRun: boolean; by: string | undefined },
): Promise<TrailAfterReplay> {
  const { catalogue } = ports;
  const { lost, isUnfit, excusedUntil = -Infinity } = await verifyHeads(ports, never);
  const isOther = isUnfit || (await isCertifiedOtherwise(catalogue, excusedUntil));
  const isSaid = isOther && by !== undefined && !dryRun;
  if (isSaid) await signHead(ports, { by });
  if (!dryRun) {
    for (const place of ['ledger', 'archive'] as const) {
      for (const sha256 of lost[place]) await catalogue.chainHeads.noteCopy(sha256, place, false);
    }
    await copyHeads(ports);
  }
  if (!isOther) return 'fits';

  return isSaid ? 'acknowledged' : 'other';
}

/** Whether a certificate was signed with another audit trail than this one. */
async function isCertifiedOtherwise(catalogue: VerifyPorts['catalogue'], excusedUntil: number): Promise<boolean> {
  for await (const { jws } of everyCertificate(catalogue)) {
    const read = await readCertificate(jws).catch(() => undefined);
    if (read === undefined) continue;
    if ((await auditFaults(read.row, read.content, { catalogue, excusedUntil })).length > 0) return true;
  }

  return false;
}

import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import type { RecordingId } from '../../core/ids.ts';
import { readCertificate } from '../certificates/certificate.ts';

/**
 * Whether a certificate of ours says that a recording was erased. Its status alone is one field of a file: on its word nothing is
 * removed that cannot be brought back.
 */
async function isErasureProved(
  id: RecordingId,
  catalogue: CataloguePart<{ certificates: 'of' }>,
  trusts: (kid: string) => Promise<boolean>,
): Promise<boolean> {
  for (const { jws } of await catalogue.certificates.of(id)) {
    const read = await readCertificate(jws).catch(() => undefined);
    if (read?.row.recording === id && (await trusts(read.kid))) return true;
  }

  return false;
}

/** Whether what a status says that is gone may be removed: of `erased` a certificate says so, of `discarded` the audit trail. */
export async function isRemovalProved(
  { id, status }: Pick<RecordingRow, 'id' | 'status'>,
  catalogue: CataloguePart<{ certificates: 'of'; auditTrail: 'saysDiscarded' }>,
  trusts: (kid: string) => Promise<boolean>,
): Promise<boolean> {
  switch (status) {
    case 'erased':
      return isErasureProved(id, catalogue, trusts);
    case 'discarded':
      return catalogue.auditTrail.saysDiscarded(id);
    case 'recording':
    case 'recorded':
    case 'archived':
    case 'failed':
    case 'lost':
      return false;
  }
}

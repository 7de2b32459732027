import type { Catalogue } from '../catalogue/catalogue.ts';
import type { RecordingId } from '../core/ids.ts';
import { readCertificate } from './certificate.ts';

/**
 * Whether a certificate of ours says that a recording was erased. Its status alone is one field of a file: on its word nothing is
 * removed that cannot be brought back.
 */
export async function isErasureProved(
  id: RecordingId,
  catalogue: Pick<Catalogue, 'certificatesOf'>,
  trusts: (kid: string) => Promise<boolean>,
): Promise<boolean> {
  for (const { jws } of await catalogue.certificatesOf(id)) {
    const read = await readCertificate(jws).catch(() => undefined);
    if (read?.row.recording === id && (await trusts(read.kid))) return true;
  }

  return false;
}

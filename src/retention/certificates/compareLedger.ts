import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { CertificateRow } from '../../catalogue/retention/certificates.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import type { RecordingId } from '../../core/ids.ts';
import { isCompactJws, typeOfSigned } from '../../core/crypto/signing.ts';
import { headType } from '../heads/chainHead.ts';
import { everyCertificate } from './certificate.ts';
import { readCopy } from './copies.ts';
import { decisionType } from '../decision.ts';
import { missingFrom, type Ledger } from './ledger.ts';

/** What ledger and catalogue do not both have. Both are read in parts: neither need fit into memory. */
export type ComparePorts = {
  catalogue: CataloguePart<{ certificates: 'listBeyond' | 'isKnown' }>;
  ledger: Ledger;
  /** From when on certificates are kept, ms since 1970 UTC: older ones may be gone from either. */
  since: number;
  /** Whether a key is one of ours. */
  trusts: (kid: string) => Promise<boolean>;
};

/** A line of the ledger that the catalogue does not know. Only an `unknown` one is taken up by a replay. */
export type StrayLine =
  | { kind: 'invalid'; line: number }
  | { kind: 'untrusted'; number: number; recording: RecordingId; kid: string }
  | { kind: 'unknown'; number: number; recording: RecordingId };

/** Each costs a signature to be checked: whoever may write to the ledger could keep a check busy for hours. */
export const mostStrayLines = 10_000;

/** Ends after `mostStrayLines`: the rest of the ledger is not read then. */
export async function* strayLines(
  { catalogue, ledger, since, trusts }: ComparePorts,
  signal?: AbortSignal,
): AsyncGenerator<StrayLine> {
  let count = 0;
  let stray = 0;
  for await (const { line } of ledger.lines(0)) {
    signal?.throwIfAborted();
    count += 1;
    const type = typeOfSigned(line);
    // Of decisions, strayDecisions says what the catalogue does not know; verifyTrail.ts looks at heads.
    if (type === decisionType || type === headType) continue;
    const isJws = isCompactJws(line);
    if (isJws && (await catalogue.certificates.isKnown(sha256Of(line)))) continue;
    if ((stray += 1) > mostStrayLines) return;
    const read = isJws ? await readCopy(line) : undefined;
    if (read === undefined) yield { kind: 'invalid', line: count };
    else if (read.row.issuedAt >= since) {
      const { number, recording } = read.row;
      const { kid } = read;
      yield (await trusts(kid))
        ? { kind: 'unknown', number, recording }
        : { kind: 'untrusted', number, recording, kid };
    }
  }
}

/** Certificates that were put into the ledger and are not in it any more. */
export async function* lostLines(
  { catalogue, ledger, since }: Omit<ComparePorts, 'trusts'>,
  signal?: AbortSignal,
): AsyncGenerator<Pick<CertificateRow, 'sha256' | 'number' | 'recording'>> {
  const noted = async function* () {
    for await (const { sha256, number, recording, inLedger, issuedAt } of everyCertificate(catalogue)) {
      if (inLedger && issuedAt >= since) yield { sha256, number, recording };
    }
  };
  yield* missingFrom(ledger, noted(), signal);
}

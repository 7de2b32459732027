import { text } from 'node:stream/consumers';
import type { ObjectStore } from '../archive/store.ts';
import { erasedAgain, erasureBegun } from '../catalogue/auditTrail.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { CopyPlace } from '../catalogue/erasures.ts';
import type { RecordingId } from '../core/ids.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import {
  certificateKey,
  certificateOfKey,
  certificatePrefix,
  readCertificate,
  type Certificate,
} from './certificate.ts';
import { removeSpooled } from '../archive/spool.ts';
import { idOfKey } from './findings.ts';
import type { Ledger } from './ledger.ts';

/**
 * Certificates are kept in three places: the catalogue, the ledger beside it, and the archive. What one of them has lost, by a
 * backup that was restored, comes back from the others, and what they say was erased is erased again.
 */
export type CopyPorts = {
  catalogue: Pick<
    Catalogue,
    | 'certificatesAlone'
    | 'noteCertificateCopy'
    | 'isCertificateKnown'
    | 'certificatesOf'
    | 'restoreCertificate'
    | 'recording'
    | 'beginErasure'
    | 'ledgerRead'
    | 'noteLedgerRead'
    | 'removeCertificates'
  >;
  store: ObjectStore;
  spoolFolder: string;
  ledger: Ledger;
  /** Whether a key is one of ours: what another one has signed erases nothing. */
  trusts: (kid: string) => Promise<boolean>;
  log: Logger;
  actor: string;
  now: () => number;
};

const batch = 200;
/** For one certificate in the archive, ms. */
const copyLimitMs = 60_000;

/** Puts the certificates that are only in the catalogue into the ledger and into the archive. Throws what those throw. */
export async function copyCertificates({ catalogue, store, ledger }: CopyPorts): Promise<void> {
  for (;;) {
    const alone = await catalogue.certificatesAlone(batch);
    for (const row of alone) {
      if (!row.inLedger) {
        await ledger.append(row.jws);
        await catalogue.noteCertificateCopy(row.sha256, 'ledger');
      }
    }
    for (const row of alone) {
      await store.putText(certificateKey(row), row.jws, 'application/jose', AbortSignal.timeout(copyLimitMs));
      await catalogue.noteCertificateCopy(row.sha256, 'archive');
    }
    if (alone.length < batch) return;
  }
}

/** What of the copies was not in the catalogue. */
export type Replayed = {
  certificates: number;
  erasedAgain: RecordingId[];
  /** Not what was signed, or signed by a key that is not trusted. */
  refused: number;
};

/**
 * Takes up what the ledger has and the catalogue has not, and erases again what it says was erased. It reads on from where it has
 * read to before, which a restored catalogue does not know.
 */
export async function replayLedger(ports: CopyPorts, { dryRun }: { dryRun: boolean }): Promise<Replayed> {
  const { catalogue, ledger } = ports;
  const replayed: Replayed = { certificates: 0, erasedAgain: [], refused: 0 };
  const from = await catalogue.ledgerRead(ledger.file);
  let read = from;
  for await (const { line, end } of ledger.lines(from)) {
    await replayOne(line, 'ledger', ports, replayed, dryRun);
    read = end;
  }
  if (!dryRun && read !== from) await catalogue.noteLedgerRead(ledger.file, read);

  return replayed;
}

/** The same with the certificates in the archive; those that the catalogue has are only listed. */
export async function replayArchive(ports: CopyPorts, { dryRun }: { dryRun: boolean }): Promise<Replayed> {
  const replayed: Replayed = { certificates: 0, erasedAgain: [], refused: 0 };
  for await (const { key } of ports.store.list(certificatePrefix)) {
    const named = certificateOfKey(key);
    if (named !== undefined) {
      const known = await ports.catalogue.certificatesOf(named.recording);
      if (known.some(({ number }) => number === named.number)) continue;
    }
    const jws = await text(await ports.store.read(key, null, AbortSignal.timeout(copyLimitMs)));
    await replayOne(jws, 'archive', ports, replayed, dryRun);
  }

  return replayed;
}

/** Both, as `serve` does at its start and daily. An archive that does not answer keeps nothing else from being done. */
export async function replayCopies(ports: CopyPorts): Promise<void> {
  try {
    await replayLedger(ports, { dryRun: false });
    await replayArchive(ports, { dryRun: false });
    await copyCertificates(ports);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    ports.log.error({ code: error.code, err: error }, 'the certificates of erasure could not all be compared');
  }
}

/** Who can write to the archive or the ledger must not have recordings erased by what they put there. */
async function isTrusted(
  { kid, content }: Awaited<ReturnType<typeof readCertificate>>,
  { trusts, log }: CopyPorts,
): Promise<boolean> {
  const isOurs = content.objects.every(({ key }) => idOfKey(key) === content.recording);
  if (isOurs && (await trusts(kid))) return true;
  log.error({ kid }, 'a copy of a certificate of erasure is not signed by a trusted key, and was left aside');

  return false;
}

async function replayOne(
  jws: string,
  place: CopyPlace,
  ports: CopyPorts,
  replayed: Replayed,
  dryRun: boolean,
): Promise<void> {
  const { catalogue, log } = ports;
  const certificate = await readCertificate(jws).catch((thrown: unknown) => {
    const error = asPreavisError(thrown);
    if (error.code !== 'certificate_invalid') throw error;
    log.error({ code: error.code, err: error }, 'a copy of a certificate of erasure is not what was signed');
    return undefined;
  });
  if (certificate === undefined || !(await isTrusted(certificate, ports))) {
    replayed.refused += 1;
    return;
  }
  if (await catalogue.isCertificateKnown(certificate.row.sha256)) return;
  const { recording } = certificate.row;
  const row = await catalogue.recording(recording);
  replayed.certificates += 1;
  if (row?.status !== 'erased') replayed.erasedAgain.push(recording);
  if (dryRun) return;
  const actor = ports.actor;
  if (row !== undefined && row.status !== 'erased') {
    const detail = { rule: 'ledger', certificate: certificate.row.sha256 };
    await catalogue.beginErasure(recording, ports.now(), 'do not count', { event: erasureBegun, actor, detail });
  }
  await removeAgain(certificate.content, recording, ports);
  await catalogue.restoreCertificate(certificate.row, row?.status, place, {
    event: erasedAgain,
    actor,
    detail: { certificate: { number: certificate.row.number, sha256: certificate.row.sha256 } },
  });
  log.warn({ recording }, 'an erasure that this catalogue did not know was done again');
}

/** Removes what a restored backup has brought back of a recording that has a certificate, and looks whether it is gone. */
export async function removeAgain(
  { objects }: Certificate,
  recording: RecordingId,
  { store, spoolFolder }: Pick<CopyPorts, 'store' | 'spoolFolder'>,
): Promise<void> {
  await removeSpooled(spoolFolder, recording);
  for (const { key } of objects) {
    await store.erase(key);
    const left = await store.versions(key);
    if (left.length > 0) throw new PreavisError('archive_failed', `${left.length} versions are left after the erasure`);
  }
}

/** Removes the certificates from before a time, from all three places; how many. */
export async function removeOldCertificates(ports: CopyPorts, before: number): Promise<number> {
  const { catalogue, store, ledger } = ports;
  const removed = await catalogue.removeCertificates(before);
  if (removed === 0) return 0;
  const length = await ledger.prune(async (line) => (await readCertificate(line)).row.issuedAt >= before);
  await catalogue.noteLedgerRead(ledger.file, length);
  for await (const { key } of store.list(certificatePrefix)) {
    const jws = await text(await store.read(key, null, AbortSignal.timeout(copyLimitMs)));
    if ((await readCertificate(jws)).row.issuedAt < before) await store.erase(key);
  }

  return removed;
}

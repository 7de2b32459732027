import * as z from 'zod';
import { everyArchive } from '../../archive/archives.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { CertificateRow, NewCertificate } from '../../catalogue/retention/certificates.ts';
import { erasedAgain } from '../../catalogue/retention/auditTrail.ts';
import { counted } from '../../core/text/counted.ts';
import { everyCertificate, readCertificate, type Certificate } from './certificate.ts';
import { readCopy, strayCopies } from './copies.ts';
import { lostLines, mostStrayLines, strayLines, type ComparePorts, type StrayLine } from './compareLedger.ts';
import { lineFaults, verifyHeads, type HeadsVerified, type TrailPorts } from './verifyTrail.ts';

export type VerifyPorts = ComparePorts &
  TrailPorts & {
    catalogue: CataloguePart<{
      certificates: 'count' | 'of' | 'missing' | 'erasedWithoutCertificate';
      auditTrail: 'statusesOtherwise' | 'withoutRow' | 'of';
      recordings: 'find';
    }>;
  };

type Fault = { number: number; recording: string; fault: string };

export type Verified = {
  checked: number;
  /** The keys that signed them. */
  kids: string[];
  /** `number` 0: not of one certificate; `recording` empty: of none. */
  faults: Fault[];
  heads: Pick<HeadsVerified, 'isSigned' | 'newest' | 'restored' | 'unsignedSince'>;
};

const mostMissing = 1_000;
/** Lines of the ledger of one kind that are told one by one: whoever writes to it could fill the memory and the screen. */
const mostStray = 1_000;

type Add = (fault: string, recording?: string, number?: number) => void;

/**
 * Checks every certificate in the catalogue, in their order, that the ledger has no others, that every erased recording has one, and
 * that the audit trail is the one whose heads were signed. Throws what the catalogue and the archive do, and the signal's reason.
 */
export async function verifyCertificates(
  ports: VerifyPorts,
  { signal, progress }: { signal: AbortSignal; progress?: (done: number, total: number) => void },
): Promise<Verified> {
  const { catalogue } = ports;
  const total = await catalogue.certificates.count();
  const heads = await verifyHeads(ports, signal);
  const { isSigned, newest, restored, unsignedSince, excusedUntil = -Infinity } = heads;
  const result: Verified = { checked: 0, kids: [], faults: [], heads: { isSigned, newest, restored, unsignedSince } };
  const add: Add = (fault, recording = '', number = 0) => result.faults.push({ number, recording, fault });
  for (const fault of heads.faults) add(fault);
  await addTrailFaults(ports, signal, add);
  await addStrayLines(ports, signal, add);
  const known = new Set(result.faults.map(nameOf));
  for await (const { fault, recording, number } of onlyInArchive(ports, known, signal)) add(fault, recording, number);
  for await (const { number, recording } of lostLines(ports, signal)) {
    add('it is not in the ledger any more', recording, number);
  }
  let before: CertificateRow | undefined;
  for await (const row of everyCertificate(catalogue)) {
    signal.throwIfAborted();
    const faults = await faultsOf(row, before, { ...ports, excusedUntil }, result.kids);
    for (const fault of faults) add(fault, row.recording, row.number);
    result.checked += 1;
    progress?.(result.checked, total);
    before = row;
  }

  return result;
}

/** What rows and certificates say otherwise than the lines of the trail, whose heads are signed. */
async function addTrailFaults({ catalogue, since }: VerifyPorts, signal: AbortSignal, add: Add): Promise<void> {
  const { auditTrail, certificates } = catalogue;
  for await (const { fault, recording } of lineFaults(catalogue, signal)) add(fault, recording);
  for (const recording of await certificates.erasedWithoutCertificate(since, mostMissing)) {
    add('it counts as erased, and no certificate says so', recording);
  }
  for (const { id, status, said } of await auditTrail.statusesOtherwise(mostMissing)) {
    add(`the catalogue says "${status}" of it, and the audit trail ${said === null ? 'nothing' : `"${said}"`}`, id);
  }
  for (const recording of await auditTrail.withoutRow(mostMissing)) {
    add('the audit trail names it, and the catalogue does not have it', recording);
  }
  for (const { number, recording } of await certificates.missing(since, mostMissing)) {
    add('the audit trail names it, and it is not there', recording, number);
  }
}

/** What only the ledger has. */
async function addStrayLines(ports: VerifyPorts, signal: AbortSignal, add: Add): Promise<void> {
  const stray: Record<StrayLine['kind'], number> = { unknown: 0, untrusted: 0, invalid: 0 };
  for await (const line of strayLines(ports, signal)) {
    stray[line.kind] += 1;
    if (stray[line.kind] > mostStray) continue;
    if (line.kind === 'invalid') add(`line ${line.line} of the ledger is no valid certificate`);
    else add(`only the ledger has it${mending(line)}`, line.recording, line.number);
  }
  for (const [kind, count] of Object.entries(stray)) {
    if (count <= mostStray) continue;
    const more = counted(count - mostStray, 'more line of the ledger is', 'more lines of the ledger are');
    add(`${more} not in the catalogue (${kind})`);
  }
  if (Object.values(stray).reduce((sum, each) => sum + each, 0) >= mostStrayLines) {
    add(`after ${mostStrayLines} lines that are not in the catalogue the rest of the ledger was not read`);
  }
}

const mending = (line: Exclude<StrayLine, { kind: 'invalid' }>): string =>
  line.kind === 'unknown'
    ? ': preavis certificates replay mends it'
    : `, signed by the key ${line.kid}, which is not trusted`;

/** What a catalogue that was put back without its ledger does not know. */
async function* onlyInArchive(
  { store, catalogue, since, trusts }: VerifyPorts,
  known: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<Fault> {
  if (store === undefined) return;
  let count = 0;
  for await (const copy of strayCopies({ store, catalogue })) {
    signal.throwIfAborted();
    if (copy === 'none' || known.has(nameOf(copy))) continue;
    const { number, recording } = copy;
    const read = await readCopy(await copy.read());
    // Who can write there could fill the memory and the screen.
    if (read === undefined || read.row.issuedAt < since || (count += 1) > mostStray) continue;
    const mend = (await trusts(read.kid))
      ? 'preavis certificates replay mends it'
      : `it was signed by the key ${read.kid}, which is not trusted`;
    yield { number, recording, fault: `only the archive has it: ${mend}` };
  }
}

const nameOf = ({ number, recording }: { number: number; recording: string }): string => `${number} ${recording}`;

/** What was certified until then may be of lines that are gone: somebody said, signed, that an older catalogue was put back. */
type Excuse = { excusedUntil: number };

async function faultsOf(
  row: CertificateRow,
  before: CertificateRow | undefined,
  ports: VerifyPorts & Excuse,
  kids: string[],
): Promise<string[]> {
  const read = await readCertificate(row.jws).catch(() => undefined);
  if (read === undefined) return ['its signature does not fit it'];
  const { content, kid } = read;
  if (!kids.includes(kid)) kids.push(kid);
  const faults: string[] = [];
  if (!(await ports.trusts(kid))) faults.push(`it was signed by the key ${kid}, which is not trusted`);
  if (read.row.sha256 !== row.sha256) faults.push('it was exchanged for another one');
  if (read.row.recording !== row.recording || read.row.number !== row.number) {
    faults.push(`it is the certificate of another recording, or of another number (${read.row.number})`);
  }
  // The oldest may have had others before it, whose time was over.
  if (before !== undefined && (content.previous !== before.sha256 || content.number !== before.number + 1)) {
    faults.push(
      `it does not follow number ${before.number}: one between them is missing, or the catalogue was restored`,
    );
  }
  faults.push(...(await auditFaults(read.row, content, ports)), ...(await objectFaults(content, ports)));
  const status = (await ports.catalogue.recordings.find(row.recording))?.status;
  if (status !== undefined && status !== 'erased' && status !== 'discarded') {
    faults.push(`the catalogue says "${status}" of what it says was erased`);
  }

  return faults;
}

/** What the audit trail lacks of what a certificate was signed with. */
export async function auditFaults(
  { recording, sha256, issuedAt }: NewCertificate,
  { audit }: Certificate,
  { catalogue, excusedUntil }: Pick<VerifyPorts, 'catalogue'> & Excuse,
): Promise<string[]> {
  if (audit === null) return [];
  const [line] = await catalogue.auditTrail.lines(audit.line, audit.line, 1);
  if (line?.chain === audit.chain || issuedAt <= excusedUntil) return [];
  // In a catalogue that was restored since, the trail of then goes on differently, and says in a line of its own which certificate it took up.
  const steps = await catalogue.auditTrail.of(recording);
  const isTakenUp = steps.some(({ event, chain, detail }) => {
    const named = takenUp.safeParse(detail);

    return event === erasedAgain && chain !== null && named.success && named.data.certificate.sha256 === sha256;
  });

  return isTakenUp ? [] : ['the audit trail is not the one that it was signed with'];
}

/** The detail of a line that says so. */
const takenUp = z.object({ certificate: z.object({ sha256: z.string() }) });

async function objectFaults({ objects }: Certificate, { store, former }: VerifyPorts): Promise<string[]> {
  if (store === undefined) return [];
  const faults: string[] = [];
  for (const archive of everyArchive({ store, former })) {
    for (const { key } of objects) {
      const { length } = await archive.versions(key);
      const where = archive === store ? 'the archive' : `the archive of before, ${archive.location},`;
      if (length > 0)
        faults.push(`${counted(length, `version of ${key} is`, `versions of ${key} are`)} in ${where} again`);
    }
  }

  return faults;
}

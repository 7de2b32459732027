import type { ObjectStore } from '../archive/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { CertificateRow } from '../catalogue/erasures.ts';
import { erasedAgain, type AuditLine } from '../catalogue/auditTrail.ts';
import { chainStart, linkOf } from '../core/chain.ts';
import type { RecordingId } from '../core/ids.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { readCopy, restoration, strayCopies } from './copies.ts';
import { lostLines, strayLines, type ComparePorts, type StrayLine } from './compareLedger.ts';

export type VerifyPorts = ComparePorts & {
  catalogue: Pick<
    Catalogue,
    'countCertificates' | 'certificatesOf' | 'missingCertificates' | 'auditLines' | 'audit' | 'lastPass'
  >;
  /** undefined: the archive is not asked. */
  store: ObjectStore | undefined;
};

export type Verified = {
  checked: number;
  /** The keys that signed them. */
  kids: string[];
  /** `number` 0: not of one certificate; `recording` empty: of none. */
  faults: { number: number; recording: string; fault: string }[];
};

const batch = 200;
const pageOfLines = 1_000;
const mostMissing = 1_000;
/** Lines of the ledger of one kind that are told one by one: whoever writes to it could fill the memory and the screen. */
const mostStray = 1_000;
const first = { number: 0, sha256: '' };

/** Checks every certificate in the catalogue, in their order, and that the ledger has no others. Throws what the catalogue and the archive do, and the signal's reason. */
export async function verifyCertificates(
  ports: VerifyPorts,
  { signal, progress }: { signal: AbortSignal; progress?: (done: number, total: number) => void },
): Promise<Verified> {
  const { catalogue } = ports;
  const total = await catalogue.countCertificates();
  const result: Verified = { checked: 0, kids: [], faults: [] };
  for await (const line of brokenLinks(catalogue, signal)) {
    result.faults.push({
      number: 0,
      recording: line.recording,
      fault: `line ${line.id} of the audit trail was changed`,
    });
  }
  for (const { number, recording } of await catalogue.missingCertificates(ports.since, mostMissing)) {
    result.faults.push({ number, recording, fault: 'the audit trail names it, and it is not there' });
  }
  const stray: Record<StrayLine['kind'], number> = { unknown: 0, untrusted: 0, invalid: 0 };
  for await (const line of strayLines(ports, signal)) {
    stray[line.kind] += 1;
    if (stray[line.kind] <= mostStray) result.faults.push(strayFault(line));
  }
  for (const [kind, count] of Object.entries(stray)) {
    if (count <= mostStray) continue;
    const fault = `${count - mostStray} more lines of the ledger are not in the catalogue (${kind})`;
    result.faults.push({ number: 0, recording: '', fault });
  }
  const told = new Set(result.faults.map(nameOf));
  for await (const fault of onlyInArchive(ports, told, signal)) result.faults.push(fault);
  for await (const { number, recording } of lostLines(ports, signal)) {
    result.faults.push({ number, recording, fault: 'it is not in the ledger any more' });
  }
  let before: CertificateRow | undefined;
  for (let after = first; ;) {
    const rows = await catalogue.certificates(after, batch);
    for (const row of rows) {
      signal.throwIfAborted();
      const faults = await faultsOf(row, before, ports, result.kids);
      result.faults.push(...faults.map((fault) => ({ number: row.number, recording: row.recording, fault })));
      result.checked += 1;
      progress?.(result.checked, total);
      before = row;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < batch) return result;
    after = last;
  }
}

/** What a catalogue that was put back without its ledger does not know. */
async function* onlyInArchive(
  { store, catalogue, since, trusts }: VerifyPorts,
  told: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<Verified['faults'][number]> {
  if (store === undefined) return;
  let count = 0;
  for await (const copy of strayCopies({ store, catalogue })) {
    signal.throwIfAborted();
    if (copy === 'none' || told.has(nameOf(copy))) continue;
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

function strayFault(stray: StrayLine): Verified['faults'][number] {
  switch (stray.kind) {
    case 'invalid':
      return { number: 0, recording: '', fault: `line ${stray.line} of the ledger is no valid certificate` };
    case 'untrusted': {
      const { number, recording, kid } = stray;

      return { number, recording, fault: `only the ledger has it, signed by the key ${kid}, which is not trusted` };
    }
    case 'unknown': {
      const { number, recording } = stray;

      return { number, recording, fault: 'only the ledger has it: preavis certificates replay mends it' };
    }
  }
}

/** The lines whose link does not follow from the one before them; one that was taken out shows at the next. */
async function* brokenLinks(catalogue: VerifyPorts['catalogue'], signal: AbortSignal): AsyncGenerator<AuditLine> {
  let chain = chainStart;
  for (let from = 0; ;) {
    const lines = await catalogue.auditLines(from, Number.MAX_SAFE_INTEGER, pageOfLines);
    for (const line of lines) {
      signal.throwIfAborted();
      if (line.chain === null) continue;
      if (line.chain !== linkOf(chain, line.digest)) yield line;
      chain = line.chain;
    }
    const last = lines.at(-1);
    if (last === undefined || lines.length < pageOfLines) return;
    from = last.id + 1;
  }
}

async function faultsOf(
  row: CertificateRow,
  before: CertificateRow | undefined,
  ports: VerifyPorts,
  kids: string[],
): Promise<string[]> {
  const read = await readCertificate(row.jws).catch(() => undefined);
  if (read === undefined) return ['its signature does not fit it'];
  const { content, kid } = read;
  if (!kids.includes(kid)) kids.push(kid);
  const faults: string[] = [];
  if (!(await ports.trusts(kid))) faults.push(`it was signed by the key ${kid}, which is not trusted`);
  if (read.row.sha256 !== row.sha256) faults.push('it was exchanged for another one');
  // The oldest may have had others before it, whose time was over.
  if (before !== undefined && (content.previous !== before.sha256 || content.number !== before.number + 1)) {
    faults.push(
      `it does not follow number ${before.number}: one between them is missing, or the catalogue was restored`,
    );
  }
  faults.push(...(await auditFaults(content, ports)), ...(await objectFaults(content, ports)));

  return faults;
}

async function auditFaults(
  { audit, recording, verifiedAt }: Certificate,
  { catalogue }: VerifyPorts,
): Promise<string[]> {
  if (audit === null) return [];
  const [line] = await catalogue.auditLines(audit.line, audit.line, 1);

  if (line?.chain === audit.chain) return [];
  // In a catalogue that was restored since, the trail of then goes on differently, and says so; a recording of after its backup has none.
  const steps = await catalogue.audit(recording as RecordingId);
  const isRestored =
    steps.length === 0
      ? ((await catalogue.lastPass(restoration)) ?? 0) >= Date.parse(verifiedAt)
      : steps.some(({ event }) => event === erasedAgain);

  return isRestored ? [] : ['the audit trail is not the one that it was signed with'];
}

async function objectFaults({ objects }: Certificate, { store }: VerifyPorts): Promise<string[]> {
  if (store === undefined) return [];
  const faults: string[] = [];
  for (const { key } of objects) {
    const { length } = await store.versions(key);
    if (length > 0) faults.push(`${length} versions of ${key} are in the archive again`);
  }

  return faults;
}

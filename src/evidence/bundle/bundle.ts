/**
 * Makes a bundle of evidence: one ZIP file with a recording and all that shows how its caller was told, signed, for
 * somebody who has neither Préavis nor the catalogue. It is handed out by the rules of fetching (archive/fetch.ts), and
 * appears only when it passes the same check that its reader makes.
 */
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole, withFolderBeside, writing, type CopyTarget } from '../../archive/verifiedCopy.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { isActive } from '../../catalogue/retention/legalHolds.ts';
import type { RecordingRow, StoredPolicy } from '../../catalogue/rows.ts';
import { isoTime } from '../../core/clock.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { inLanguage } from '../../core/text/inLanguage.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import type { RecordingId } from '../../core/ids.ts';
import { pemOf, type Signer } from '../../core/crypto/signing.ts';
import { fetchRecording, grantAccess, type FetchPorts, type HandOutEvents } from '../../archive/fetch.ts';
import { extractAudit, silentIn, type AuditExtract, type AuditPart } from './auditExtract.ts';
import {
  bundleFile,
  explanationLanguages,
  jsonText,
  languageOf,
  manifestType,
  noticeFile,
  pageFiles,
  receiptFacts,
  sentencesHeard,
  sumsText,
  type Manifest,
  type ReceiptFacts,
} from './format.ts';
import { explanationPage, type ExplanationFacts } from './page/page.ts';
import { loadExplanationTexts } from './page/texts.ts';
import { soundHeard } from './noticeAudio.ts';
import { filePart, zipOf, type ZipPart } from '../../core/zip.ts';
import { receiptOfRecording, receiptText, storedPolicy } from '../../receipt/receipt.ts';
import { digestsOf, makeVcon, sha512Of, signVcon } from './vcon.ts';
import { verifyBundle } from './verify.ts';

export type BundlePorts = FetchPorts & {
  catalogue: Parameters<typeof receiptOfRecording>[0] & CataloguePart<{ auditTrail: 'of' | 'head' | 'lines' }>;
  /** With prompts.yaml and the sounds that callers hear. */
  soundsFolder: string;
  signer: Signer;
  /** `preavis` and its version. */
  madeBy: string;
  /** The name of the company whose recording it is, of `controllers` or null, where it is configured. */
  companyOf(controller: string | null): string | undefined;
  /** Of the times that pages tell first. */
  timezone: string;
  /** What the company calls a purpose in a language. */
  nameOf: ExplanationFacts['nameOf'];
  /** What the self-check kept of how loud it was; undefined where it kept nothing. */
  peaksOf(id: RecordingId): Promise<Int8Array | undefined>;
  /** Has a SHA-256 stamped by an authority; undefined: without a time stamp. Throws timestamp_failed. */
  stamp: ((sha256: string, signal: AbortSignal) => Promise<Buffer>) | undefined;
  /** From 0 to 1. */
  random(): number;
};

export type BundleOrder = {
  id: string;
  purpose: string;
  /** What of its history goes into it. */
  history: AuditPart;
  target: CopyTarget;
  progress(bytes: number, of: number): void;
  signal: AbortSignal;
};

export type Bundled = { id: RecordingId; manifest: Manifest; manifestSha256: string; stamped: boolean };

/** A file of the bundle with what the manifest says of it. */
type Part = ZipPart & { sha256: string };

const small = (name: string, bytes: Buffer): Part => ({ name, bytes, sha256: sha256Of(bytes) });
const sizeOf = (part: Part): number => ('bytes' in part ? part.bytes.length : part.size);

const bundleEvents = {
  refused: 'evidence bundle refused',
  begun: 'evidence bundle begun',
  failed: 'evidence bundle failed',
} satisfies HandOutEvents;

/** What fetchRecording throws, texts_invalid, evidence_chain_broken, evidence_invalid, timestamp_failed, and what appearWhole does. */
export async function makeBundle(ports: BundlePorts, order: BundleOrder): Promise<Bundled> {
  const { purpose, history, target, signal } = order;
  // Before anything is handed out: a file of texts may be broken.
  const texts = await loadExplanationTexts();
  return withFolderBeside(target, async (folder) => {
    const copy = { ...order, target: { file: join(folder, bundleFile.recording), replace: false } };
    const { id, keepUntil } = await fetchRecording(ports, copy, bundleEvents);
    const note = (event: string, detail: Record<string, unknown>): Promise<void> =>
      ports.catalogue.auditTrail.append(id, { event, actor: ports.actor, detail: { purpose, ...detail } });
    try {
      const { row } = await grantAccess(ports, id, purpose);
      const content = await contentOf(ports, { row, history, folder, texts, signal });
      const { parts, ...made } = await sealed(ports, content, { purpose, keepUntil, signal });
      const fill = (handle: FileHandle): Promise<void> => fillWith(handle, parts, ports.signer.kid, signal);
      await appearWhole(target, fill, async () => {
        signal.throwIfAborted();
        await grantAccess(ports, id, purpose);
        await note('evidence bundled', { manifest: made.manifestSha256, kid: ports.signer.kid });
      });

      return { id, ...made };
    } catch (thrown) {
      const error = asPreavisError(thrown);
      await note(bundleEvents.failed, { code: error.code });
      throw error;
    }
  });
}

async function fillWith(handle: FileHandle, parts: readonly Part[], kid: string, signal: AbortSignal): Promise<void> {
  for await (const chunk of zipOf(parts)) {
    signal.throwIfAborted();
    await writing(() => handle.writeFile(chunk));
  }
  await verifyBundle(handle, { kid, signal });
}

type Content = {
  receipt: ReceiptFacts;
  audit: AuditExtract;
  missing: Manifest['noticeMissing'];
  madeAt: number;
  /** In the order of the bundle. */
  parts: Part[];
};

type Ground = {
  row: RecordingRow;
  history: AuditPart;
  /** With the recording. */
  folder: string;
  texts: Awaited<ReturnType<typeof loadExplanationTexts>>;
  signal: AbortSignal;
};

/** Everything that the manifest lists. */
async function contentOf(ports: BundlePorts, { row, history, folder, texts, signal }: Ground): Promise<Content> {
  const { catalogue, clock, signer, madeBy, timezone, nameOf } = ports;
  const company = ports.companyOf(row.controller);
  const storedText = row.receipt ?? receiptText(await receiptOfRecording(catalogue, row.id));
  const receipt = factsOf(storedText);
  const policy = await storedPolicy(catalogue, receipt.policyVersion);
  const audit = await auditTo(join(folder, bundleFile.auditChain), ports, { id: row.id, history }, signal);
  const { sounds, missing } = await soundsOf(ports.soundsFolder, receipt);
  const recording = await partOfFile(bundleFile.recording, folder, signal);
  const chain = await partOfFile(bundleFile.auditChain, folder, signal);
  const madeAt = clock.now();
  const vcon = makeVcon({
    receipt,
    receiptText: storedText,
    recordingSha512: recording.sha512,
    sounds: sounds.map(({ part, startedAt }) => ({ name: part.name, sha512: sha512Of(part.bytes), startedAt })),
    madeAt,
    kid: signer.kid,
    organisation: company,
    random: Math.floor(ports.random() * 0x1000),
  });
  const pages = pageFiles(languageOf(receipt));
  const facts = {
    receipt,
    pages,
    peaks: await ports.peaksOf(row.id),
    missing: missing.map(({ number }) => number),
    history,
    auditRows: audit.rows.length,
    unchainedRows: audit.rows.filter((each) => each.chain === null).length,
    holds: (await catalogue.legalHolds.of(row.id)).filter(
      (hold) => isActive(hold, madeAt) && hold.expiresAt > (row.keepUntil ?? 0),
    ),
    kid: signer.kid,
    silent: silentIn(audit),
    endOf: await endsOf(catalogue, row.id),
    stamped: ports.stamp !== undefined,
    madeAt: isoTime(madeAt),
    ...{ timezone, madeBy, company, nameOf, wordingOf: makeWordings(policy) },
  };
  const parts = [
    ...explanationLanguages.map((each) =>
      small(pages[each], Buffer.from(explanationPage(each, texts[receipt.call.direction][each], facts), 'utf8')),
    ),
    recording.part,
    small(bundleFile.receipt, Buffer.from(storedText, 'utf8')),
    ...sounds.map(({ part }) => part),
    small(bundleFile.policy, jsonText({ version: receipt.policyVersion, purposes: shownPurposes(policy, receipt) })),
    small(bundleFile.audit, jsonText(audit)),
    chain.part,
    small(bundleFile.vcon, jsonText(vcon)),
    small(bundleFile.signedVcon, jsonText(await signVcon(vcon, signer))),
    small(bundleFile.publicKey, Buffer.from(pemOf(signer.publicKey), 'utf8')),
  ];

  return { receipt, audit, missing, madeAt, parts };
}

/** Where an installation records for several companies, those of the call alone: the others are not this company's. */
function shownPurposes(
  { purposes, controllerOfLine = {} }: StoredPolicy,
  receipt: ReceiptFacts,
): StoredPolicy['purposes'] {
  if (Object.keys(controllerOfLine).length === 0) return purposes;
  const named = new Set(receipt.purposes.map(({ id }) => id));

  return Object.fromEntries(Object.entries(purposes).filter(([id]) => named.has(id)));
}

async function endsOf(catalogue: BundlePorts['catalogue'], id: RecordingId): Promise<ExplanationFacts['endOf']> {
  const rows = await catalogue.recordings.purposeEnds(id);
  const ends = new Map(rows.map(({ purpose, keepUntil }) => [purpose, isoTime(keepUntil)]));

  return (purpose) => ends.get(purpose);
}

function makeWordings({ purposes }: StoredPolicy): ExplanationFacts['wordingOf'] {
  return (purpose, language) => {
    const stored = Object.hasOwn(purposes, purpose) ? purposes[purpose] : undefined;

    return (
      stored && {
        justification: inLanguage(stored.justification, language),
        legalBasis: inLanguage(stored.legalBasis, language),
      }
    );
  };
}

function factsOf(text: string): ReceiptFacts {
  const parsed = receiptFacts.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new PreavisError('internal', 'the receipt of a recording is malformed', { cause: parsed.error });
  }

  return parsed.data;
}

async function auditTo(
  file: string,
  { catalogue }: BundlePorts,
  { id, history }: { id: RecordingId; history: AuditPart },
  signal: AbortSignal,
): Promise<AuditExtract> {
  const handle = await writing(() => open(file, 'wx', 0o600));
  try {
    return await extractAudit(catalogue, id, history, async (text) => {
      signal.throwIfAborted();
      await writing(() => handle.appendFile(text));
    });
  } finally {
    await handle.close();
  }
}

async function soundsOf(folder: string, receipt: ReceiptFacts) {
  const sounds: { part: Part & { bytes: Buffer }; startedAt: string | null }[] = [];
  const missing: Manifest['noticeMissing'] = [];
  for (const { number, prompt, language, sha256, startedAt } of sentencesHeard(receipt)) {
    const bytes = await soundHeard(folder, { prompt, language, sha256 });
    if (bytes === undefined) missing.push({ number, prompt, language, sha256 });
    else sounds.push({ part: { name: noticeFile(number, { prompt, language }), bytes, sha256 }, startedAt });
  }

  return { sounds, missing };
}

async function partOfFile(name: string, folder: string, signal: AbortSignal): Promise<{ part: Part; sha512: string }> {
  const file = join(folder, name);
  const { size, sha256, sha512 } = await digestsOf(createReadStream(file), signal);
  signal.throwIfAborted();

  return { part: { ...filePart(name, file, size), sha256 }, sha512 };
}

/** The content with the manifest and all that stands on it: what is signed last is signed over everything before. */
async function sealed(
  { signer, madeBy, stamp }: BundlePorts,
  { receipt, audit, missing, madeAt, parts }: Content,
  { purpose, keepUntil, signal }: { purpose: string; keepUntil: number; signal: AbortSignal },
): Promise<Omit<Bundled, 'id'> & { parts: Part[] }> {
  const { x = '' } = signer.publicKey;
  const manifest: Manifest = {
    bundle: 2,
    language: languageOf(receipt),
    timeStamp: stamp !== undefined,
    madeAt: isoTime(madeAt),
    madeBy,
    recording: receipt.recording.id,
    call: receipt.call.id,
    purpose,
    keepUntil: isoTime(keepUntil),
    key: { kid: signer.kid, publicKey: { kty: 'OKP', crv: 'Ed25519', x } },
    auditHead: audit.chain === null ? null : audit.chain.head,
    files: parts.map((part) => ({ name: part.name, bytes: sizeOf(part), sha256: part.sha256 })),
    noticeMissing: missing,
  };
  const manifestPart = small(bundleFile.manifest, jsonText(manifest));
  const { sha256 } = manifestPart;
  const claim = { manifest: { bytes: sizeOf(manifestPart), sha256 } };
  const above = [
    ...parts,
    manifestPart,
    small(bundleFile.signedManifest, Buffer.from(await signer.sign(claim, manifestType), 'utf8')),
    ...(stamp === undefined ? [] : [small(bundleFile.timeStamp, await stamp(sha256, signal))]),
  ];
  const sums = Buffer.from(sumsText(above), 'utf8');

  return {
    parts: [...above, small(bundleFile.sums, sums), small(bundleFile.signature, signer.signBytes(sums))],
    manifest,
    manifestSha256: sha256,
    stamped: stamp !== undefined,
  };
}

/**
 * Checks a bundle of evidence without anything else than the bundle: no configuration, no catalogue, no network. First that
 * it is what was signed, byte for byte, then that what it says fits together. It stops at the first thing that does not.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import { storedPolicy } from '../../catalogue/rows.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import { wordingsOf } from '../../core/text/inLanguage.ts';
import { verifySigned } from '../../core/crypto/signing.ts';
import { auditFault, auditSchema, hashInTrail, type AuditExtract } from './auditExtract.ts';
import {
  bundleFile,
  manifestClaim,
  manifestSchema,
  manifestType,
  noticeFile,
  receiptFacts,
  receiptFault,
  sentencesHeard,
  pagesOf,
  type AnyManifest,
  type ReceiptFacts,
} from './format.ts';
import { isModestJson } from './jsonShape.ts';
import { bytesOf, fitting, openBundle, unfit, type Opened } from './open.ts';
import { stampFault } from './stampSignature.ts';
import { readTimeStamp } from './timestamp.ts';
import { filesOfVcon, partsOfVcon, receiptOfVcon, sha512Of, verifyVcon } from './vcon.ts';
import type { PackedFile } from './unpack.ts';

export type VerifyOptions = {
  /** The key that is trusted; undefined: whoever reads the result compares it. */
  kid: string | undefined;
  /** A file with the certificates of the time-stamping authority that is trusted; undefined: it is not looked at whose a time stamp is, only whether its signature fits, where openssl is there. */
  authorityFile?: string | undefined;
  signal: AbortSignal;
};

export type Verified = {
  manifest: AnyManifest;
  receipt: ReceiptFacts;
  kid: string;
  /** `sha256`: of the recording, by a line with a link; null where none has it. */
  audit: { rows: number; unchained: number; lines: number; sha256: string | null };
  /** When an authority says that it was there, and whether that is the trusted one; null: without a time stamp. */
  timeStamp: { at: string; trusted: boolean } | null;
};

/** What a bundle that fits says nothing of, and what is often taken for shown all the same. */
export function notStated({ receipt, audit }: Pick<Verified, 'receipt' | 'audit'>): string[] {
  const { call, consent, recording, witness } = receipt;
  const statements: readonly (readonly [string, unknown])[] = [
    ['when the recording began, and so that it was after the notice', recording.startedAt],
    ['how long after the notice the recording began (gapMs)', recording.gapMs],
    ['when the recording ended', recording.finishedAt],
    ['how long the recording lasts', recording.durationMs],
    ['when the call ended', call.endedAt],
    ['what the caller was asked (consent)', consent.mode],
    ['whether the caller refused while no key was heard', recording.flags.includes('keys_unheard') ? null : true],
    ['what a second witness says', witness ?? null],
    ['what the audit trail is chained to', audit.lines === 0 ? null : audit.lines],
    ['what the chained history has as the SHA-256 of the recording', audit.sha256],
  ];

  return statements.flatMap(([what, said]) => (said === null ? [what] : []));
}

const policySchema = storedPolicy.extend({ version: z.string() });
const anyJson = z.unknown();

/**
 * @param handle open for reading; it is not closed
 * @throws PreavisError `evidence_invalid` with the first thing that does not fit, and the reason of the signal.
 */
export async function verifyBundle(handle: FileHandle, options: VerifyOptions): Promise<Verified> {
  const opened = await openBundle(handle, options);
  const manifest = await manifestOf(opened);
  const receipt = receiptOf(opened, manifest);
  noticeFits(opened, manifest, receipt);
  const audit = await auditOf(opened, manifest);
  policyFits(opened, receipt);
  await vconFits(opened);

  return { manifest, receipt, kid: opened.kid, audit, timeStamp: await timeStampOf(opened, options) };
}

function parsed<T extends z.ZodType>(opened: Opened, name: string, schema: T): z.output<T> {
  let value: unknown;
  const bytes = bytesOf(opened, name);
  if (!isModestJson(bytes)) throw unfit(`${name} has more in it than it ever has`);
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw unfit(`${name} is not JSON`, cause);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw unfit(`${name} does not have its form`, result.error);

  return result.data;
}

/** What is signed is JSON as well. */
function refuseLargeParts(name: string, parts: readonly string[]): void {
  if (!parts.every((part) => isModestJson(Buffer.from(part, 'base64url')))) {
    throw unfit(`${name} has more in it than it ever has`);
  }
}

async function manifestOf(opened: Opened): Promise<AnyManifest> {
  const manifest = parsed(opened, bundleFile.manifest, manifestSchema);
  const jws = bytesOf(opened, bundleFile.signedManifest).toString('utf8');
  refuseLargeParts(bundleFile.signedManifest, jws.split('.'));
  const { payload, kid } = await fitting(`${bundleFile.signedManifest} does not fit`, () =>
    verifySigned(jws, manifestType),
  );
  const claim = manifestClaim.safeParse(payload).data?.manifest;
  const bytes = bytesOf(opened, bundleFile.manifest);
  if (claim?.sha256 !== sha256Of(bytes) || claim.bytes !== bytes.length) {
    throw unfit(`${bundleFile.signedManifest} signs another manifest`);
  }
  if (kid !== opened.kid || manifest.key.kid !== opened.kid) throw unfit('its signatures are of different keys');
  if (manifest.key.publicKey.x !== opened.publicKey.x) throw unfit(`${bundleFile.manifest} names another key`);
  const above: readonly string[] = [
    bundleFile.manifest,
    bundleFile.signedManifest,
    bundleFile.timeStamp,
    bundleFile.sums,
    bundleFile.signature,
  ];
  const found = opened.packed
    .filter(({ name }) => !above.includes(name))
    .map(({ name, size }) => ({ name, bytes: size, sha256: opened.sha256.get(name) }));
  if (JSON.stringify(found) !== JSON.stringify(manifest.files)) {
    throw unfit(`the files are not those of ${bundleFile.manifest}`);
  }
  const absent = [...pagesOf(manifest), bundleFile.recording, bundleFile.auditChain].find(
    (name) => !opened.sha256.has(name),
  );
  if (absent !== undefined) throw unfit(`${absent} is not in it`);
  if (manifest.bundle === 2 && manifest.timeStamp !== opened.sha256.has(bundleFile.timeStamp)) {
    throw unfit(`${bundleFile.timeStamp} is there or not, and ${bundleFile.manifest} says otherwise`);
  }

  return manifest;
}

function receiptOf(opened: Opened, manifest: AnyManifest): ReceiptFacts {
  const receipt = parsed(opened, bundleFile.receipt, receiptFacts);
  const { recording } = receipt;
  if (recording.id !== manifest.recording || receipt.call.id !== manifest.call) {
    throw unfit('the receipt is of another recording');
  }
  const size = manifest.files.find(({ name }) => name === bundleFile.recording)?.bytes;
  if (recording.sha256 !== opened.sha256.get(bundleFile.recording) || recording.bytes !== size) {
    throw unfit(`${bundleFile.recording} is not the recording of the receipt`);
  }
  if (!receipt.purposes.some(({ id }) => id === manifest.purpose)) {
    throw unfit('the bundle is for a purpose that the receipt does not have');
  }
  const fault = receiptFault(receipt);
  if (fault !== undefined) throw unfit(fault);

  return receipt;
}

/** Each sentence that was heard has its sound, or is named as missing; and there is no other sound. */
function noticeFits(opened: Opened, manifest: AnyManifest, receipt: ReceiptFacts): void {
  const expected = new Set<string>();
  for (const heard of sentencesHeard(receipt)) {
    const name = noticeFile(heard.number, heard);
    const isMissing = manifest.noticeMissing.some(
      ({ number, sha256 }) => number === heard.number && sha256 === heard.sha256,
    );
    const found = opened.sha256.get(name);
    if (isMissing ? found !== undefined : found !== heard.sha256) {
      throw unfit(`the sound of sentence ${heard.number} is not the one that was played, by the receipt`);
    }
    if (!isMissing) expected.add(name);
  }
  if (manifest.files.some(({ name }) => name.startsWith('notice/') && !expected.has(name))) {
    throw unfit('there is a sound of a sentence that the receipt does not have');
  }
}

async function auditOf(opened: Opened, manifest: AnyManifest): Promise<Verified['audit']> {
  const audit = parsed(opened, bundleFile.audit, auditSchema);
  if (audit.recording !== manifest.recording) throw unfit('the audit trail is of another recording');
  if (JSON.stringify(audit.chain?.head ?? null) !== JSON.stringify(manifest.auditHead)) {
    throw unfit('the chain does not end where the manifest says');
  }
  const chain = opened.packed.find(({ name }) => name === bundleFile.auditChain);
  if (chain === undefined) throw unfit(`${bundleFile.auditChain} is not in it`);
  const fault = await chainFault(audit, chain);
  if (fault !== undefined) throw unfit(fault);
  const sha256 = hashInTrail(audit);
  if (sha256 !== null && sha256 !== opened.sha256.get(bundleFile.recording)) {
    throw unfit(`${bundleFile.recording} is not the recording of the audit trail`);
  }

  return {
    sha256,
    rows: audit.rows.length,
    unchained: audit.rows.filter((row) => row.chain === null).length,
    lines: audit.chain?.lines ?? 0,
  };
}

/** Longer than any line of audit-chain.txt. */
const longestLine = 100;

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > longestLine) break;
  }
  // Every line has its end; what has none is not one.
  if (rest !== '') yield `${rest.slice(0, longestLine)} (cut off)`;
}

async function chainFault(audit: AuditExtract, file: PackedFile): Promise<string | undefined> {
  const stream = await file.read();

  return fitting(`${file.name} cannot be read`, () => auditFault(audit, linesOf(stream)));
}

function policyFits(opened: Opened, receipt: ReceiptFacts): void {
  const policy = parsed(opened, bundleFile.policy, policySchema);
  const rules = receipt.purposes.map(({ id }) => policy.purposes[id]);
  const same = receipt.purposes.every(
    ({ justification, legalBasis, keepDays }, at) =>
      rules[at] !== undefined &&
      wordingsOf(rules[at].justification).includes(justification) &&
      wordingsOf(rules[at].legalBasis).includes(legalBasis) &&
      rules[at].keepDays === keepDays,
  );
  if (policy.version !== receipt.policyVersion || !same) throw unfit(`${bundleFile.policy} is not that of the receipt`);
}

async function vconFits(opened: Opened): Promise<void> {
  const vcon = parsed(opened, bundleFile.vcon, anyJson);
  const signedVcon = parsed(opened, bundleFile.signedVcon, anyJson);
  refuseLargeParts(bundleFile.signedVcon, partsOfVcon(signedVcon));
  const signed = await fitting('the signature of the vCon does not fit', () => verifyVcon(signedVcon));
  if (signed.kid !== opened.kid) throw unfit('the vCon is signed with another key');
  if (JSON.stringify(signed.payload) !== JSON.stringify(vcon)) throw unfit('the signed vCon is another one');
  if (receiptOfVcon(vcon) !== bytesOf(opened, bundleFile.receipt).toString('utf8')) {
    throw unfit('the vCon has another receipt');
  }
  const files = await fitting(`${bundleFile.vcon} does not have its form`, () => filesOfVcon(vcon));
  for (const { name, contentHash } of files) {
    const sha512 = name === bundleFile.recording ? opened.recordingSha512 : sha512Of(bytesOf(opened, name));
    if (contentHash !== `sha512-${sha512}`) throw unfit(`the vCon has another hash of ${name}`);
  }
}

async function timeStampOf(opened: Opened, { authorityFile, signal }: VerifyOptions): Promise<Verified['timeStamp']> {
  const bytes = opened.small.get(bundleFile.timeStamp);
  if (bytes === undefined) return null;
  let stamp: ReturnType<typeof readTimeStamp>;
  try {
    stamp = readTimeStamp(bytes);
  } catch (cause) {
    throw unfit(`${bundleFile.timeStamp} is not a time stamp`, cause);
  }
  if (stamp.sha256 !== opened.sha256.get(bundleFile.manifest)) {
    throw unfit(`${bundleFile.timeStamp} is over something else than ${bundleFile.manifest}`);
  }
  const fault = await stampFault(bytes, stamp, authorityFile, signal);
  const trusted = authorityFile !== undefined;
  if (fault === undefined) return { at: stamp.at, trusted };
  throw unfit(`${bundleFile.timeStamp}${trusted ? ' is not of the authority that you named' : ''}: ${fault}`);
}

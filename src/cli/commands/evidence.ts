import { existsSync } from 'node:fs';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { markCatalogue } from '../../store/catalogueMarker.ts';
import { refuseTaken } from '../../archive/verifiedCopy.ts';
import type { PurposeKind } from '../../config/purposeKinds.ts';
import type { Config } from '../../config/schema.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { counted } from '../../core/text/counted.ts';
import { asPreavisError, errnoOf, PreavisError } from '../../core/errors.ts';
import { pemOf, publicKeyOf } from '../../core/crypto/signing.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { bundlePurpose } from '../../evidence/bundle/purpose.ts';
import { makeBundle } from '../../evidence/bundle/bundle.ts';
import { sentencesHeard, type ReceiptFacts } from '../../evidence/bundle/format.ts';
import { notStated, verifyBundle, type Verified } from '../../evidence/bundle/verify.ts';
import { catalogueInWords, hasCatalogue } from '../../services/catalogue.ts';
import { bundlePorts } from '../../services/evidence.ts';
import { makeSigner, signingKeyFile } from '../../services/signing.ts';
import { makeStore } from '../../services/store.ts';
import { openPurposes } from '../../archive/fetch.ts';
import { withCatalogueOf } from '../withCatalogue.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Json, type Program } from '../context.ts';
import { requireFileName, requirePurposeName } from '../options.ts';
import { beginProgress } from '../progress.ts';
import { operatorOf } from '../operator.ts';
import { withArchives } from '../withArchives.ts';

type BundleCommandOptions = {
  /** undefined: the one that is kept as evidence, or the only one. */
  purpose: string | undefined;
  output: string;
  timestamp: string | undefined;
  force: boolean;
  json: boolean;
};

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

/** Makes one ZIP file with a recording and what proves its notice, under the rules of `recordings fetch`. */
export async function evidenceBundle(
  context: CommandContext,
  id: string,
  { purpose: named, output, timestamp, force, json }: BundleCommandOptions,
  { version }: Pick<Program, 'version'>,
): Promise<ExitCode> {
  if (named !== undefined) requirePurposeName(named);
  requireFileName(output);
  if (timestamp !== undefined && !isWebAddress(timestamp)) {
    throw new PreavisError('usage', '--timestamp is an address that begins with http:// or https://');
  }
  const config = await configOf(context);
  const target = { file: output, replace: force };
  await refuseTaken(target);
  const run = beginProgress('no bundle was made', json);

  return withArchives<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const timestampUrl = timestamp ?? config.evidence.timestampUrl;
    const ports = await bundlePorts(services, { version, timestampUrl });
    const kindOf = (each: string): PurposeKind | undefined => purposeOf(config.purposes, each)?.kind;
    const purpose = named ?? bundlePurpose(await openPurposes(ports, id), kindOf);
    const order = { id, purpose, history: 'whole' as const, target, progress: run.progress, signal: run.signal };
    const { manifest, manifestSha256, stamped } = await makeBundle(ports, order);
    const { recording, keepUntil, key, files, noticeMissing } = manifest;
    const { kid } = key;
    const document = {
      id: recording,
      purpose,
      keepUntil,
      file: output,
      manifestSha256,
      kid,
      timeStamp: stamped,
      noticeMissing,
      files,
    };
    answer(context, json, document, () => [
      `${output}: ${counted(files.length, 'file')} about ${recording}, signed with ${kid}`,
      `for ${purpose}, until ${keepUntil}: remove the copy by then`,
      ...(stamped ? [stampedText(config.evidence.timestampAuthorityFile)] : []),
      ...noticeMissing.map(({ number }) => missingText(number)),
    ]);

    return 0;
  }).finally(run.end);
}

/** As far as it was looked at. */
const stampedText = (authorityFile: string | undefined): string =>
  authorityFile === undefined
    ? 'there is a time stamp in it (timestamp.tsr); whose it is was not looked at: see evidence.timestampAuthorityFile'
    : 'stamped by the authority of evidence.timestampAuthorityFile (timestamp.tsr)';

const missingText = (number: number): string =>
  `the sound of sentence ${number} of the notice is no longer there as it was played; the bundle says so`;

type VerifyCommandOptions = {
  key: string | undefined;
  publicKey: string | undefined;
  /** A file with the certificates of the time-stamping authority. */
  authority: string | undefined;
  json: boolean;
};

async function readable<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw new PreavisError('usage', `${what} cannot be read (${errnoOf(cause) ?? 'error'})`, { cause });
  }
}

async function trustedKid({ key, publicKey }: VerifyCommandOptions): Promise<string | undefined> {
  if (publicKey === undefined) return key;
  if (key !== undefined) throw new PreavisError('usage', '--key and --public-key say the same: give one');
  const pem = await readable('the file of --public-key', () => readFile(publicKey, 'utf8'));

  const { kid } = await publicKeyOf(pem).catch((cause: unknown) => {
    throw new PreavisError('usage', 'the file of --public-key is not an Ed25519 key in PEM', { cause });
  });

  return kid;
}

async function openZip(file: string): Promise<FileHandle> {
  return readable('the bundle', async () => {
    // A pipe would be waited for.
    if (!(await stat(file)).isFile()) throw new Error('it is no file');

    return open(file, 'r');
  });
}

/** Checks a bundle with nothing but the bundle: it reads no configuration and opens no catalogue. 3: it fits, but the key may be anybody's, or nobody stamped it. */
export async function evidenceVerify(
  context: Pick<CommandContext, 'print'>,
  file: string,
  options: VerifyCommandOptions,
): Promise<ExitCode> {
  const kid = await trustedKid(options);
  const { authority: authorityFile } = options;
  if (authorityFile !== undefined) await readable('the file of --authority', () => readFile(authorityFile));
  const handle = await openZip(file);
  const run = beginProgress('the bundle was not checked to its end', options.json);
  const isTrusted = kid !== undefined;
  let isWanting: boolean;
  try {
    const verified = await verifyBundle(handle, { kid, authorityFile, signal: run.signal });
    isWanting = kid === undefined || (authorityFile !== undefined && verified.timeStamp === null);
    const document = documentOf(verified, { trusted: isTrusted, isWanting });
    answer(context, options.json, document, () => linesOf(verified, isTrusted));
  } finally {
    run.end();
    await handle.close();
  }

  return isWanting ? 3 : 0;
}

function documentOf(verified: Verified, { trusted, isWanting }: { trusted: boolean; isWanting: boolean }) {
  const { manifest, receipt, kid, audit, timeStamp } = verified;
  const { recording, call, purpose, madeAt, madeBy, noticeMissing, files } = manifest;
  const { sha256, bytes, gapMs } = receipt.recording;

  return {
    /** Whether it can be relied on: it fits, with the key that was named, and with a stamp of the authority if one was named. */
    ok: !isWanting,
    recording: { id: recording, bytes, sha256, gapMs },
    call,
    purpose,
    madeAt,
    madeBy,
    key: { kid, trusted },
    files: files.length,
    noticeMissing,
    notStated: notStated(verified),
    audit,
    timeStamp,
  };
}

function linesOf(verified: Verified, trusted: boolean): string[] {
  const { manifest, receipt, kid, audit } = verified;
  const { recording, files, noticeMissing } = manifest;
  const chained = audit.rows - audit.unchained;

  return [
    `OK     every byte is as it was signed: ${counted(files.length, 'file')} about the recording ${recording}`,
    ...receiptLines(receipt),
    ...(chained === 0
      ? []
      : [
          `OK     ${counted(chained, 'line of the audit trail is', 'lines of the audit trail are')} in the chain (${counted(audit.lines, 'line')})`,
        ]),
    ...(audit.unchained === 0
      ? []
      : [
          `NOTE   ${counted(audit.unchained, 'line of it is in no chain: nothing proves it', 'lines of it are in no chain: nothing proves them')}`,
        ]),
    ...noticeMissing.map(({ number }) => `NOTE   ${missingText(number)}`),
    ...notStated(verified).map((what) => `NOTE   not stated: ${what}`),
    stampLine(verified),
    trusted
      ? `OK     signed with the key that you named, ${kid}`
      : `NOTE   nothing ties the key to the company: anybody can sign with a key of their own, and this one has the kid ${kid}. ` +
        'Ask the company in another way for the kid that it publishes, and give that with --key',
  ];
}

function stampLine({ manifest: { madeAt, madeBy }, timeStamp }: Verified): string {
  if (timeStamp === null) {
    return `NOTE   there is no time stamp: when it was made (${madeAt}) is what its maker says, ${madeBy}`;
  }

  return timeStamp.trusted
    ? `OK     the authority that you named has stamped it at ${timeStamp.at}`
    : `NOTE   it has a time stamp of ${timeStamp.at}; whose it is was not looked at: name the authority with --authority`;
}

/** What the receipt says of the notice, as far as it says it. */
function receiptLines(receipt: ReceiptFacts): string[] {
  const { mode, answer } = receipt.consent;
  const { startedAt, gapMs } = receipt.recording;
  const witness = receipt.witness?.status;

  return [
    `OK     the receipt says that the notice was heard: ${counted(sentencesHeard(receipt).length, 'sentence')}`,
    ...(startedAt === null
      ? []
      : [`OK     the receipt says that the recording began after it${gapMs === null ? '' : `, by ${gapMs} ms`}`]),
    ...(mode === null ? [] : [`OK     the receipt says of consent: ${mode}, answer ${answer}`]),
    ...(witness === undefined
      ? []
      : [`${witness === 'agrees' ? 'OK  ' : 'NOTE'}   the receipt says of the second witness: ${witness}`]),
  ];
}

/** How long the archive may take to say whose it is, ms. */
const archiveLimitMs = 10_000;

/**
 * Without catalogue and key nothing here tells whether one has signed before: their folder may not be mounted. Then the archive tells.
 * @throws PreavisError `signing_key_unusable`: a catalogue has begun there; and what the archive throws.
 */
async function refuseUnmounted(config: Config): Promise<void> {
  const store = await makeStore(config, undefined);
  try {
    await markCatalogue({ catalogue: undefined, store }, { isMeant: false, signal: timeLimit(archiveLimitMs) });
  } catch (thrown) {
    const cause = asPreavisError(thrown);
    if (cause.code !== 'catalogue_new') throw cause;
    throw new PreavisError(
      'signing_key_unusable',
      `there is no catalogue ${catalogueInWords(config.catalogue)} and no signing key, and the archive has one: no new key was made`,
      { cause, hint: 'Mount the folder of the catalogue, or put key and catalogue back from their copies.' },
    );
  }
}

/** What the company publishes, so that others know its signatures. A new key is made only where none can have signed. */
export async function evidenceKey(context: CommandContext, { json }: Json): Promise<ExitCode> {
  const config = await configOf(context);
  const file = signingKeyFile(config);
  const isNew = !existsSync(file);
  const isBegun = await hasCatalogue(config);
  if (isNew && !isBegun) await refuseUnmounted(config);
  const { kid, publicKey } = isBegun
    ? await withCatalogueOf(context, config, (catalogue) => makeSigner(config, catalogue)())
    : await makeSigner(config)();
  const pem = pemOf(publicKey);
  const jwk = { ...publicKey, kid, alg: 'EdDSA', use: 'sig' };
  answer(context, json, { kid, jwk, pem, new: isNew }, () => [
    `${pem}kid ${kid}\njwk ${JSON.stringify(publicKey)}`,
    ...(isNew ? [`new: this key was made now, and has signed nothing yet; keep a copy of ${file}`] : []),
  ]);

  return 0;
}

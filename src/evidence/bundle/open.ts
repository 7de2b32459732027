/**
 * Opens a bundle that somebody gave us: sizes, signature, names and hashes of all its files, then the ZIP itself, byte for byte. What the
 * files say is for verify.ts.
 */
import type { FileHandle } from 'node:fs/promises';
import type { JWK } from 'jose';
import { PreavisError } from '../../core/errors.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import { zipOf } from '../../core/zip.ts';
import { bytesVerified, pemOf, publicKeyOf } from '../../core/crypto/signing.ts';
import { bundleFile, largeFiles, sumsText } from './format.ts';
import { holdsExactly, unpack, type PackedFile } from './unpack.ts';
import { digestsOf } from './vcon.ts';

const largestSmallBytes = 16 * 1024 * 1024;
/** They are held several times while they are parsed and compared. */
const largestJsonBytes = 4 * 1024 * 1024;
/** All of them are held in memory at once. */
const largestSmallTotalBytes = 64 * 1024 * 1024;

/** It does not fit, with the first thing that does not. */
export function unfit(what: string, cause?: unknown): PreavisError {
  return new PreavisError('evidence_invalid', what, { cause });
}

/** Whatever the step throws means that this does not fit; reasons of ours and of the signal go on as they are. */
export async function fitting<T>(what: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof PreavisError && cause.code !== 'signature_invalid') throw cause;
    throw unfit(what, cause);
  }
}

export type Opened = {
  packed: readonly PackedFile[];
  /** The bytes of each file but the large ones. */
  small: ReadonlyMap<string, Buffer>;
  sha256: ReadonlyMap<string, string>;
  recordingSha512: string;
  kid: string;
  publicKey: JWK;
};

/** Signature, names and hashes of all files, then the ZIP itself. */
export async function openBundle(
  handle: FileHandle,
  { kid: trusted, signal }: { kid: string | undefined; signal: AbortSignal },
): Promise<Opened> {
  const packed = await unpack(handle);
  refuseLarge(packed);
  const byName = new Map(packed.map((file) => [file.name, file]));
  const wholeOf = async (name: string): Promise<Buffer> => {
    const file = byName.get(name);
    if (file === undefined) throw unfit(`${name} is not in it`);

    return wholeSmall(file);
  };
  const sums = await wholeOf(bundleFile.sums);
  const signature = await wholeOf(bundleFile.signature);
  const pem = (await wholeOf(bundleFile.publicKey)).toString('utf8');
  const { kid, publicKey } = await fitting(`${bundleFile.publicKey} is not a key of ours`, () => publicKeyOf(pem));
  // Programs differ in which of several keys in a file they take.
  if (pem !== pemOf(publicKey)) throw unfit(`${bundleFile.publicKey} is not written as we write it`);
  if (trusted !== undefined && kid !== trusted) throw unfit(`it is signed with another key: ${kid}`);
  if (!bytesVerified(sums, signature, publicKey)) {
    throw unfit(`${bundleFile.signature} does not fit ${bundleFile.sums} and ${bundleFile.publicKey}`);
  }
  const listed = listedIn(sums.toString('utf8'));
  namesFit(packed, listed);
  const read = await readAll(packed, listed, signal);
  const parts = packed.map((file) => {
    const bytes = read.small.get(file.name);

    return bytes === undefined ? { name: file.name, size: file.size, open: file.read } : { name: file.name, bytes };
  });
  if (!(await fitting('the ZIP file ends too early', () => holdsExactly(handle, zipOf(parts))))) {
    throw unfit('something in the ZIP file beside the files themselves was changed');
  }

  return { packed, kid, publicKey, ...read };
}

/** By the sizes that the directory of the ZIP names, before any of it is read. */
function refuseLarge(packed: readonly PackedFile[]): void {
  const small = packed.filter(({ name }) => !largeFiles.has(name));
  if (small.reduce((sum, { size }) => sum + size, 0) > largestSmallTotalBytes) {
    throw unfit('its files beside the recording are larger than they ever are (64 MiB)');
  }
}

async function wholeSmall({ name, size, whole }: PackedFile): Promise<Buffer> {
  const largest = /\.(json|jws)$/.test(name) ? largestJsonBytes : largestSmallBytes;
  if (size > largest) throw unfit(`${name} is larger than it ever is`);

  return whole();
}

function listedIn(sums: string): Map<string, string> {
  const listed = new Map<string, string>();
  for (const line of sums.split('\n').slice(0, -1)) {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}([\w./-]+)$/.exec(line) ?? [];
    if (sha256 === undefined || name === undefined) throw unfit(`a line of ${bundleFile.sums} is not one`);
    listed.set(name, sha256);
  }
  const again = sumsText([...listed].map(([name, sha256]) => ({ name, sha256 })));
  if (again !== sums) throw unfit(`${bundleFile.sums} is not written as we write it`);

  return listed;
}

function namesFit(packed: readonly PackedFile[], listed: ReadonlyMap<string, string>): void {
  const found = packed.map(({ name }) => name);
  const wanted = [...listed.keys(), bundleFile.sums, bundleFile.signature];
  const gone = wanted.find((name) => !found.includes(name));
  if (gone !== undefined) throw unfit(`${gone} is not in it`);
  if (found.some((name) => !wanted.includes(name)))
    throw unfit(`there is a file in it that is not in ${bundleFile.sums}`);
  if (found.join('\n') !== wanted.join('\n')) throw unfit('its files are not in their order');
}

async function readAll(
  packed: readonly PackedFile[],
  listed: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Pick<Opened, 'small' | 'sha256' | 'recordingSha512'>> {
  const small = new Map<string, Buffer>();
  const sha256 = new Map<string, string>();
  let recordingSha512 = '';
  for (const file of packed) {
    signal.throwIfAborted();
    const { name } = file;
    if (largeFiles.has(name)) {
      const stream = await file.read();
      const digests = await fitting(`${name} cannot be read`, () => digestsOf(stream, signal));
      signal.throwIfAborted();
      sha256.set(name, digests.sha256);
      if (name === bundleFile.recording) recordingSha512 = digests.sha512;
    } else {
      const bytes = await wholeSmall(file);
      small.set(name, bytes);
      sha256.set(name, sha256Of(bytes));
    }
    const wanted = listed.get(name);
    if (wanted !== undefined && wanted !== sha256.get(name)) throw unfit(`${name} was changed`);
  }

  return { small, sha256, recordingSha512 };
}

export function bytesOf({ small }: Opened, name: string): Buffer {
  const bytes = small.get(name);
  if (bytes === undefined) throw unfit(`${name} is not in it`);

  return bytes;
}

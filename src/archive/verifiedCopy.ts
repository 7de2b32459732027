/**
 * Copies a recording to where somebody asked for it: the file holds exactly the bytes that the catalogue knows, or it is
 * not there. It is written under a temporary name beside it, `.preavis-<16 hex digits>.partial`, for its owner only.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdtemp, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { flushFolder } from '../core/files.ts';
import type { Digest } from '../store/digest.ts';
import { exactly, type Difference } from '../store/verifiedSource.ts';

export type CopyTarget = {
  file: string;
  /** Whether an ordinary file that is there already may be replaced. */
  replace: boolean;
};

export type CopySource = {
  /** Opened when there is a place to write to. What it throws is thrown on. */
  open(): Promise<AsyncIterable<Buffer>>;
  expected: Digest;
};

export type CopyOptions = {
  /** Called when every byte has proved right, just before the file appears; what it throws keeps it from appearing. */
  proved(): Promise<void>;
  progress(bytes: number): void;
  signal: AbortSignal;
};

/** Throws usage when something is there that must not be replaced. */
export async function refuseTaken({ file, replace }: CopyTarget, option = '--output'): Promise<void> {
  const found = await lstat(file).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unwritable(cause);
  });
  if (found === undefined) return;
  if (!found.isFile()) throw new PreavisError('usage', `the file of ${option} exists and is not an ordinary file`);
  if (!replace) throw taken(option);
}

/**
 * Throws usage when the name is taken, recording_altered when the bytes are not the expected ones, output_unwritable, and
 * what the source, `proved` and the signal's reason are.
 */
export async function copyVerified(source: CopySource, target: CopyTarget, options: CopyOptions): Promise<void> {
  const fill = (handle: FileHandle): Promise<void> =>
    copy(source, handle, options).catch((thrown: unknown) => {
      // A source that was cut off by the signal says only that it was cut off.
      options.signal.throwIfAborted();
      throw thrown;
    });
  await appearWhole(target, fill, () => options.proved());
}

/**
 * Makes a file that appears when `fill` has written all of it and `proved` has agreed, and not before; `fill` may read back
 * what it wrote. Throws usage when the name is taken, output_unwritable, and what both throw.
 */
export async function appearWhole(
  target: CopyTarget,
  fill: (handle: FileHandle) => Promise<void>,
  proved: () => Promise<void>,
): Promise<void> {
  const folder = dirname(target.file);
  const partial = join(folder, `.preavis-${randomBytes(8).toString('hex')}.partial`);
  const handle = await writing(() => open(partial, 'wx+', 0o600));
  try {
    try {
      await writing(() => handle.chmod(0o600));
      await fill(handle);
      await writing(() => handle.sync());
    } finally {
      await handle.close();
    }
    await proved();
    await appear(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
  // The file is whole; where its folder may only be written, or cannot be flushed, its name may not survive a power cut.
  await flushFolder(folder).catch(() => undefined);
}

/**
 * A folder for what is not whole yet, beside the file, so that nothing of it gets onto another disk; it is gone when the step ends.
 * Throws output_unwritable and what the step throws.
 */
export async function withFolderBeside<T>({ file }: CopyTarget, step: (folder: string) => Promise<T>): Promise<T> {
  const folder = await writing(() => mkdtemp(join(dirname(file), '.preavis-')));
  try {
    return await step(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copy(source: CopySource, handle: FileHandle, options: CopyOptions): Promise<void> {
  const { signal } = options;
  let bytes = 0;
  for await (const chunk of exactly(await source.open(), source.expected, altered)) {
    signal.throwIfAborted();
    await writing(() => handle.writeFile(chunk));
    options.progress((bytes += chunk.length));
  }
  signal.throwIfAborted();
}

/** File systems without links, such as that of a memory stick. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** A rename would replace what came there in the meantime, a link does not. */
async function appear(partial: string, target: CopyTarget): Promise<void> {
  if (!target.replace) {
    try {
      await link(partial, target.file);
      return;
    } catch (cause) {
      if (errnoOf(cause) === 'EEXIST') throw taken();
      if (!withoutLinks.has(errnoOf(cause) ?? '')) throw unwritable(cause);
    }
  }
  await refuseTaken(target);
  await writing(() => rename(partial, target.file));
}

/** What the file system says against writing, as output_unwritable. */
export async function writing<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw cause instanceof PreavisError ? cause : unwritable(cause);
  }
}

function taken(option = '--output'): PreavisError {
  return new PreavisError('usage', `the file of ${option} exists already`, {
    hint: 'Choose another name, or replace it with --force.',
  });
}

function unwritable(cause: unknown): PreavisError {
  return new PreavisError('output_unwritable', `the file of --output: ${errnoOf(cause) ?? 'error'}`, { cause });
}

function altered(how: Difference): PreavisError {
  return new PreavisError('recording_altered', `what is kept of the recording is ${how}; nothing was written`);
}

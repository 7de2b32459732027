import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/** Whether this is what Node throws where there is no such file, or no folder where it would be. */
export function isNotThere(thrown: unknown): boolean {
  return errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR';
}

/** The file's bytes; undefined if there is no such file. Throws what Node throws for any other fault. */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * The folder is there, with those it is in, as Node's `recursive` makes them. That never returns where a folder says ENOENT to whatever is
 * to be made in it, as /proc does (seen in Node 20.20.2); this throws.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (thrown) {
    const code = errnoOf(thrown);
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || parent === folder) throw thrown;
    await makeFolder(parent);
    await mkdir(folder).catch((again: unknown) => {
      // Another process was faster.
      if (errnoOf(again) !== 'EEXIST') throw again;
    });
  }
}

/** The file appears complete or not at all, readable by everybody whatever the umask. */
export async function writeWhole(target: string, bytes: Buffer): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeFlushed(temporary, bytes, 'w');
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await flushFolder(dirname(target));
}

/** On the disk when it returns, readable by everybody whatever the umask. `wx`: it is not there yet. */
export async function writeFlushed(path: string, bytes: Buffer, flag: 'w' | 'wx'): Promise<void> {
  await withFile(open(path, flag, 0o644), async (file) => {
    await file.writeFile(bytes);
    await file.chmod(0o644);
    await file.sync();
  });
}

/** A file that is not there yet, for its owner only; on the disk when it returns. */
export async function writeNew(path: string, content: Buffer | string): Promise<void> {
  await withFile(open(path, 'wx', 0o600), async (file) => {
    await file.writeFile(content);
    await file.sync();
  });
}

/** Works on a file, and closes it whatever comes of that. */
export async function withFile<T>(
  opened: FileHandle | Promise<FileHandle>,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await opened;
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** The names in it are on the disk when it returns. */
export async function flushFolder(folder: string): Promise<void> {
  await withFile(open(folder, constants.O_RDONLY | constants.O_DIRECTORY), (handle) =>
    handle.sync().catch((error: unknown) => {
      // Some network file systems cannot flush a folder; they write names through.
      if (errnoOf(error) !== 'EINVAL') throw error;
    }),
  );
}

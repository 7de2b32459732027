/**
 * The steps of an archive in a folder, each flushed where a power cut must not undo it.
 *
 * Temporary names lie in a folder `.partial` beside the object. No key begins with a dot, so no listing shows them; what a killed
 * run left is `.partial/<name>.<16 hex digits>`, and erasing an object finds it there without reading the folder of a whole day.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rmdir, stat as statPath, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../core/errors.ts';
import { flushFolder, isNotThere } from '../../core/files.ts';
import { ignoreMissing, toArchiveError } from './errors.ts';
import type { StoredObject } from '../store.ts';

export const folderMode = 0o700;
const fileMode = 0o600;
const partialFolder = '.partial';
const partialPattern = /^(?<name>.+)\.[0-9a-f]{16}$/;
/** A new one for what is to become this file. */
export const partialOf = (file: string): string =>
  join(dirname(file), partialFolder, `${basename(file)}.${randomBytes(8).toString('hex')}`);

/** Makes a file that is not there yet, with its folders; an `erase` beside us may remove an empty folder in between. */
export async function createBelow(root: string, file: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolders(root, dirname(file));
      return await open(file, 'wx', fileMode);
    } catch (error) {
      // ENOTDIR: Node's mkdir says so when a folder goes just as it found it.
      if (!isNotThere(error) || attempt === 10) throw error;
    }
  }
}

async function makeFolders(root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length && made !== root; made = dirname(made)) {
    await flushFolder(dirname(made));
  }
}

export async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let current = folder; current !== root; current = dirname(current)) {
    await removeIfEmpty(join(current, partialFolder));
    if (!(await removeIfEmpty(current))) return;
  }
}

/** False where something is in it. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') return false;
    if (!isNotThere(error)) throw error;
  }

  return true;
}

/** Yields in the order of keys: a folder sorts as its name with the slash, as in any object store. */
export async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<StoredObject> {
  const names: string[] = [];
  try {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) names.push(`${folder}${entry.name}/`);
      else if (entry.isFile()) names.push(`${folder}${entry.name}`);
    }
  } catch (error) {
    if (isNotThere(error)) return;
    throw toArchiveError(error, root);
  }
  names.sort((left, right) => (left < right ? -1 : 1));
  for (const name of names) {
    if (!name.startsWith(prefix) && !prefix.startsWith(name)) continue;
    if (name.endsWith('/')) {
      yield* walk(root, name, prefix);
      continue;
    }
    if (!name.startsWith(prefix)) continue;
    try {
      yield { key: name, bytes: (await statPath(join(root, name))).size, versionId: null };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw toArchiveError(error, root);
    }
  }
}

/** What killed runs left of this object. */
export async function removePartialsOf(file: string): Promise<void> {
  const folder = join(dirname(file), partialFolder);
  const names = await readdir(folder).catch((error: unknown) => {
    if (isNotThere(error)) return [];
    throw error;
  });
  const own = names.filter((name) => partialPattern.exec(name)?.groups?.['name'] === basename(file));
  if (own.length === 0) return;
  for (const name of own) await unlink(join(folder, name)).catch(ignoreMissing);
  // Another erasure may have removed it, empty as it is now.
  await flushFolder(folder).catch(ignoreMissing);
}

/** How many were there: none or one. */
export async function removeObject(file: string): Promise<number> {
  try {
    await unlink(file);

    return 1;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    // A folder is no object; POSIX has EPERM for it, Linux EISDIR.
    if (errnoOf(error) === 'EISDIR' || errnoOf(error) === 'EPERM') {
      if ((await statPath(file)).isDirectory()) return 0;
    }
    throw error;
  }
}

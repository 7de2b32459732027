/**
 * Tells an archive folder from the empty place where it should be mounted. A small file lies in the archive from its first
 * use on; without it, a folder is only taken for a new archive when the catalogue knows of nothing in it.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { isNotThere, writeNew } from '../../core/files.ts';

/** It begins with a dot, which no key may: no object can have its name, and no listing shows it. */
export const markerName = '.preavis-archive';

const markerText =
  'By this file Préavis knows that this folder is its archive, and not the place where the archive should be mounted.\n' +
  'Do not remove it.\n';

/** The key of an object that must be in the archive, `gone` when the last one was erased, `never` when none was in it. */
export type KnownObject = { key: string } | 'gone' | 'never';

/**
 * @throws PreavisError `archive_not_mounted`: the marker is missing, and so is what the catalogue knows to be in it; what Node
 * throws when the folder cannot be read.
 */
export async function assertMarked(root: string, known: () => Promise<KnownObject>): Promise<void> {
  if ((await isFile(join(root, markerName))) || (await isArchive(root, await known()))) return;
  throw new PreavisError(
    'archive_not_mounted',
    `The archive folder ${root} has neither its file ${markerName} nor the recordings that were put into it.`,
  );
}

/** As assertMarked, before something is written; makes the marker of a new archive, and of one from before there were any. */
export async function mark(root: string, known: () => Promise<KnownObject>): Promise<void> {
  const file = join(root, markerName);
  if (await isFile(file)) return;
  await assertMarked(root, known);
  try {
    await writeNew(file, markerText);
  } catch (error) {
    // Another process was faster.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

async function isArchive(root: string, known: KnownObject): Promise<boolean> {
  if (known === 'never') return true;

  return known !== 'gone' && (await isFile(join(root, known.key)));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}

import { fchmodSync, fchownSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../core/errors.ts';

/** Who has a file, and who may do what with it: permission bits. */
export type Owner = { uid: number; gid: number; mode: number };

/** As the file is, or for its owner only in a folder that is; what one command makes as root, the service must be able to use. */
export function likeThatThere(file: string): Owner {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined) return { uid: found.uid, gid: found.gid, mode: found.mode & 0o660 };
  const { uid, gid } = statSync(dirname(file));

  return { uid, gid, mode: 0o600 };
}

/** Gives a file that was just made that owner, as far as this account and the file system allow: only root can give files away. */
export function giveAsThere(fd: number, { uid, gid, mode }: Owner): void {
  try {
    fchmodSync(fd, mode);
    if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
  } catch {
    // It stays with who has made it; whoever cannot use it is told so before anything is erased.
  }
}

/** That in which folders that are missing would be made. */
export async function nearestFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (cause) {
    const parent = dirname(folder);
    if (errnoOf(cause) !== 'ENOENT' || parent === folder) throw cause;
    return nearestFolder(parent);
  }
}

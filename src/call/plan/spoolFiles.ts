/** Whether what Asterisk records is ours to read and to change: a folder that is may hold files that are not. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, rmSync } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { aclFor } from './spoolRights.ts';

const recordingName = /^preavis-[0-9A-HJKMNP-TV-Z]{26}\.wav$/;
/** Files that are tried; the newest ids come last. */
const mostTried = 20;
const groupMayWrite = 0o060;

const alsoOfNew = (folder: string): string =>
  `For new files: ${aclFor(folder)}, or UMask=0007 for Asterisk's service; then give the group what is there: sudo chmod g+rw ${join(folder, 'preavis-*.wav')}`;

/**
 * Tries recordings that are there; where there is none, tells what is seen of a new file.
 *
 * @returns what a person should know; undefined where all is well
 * @throws PreavisError `spool_unusable` where a recording of Asterisk's cannot be read or changed, or the folder not be looked at
 */
export async function spoolFilesNote(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder)).filter((name) => recordingName.test(name)).sort();
  const tried = await Promise.all(names.slice(-mostTried).map((name) => isOurs(join(folder, name))));
  if (tried.includes(false)) {
    throw new PreavisError(
      'spool_unusable',
      `recording.spoolFolder ${folder}: recordings are there that this user may not read and change`,
      { hint: alsoOfNew(folder) },
    );
  }
  const isOwn = process.geteuid?.() === 0 || (await stat(folder)).uid === process.geteuid?.();
  if (tried.length > 0 || isOwn || doesGroupGetFiles(folder)) return undefined;

  return `no recording is there that shows that what Asterisk makes is this user's to read, and the folder has no default ACL. ${alsoOfNew(folder)}`;
}

async function isOurs(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK | constants.W_OK);
    return true;
  } catch (thrown) {
    // Meanwhile it may have been archived.
    return errnoOf(thrown) === 'ENOENT';
  }
}

/** A default ACL decides in the place of the umask, whose who makes a file: so ours can tell whether there is one. */
function doesGroupGetFiles(folder: string): boolean {
  const file = join(folder, `.check.${randomBytes(8).toString('hex')}`);
  const before = process.umask(0o077);
  try {
    const handle = openSync(file, 'wx', 0o666);
    try {
      return (fstatSync(handle).mode & groupMayWrite) === groupMayWrite;
    } finally {
      closeSync(handle);
      rmSync(file, { force: true });
    }
  } finally {
    process.umask(before);
  }
}

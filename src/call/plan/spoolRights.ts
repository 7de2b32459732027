/** Which command gives Préavis the recording folder, as far as the folder itself tells. */
import { access, constants, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { shellWord } from '../../core/text/shell.ts';

/** Who this process is, for the system. */
export type Account = { name: string; uid: number; groups: readonly number[] };

/** The first folder on the way, or the recording folder itself, that this process may not use. */
export type Barrier = { path: string; isSpool: boolean; uid: number; gid: number; mode: number };

const { R_OK, W_OK, X_OK } = constants;

/** `spool_unusable`, with the command that mends it where that can be told. */
export async function spoolUnusable(folder: string, cause: unknown): Promise<PreavisError> {
  const errno = errnoOf(cause) ?? 'error';
  const isRefused = errno === 'EACCES' || errno === 'EPERM';
  const barrier = isRefused ? await barrierTo(resolve(folder)).catch(() => undefined) : undefined;
  const hint = mend(errno, folder, accountOfProcess(), barrier);
  const at = barrier === undefined || barrier.isSpool ? '' : `, ${barrier.path} is closed to this user`;

  return new PreavisError('spool_unusable', `recording.spoolFolder ${folder}: ${errno}${at}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

function accountOfProcess(): Account {
  const uid = process.geteuid?.() ?? -1;
  const groups = [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  try {
    return { name: userInfo().username, uid, groups };
  } catch {
    // In a container this user may have no name.
    return { name: String(uid), uid, groups };
  }
}

async function barrierTo(folder: string): Promise<Barrier | undefined> {
  for (const path of waysTo(folder)) {
    const isSpool = path === folder;
    try {
      await access(path, isSpool ? R_OK | W_OK | X_OK : X_OK);
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EACCES') return undefined;
      const { uid, gid, mode } = await stat(path);
      return { path, isSpool, uid, gid, mode };
    }
  }

  return undefined;
}

/** The folders that are passed on the way, from the root on, and the folder. */
function waysTo(folder: string): string[] {
  const parent = dirname(folder);

  return parent === folder ? [folder] : [...waysTo(parent), folder];
}

/** Pure. The commands are meant for a person to read first, and run as they are. */
export function mend(
  errno: string,
  folder: string,
  { name, uid, groups }: Account,
  barrier: Barrier | undefined,
): string | undefined {
  const spool = shellWord(folder);
  switch (errno) {
    case 'ENOENT':
      return `If Asterisk records there, make it: sudo install -d -o asterisk -g asterisk -m 2770 ${spool} && ${acl(spool)}; else set recording.spoolFolder.`;
    case 'EROFS':
      return `This process may only read there. If it is a service of systemd, add ReadWritePaths=${folder} (sudo systemctl edit preavis); else mount it for writing.`;
    case 'EACCES':
    case 'EPERM':
      break;
    default:
      return undefined;
  }
  if (barrier === undefined) return undefined;
  const path = shellWord(barrier.path);
  const isOwner = barrier.uid === uid;
  // Nobody is put into the group of root.
  const isRoots = barrier.gid === 0;
  if (isRoots && !barrier.isSpool && !isOwner) return undefined;
  const group = isRoots ? 'asterisk' : `"$(sudo stat -c %G ${path})"`;
  const wanted = barrier.isSpool ? 0o070 : 0o010;
  const steps = isOwner
    ? [`sudo chmod u+${barrier.isSpool ? 'rwx' : 'x'} ${path}`]
    : [
        ...(isRoots ? [`sudo chgrp asterisk ${path}`] : []),
        ...(groups.includes(barrier.gid) && !isRoots ? [] : [`sudo usermod -aG ${group} ${shellWord(name)}`]),
        ...((barrier.mode & wanted) === wanted ? [] : opened(barrier.isSpool, path)),
      ];
  if (steps.length === 0) return undefined;

  return `Run: ${steps.join(' && ')}; then restart Préavis (sudo systemctl restart preavis).`;
}

const opened = (isSpool: boolean, path: string): string[] =>
  isSpool ? [`sudo chmod g+rwxs ${path}`, acl(path)] : [`sudo chmod g+x ${path}`];

const acl = (path: string): string => `sudo setfacl -d -m u::rwX,g::rwX,o::--- ${path}`;

/** The command by which new files in a folder are the group's, too. */
export const aclFor = (folder: string): string => acl(shellWord(folder));

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeLabFolder, recordMount, recordProcess } from '../../lab/processes.ts';
import { canMount } from './mounts.ts';
import { eventually } from './poll.ts';

/** Debian's own, for which its packages are. */
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('../../lab/faultyDisk.py', import.meta.url));

/** What befalls the operations of a kind on files whose path matches; see lab/faultyDisk.py. */
export type DiskFault = {
  operations: readonly (
    'read' | 'write' | 'fsync' | 'open' | 'rename' | 'unlink' | 'list' | 'mkdir' | 'stat' | 'link'
  )[];
  names?: RegExp;
  does: 'EIO' | 'EROFS' | 'ENOSPC' | 'hang' | 'swallow';
};

/** A disk over a folder that does what it is told; only root can mount it. */
export type FaultyDisk = {
  /** In the place of those before. */
  befall(...faults: DiskFault[]): Promise<void>;
  /**
   * Whoever used it must be dead by now: nothing but what was flushed is left, and it lies in the folder itself again, without a fault.
   */
  losePower(): Promise<void>;
  unmount(): Promise<void>;
};

export async function mountFaultyDisk(folder: string): Promise<FaultyDisk> {
  const aside = makeLabFolder();
  const [livePath, durablePath] = [join(aside.path, 'live'), join(aside.path, 'durable')];
  const { uid, gid } = statSync(folder);
  cpSync(folder, livePath, { recursive: true, preserveTimestamps: true });
  mkdirSync(durablePath);
  chownSync(livePath, uid, gid);
  const forgetMount = recordMount(folder);
  const child = spawn(python, [script, livePath, durablePath, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const forget = child.pid === undefined ? () => undefined : recordProcess('python3', child.pid);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { dev } = statSync(join(folder, '..'));
  await eventually(() => statSync(folder).dev !== dev);
  const say = async (told: unknown): Promise<void> => {
    child.stdin.write(`${JSON.stringify(told)}\n`);
    await answers.next();
  };
  let isMounted = true;
  const unmount = async (): Promise<void> => {
    if (!isMounted) return;
    isMounted = false;
    // Whoever still has a file of it open would keep it alive.
    execFileSync('umount', ['--lazy', folder]);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    forget();
    forgetMount();
  };

  return {
    befall: (...faults) => say(faults.map(({ names, ...fault }) => ({ ...fault, names: names?.source ?? '' }))),
    losePower: async () => {
      await say('cut');
      await unmount();
      replaceContent(folder, join(durablePath, 'files'));
      aside.remove();
    },
    unmount: async () => {
      await unmount();
      aside.remove();
    },
  };
}

/** Keeps what is in these folders now, in a folder beside them, and puts it back as often as is asked. */
export function folderKeeper(folders: readonly string[], aside: string): { putBack(): void } {
  const copies = folders.map((folder, index) => ({ folder, copy: join(aside, String(index)) }));
  for (const { folder, copy } of copies) cpSync(folder, copy, { recursive: true, preserveTimestamps: true });

  return {
    putBack: () => {
      for (const { folder, copy } of copies) replaceContent(folder, copy);
    },
  };
}

function replaceContent(folder: string, by: string): void {
  const { uid, gid, mode } = statSync(folder);
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  cpSync(by, folder, { recursive: true, preserveTimestamps: true });
  for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, gid);
  chmodSync(folder, mode);
}

/** Only root can mount one, where there is FUSE and Debian's python3-fusepy. */
export const canMountFaultyDisk: boolean =
  canMount && existsSync('/dev/fuse') && spawnSync(python, [script, '--try'], { stdio: 'ignore' }).status === 0;

import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeLabFolder, recordMount, recordProcess } from '../../../lab/machine/processes.ts';
import { canMount } from './mounts.ts';
import { eventually } from '../poll.ts';

/** Debian's own, for which its packages are. */
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('../../../lab/machine/faultyDisk.py', import.meta.url));

/** What befalls the operations of a kind on files whose path matches; see lab/machine/faultyDisk.py. */
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
  /** How many operations hang now. */
  hanging(): Promise<number>;
  /**
   * Whoever used it must be dead by now: nothing but what was flushed is left, and it lies in the folder itself again, without a fault.
   */
  losePower(): Promise<void>;
  /** All that was written lies in the folder itself again. */
  unmount(): Promise<void>;
};

export async function mountFaultyDisk(folder: string): Promise<FaultyDisk> {
  const aside = makeLabFolder();
  const [livePath, durablePath] = [join(aside.path, 'live'), join(aside.path, 'durable')];
  const { uid, gid } = statSync(folder);
  cpSync(folder, livePath, { recursive: true, preserveTimestamps: true });
  mkdirSync(durablePath);
  chownSync(livePath, uid, gid);
  const { dev } = statSync(join(folder, '..'));
  const isMounted = (): boolean => statSync(folder).dev !== dev;
  const forgetMount = recordMount(folder);
  const child = spawn(python, [script, livePath, durablePath, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const forget = child.pid === undefined ? () => undefined : recordProcess('python3', child.pid);
  // From the beginning: it may end before anybody waits for that.
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  // Who has ended gives no answer, and that is told.
  child.stdin.on('error', () => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const say = async (told: unknown): Promise<number> => {
    child.stdin.write(`${JSON.stringify(told)}\n`);
    const answer = await answers.next();
    if (answer.done === true) throw new Error(`the disk over ${folder} has ended by itself`);
    return Number(answer.value);
  };
  const end = async (): Promise<void> => {
    // Whoever still has a file of it open would keep it alive.
    spawnSync('umount', ['--lazy', folder]);
    child.kill('SIGKILL');
    await ended;
    if (isMounted()) throw new Error(`${folder} cannot be unmounted`);
    forget();
    forgetMount();
  };
  /** What is left is what lies there; the second time there is nothing to be done. */
  let isThere = true;
  const leave = async (left: string): Promise<void> => {
    if (!isThere) return;
    isThere = false;
    await end();
    replaceContent(folder, left);
    aside.remove();
  };
  try {
    await eventually(isMounted);
  } catch (error) {
    await end();
    aside.remove();
    throw error;
  }

  return {
    befall: async (...faults) => {
      await say(faults.map(({ names, ...fault }) => ({ ...fault, names: names?.source ?? '' })));
    },
    hanging: () => say('look'),
    losePower: async () => {
      await say('cut');
      await leave(join(durablePath, 'files'));
    },
    unmount: () => leave(livePath),
  };
}

/** A folder of their own for these files of a folder, which are not there yet: a disk can be under them. They keep their names there. */
export function apartFrom(folder: string, names: readonly string[]): { readonly path: string; end(): void } {
  const path = join(folder, 'apart');
  mkdirSync(path, { mode: 0o700 });
  for (const name of names) symlinkSync(join(path, name), join(folder, name));

  return {
    path,
    /** Their content lies under their names, for whoever keeps it of a failure. */
    end: () => {
      for (const name of readdirSync(path)) {
        rmSync(join(folder, name), { force: true });
        cpSync(join(path, name), join(folder, name));
      }
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

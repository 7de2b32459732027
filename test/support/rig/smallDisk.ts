import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordMount } from '../../../lab/machine/processes.ts';
import { errnoOf } from '../../../src/core/errors.ts';

/** A disk of a few MiB (tmpfs), to be filled: only root can mount one. */
export type SmallDisk = {
  readonly folder: string;
  /** Leaves this room, bytes. */
  leave(bytes: number): void;
  /** Gives the room back. */
  empty(): void;
  readOnly(isReadOnly: boolean): void;
  unmount(): void;
};

function appendUntilFull(file: string, bytes: number): void {
  try {
    appendFileSync(file, Buffer.alloc(bytes));
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error;
  }
}

/** Mounts it over `folder`, which keeps its owner and mode. */
export function mountSmallDisk(folder: string, mebibytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  const { uid, gid, mode } = statSync(folder);
  const options = `size=${mebibytes}m,mode=${(mode & 0o7777).toString(8)},uid=${uid},gid=${gid}`;
  const forget = recordMount(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  const filling = join(folder, 'filling');

  return {
    folder,
    leave: (bytes) => {
      writeFileSync(filling, '');
      const left = (): number => {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize;
      };
      // Piece by piece: somebody else may write at the same time.
      for (let room = left() - bytes; room > 0; room = left() - bytes) appendUntilFull(filling, room);
      chownSync(filling, uid, gid);
    },
    empty: () => {
      rmSync(filling, { force: true });
    },
    readOnly: (isReadOnly) => {
      execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, folder]);
    },
    unmount: () => {
      execFileSync('umount', ['--lazy', folder]);
      forget();
    },
  };
}

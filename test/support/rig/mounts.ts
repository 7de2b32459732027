import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { makeLabFolder, recordMount } from '../../../lab/machine/processes.ts';

const run = promisify(execFile);

/** Root may mount, but not in every container. */
export const canMount: boolean = (() => {
  if (process.getuid?.() !== 0) return false;
  const folder = makeLabFolder();
  const forget = recordMount(folder.path);
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'preavis-test', folder.path]);
    return status === 0 && spawnSync('umount', [folder.path]).status === 0;
  } finally {
    forget();
    folder.remove();
  }
})();

/** Mounts that are gone after each test. */
export function mounts(): (
  ...args: string[]
) => Promise<{ remount(options: string): Promise<void>; end(): Promise<void> }> {
  const mounted = new Map<string, () => void>();
  afterEach(async () => {
    for (const [point, forget] of [...mounted].reverse()) {
      await run('umount', [point]);
      forget();
    }
    mounted.clear();
  });

  return async (...args) => {
    const point = args.at(-1) ?? '';
    const forget = recordMount(point);
    try {
      await run('mount', args);
    } catch (error) {
      forget();
      throw error;
    }
    mounted.set(point, forget);

    return {
      remount: async (options) => {
        await run('mount', ['-o', `remount,${options}`, point]);
      },
      end: async () => {
        await run('umount', [point]);
        mounted.delete(point);
        forget();
      },
    };
  };
}

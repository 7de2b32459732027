import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Root may mount, but not in every container. */
export const canMount: boolean = (() => {
  if (process.getuid?.() !== 0) return false;
  const point = mkdtempSync(join(tmpdir(), 'preavis-mount-'));
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'preavis-test', point]);
    return status === 0 && spawnSync('umount', [point]).status === 0;
  } finally {
    rmdirSync(point);
  }
})();

/** Mounts that are gone after each test. */
export function mounts(): (
  ...args: string[]
) => Promise<{ remount(options: string): Promise<void>; end(): Promise<void> }> {
  const mounted = new Set<string>();
  afterEach(async () => {
    for (const point of [...mounted].reverse()) await run('umount', [point]);
    mounted.clear();
  });

  return async (...args) => {
    const point = args.at(-1) ?? '';
    await run('mount', args);
    mounted.add(point);

    return {
      remount: async (options) => {
        await run('mount', ['-o', `remount,${options}`, point]);
      },
      end: async () => {
        await run('umount', [point]);
        mounted.delete(point);
      },
    };
  };
}

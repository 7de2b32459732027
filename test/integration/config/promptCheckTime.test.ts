import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { shippedSounds } from '../../support/promptFolder.ts';

const main = join(import.meta.dirname, '..', '..', '..', 'dist', 'main.js');

/** The processor's time of one command, its start included, ms: other work on the machine hardly lengthens it. */
function cpuMsOf(...args: readonly string[]): number {
  const script = '"$@" >/dev/null || exit 1; times';
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, main, ...args], { encoding: 'utf8' });
  const [user, system] = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60_000 + Number(seconds) * 1_000,
  );

  return (user ?? Number.NaN) + (system ?? Number.NaN);
}

test('the shipped sounds are checked in about a second of processor time', () => {
  const costs = [1, 2, 3].map(() => cpuMsOf('prompts', 'check', '--sounds', shippedSounds));
  expect(Math.min(...costs)).toBeGreaterThan(50);
  expect(Math.min(...costs)).toBeLessThan(1_300);
});

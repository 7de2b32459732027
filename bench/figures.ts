/** Figures that several benchmarks compute. */
import { readFileSync } from 'node:fs';

export const ascending = (list: readonly number[]): number[] => list.toSorted((one, other) => one - other);

export const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;

/** The least value that so large a part of the list is not above (nearest rank). `part`: above 0, 1 for the largest. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN;
}

/** The CPU time of a process so far, or of its main thread, ms. Ticks of /proc are hundredths of a second on Linux. */
export function cpuMs(pid: number, part: 'process' | 'main thread' = 'process'): number {
  const file = part === 'process' ? `/proc/${pid}/stat` : `/proc/${pid}/task/${pid}/stat`;
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];

  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Takes a step and its time, and samples the memory (RSS) of this process each `everyMs` meanwhile. Memory in MiB. */
export async function measured<T>(
  everyMs: number,
  step: () => Promise<T>,
): Promise<{ value: T; ms: number; before: number; most: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const sampler = setInterval(sample, everyMs);
  const began = performance.now();
  const value = await step();
  const ms = performance.now() - began;
  clearInterval(sampler);
  sample();

  return { value, ms, before: before / 2 ** 20, most: most / 2 ** 20 };
}

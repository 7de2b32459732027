/** What a computation costs: the processor's time of this process, which other work on the machine does not lengthen. ms. */
export function cpuMs(compute: () => void): number {
  const before = process.cpuUsage();
  compute();
  const { user, system } = process.cpuUsage(before);

  return (user + system) / 1_000;
}

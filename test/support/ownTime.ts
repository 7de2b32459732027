const everyMs = 20;
/** Of one turn, ms, beside what this process computed in it: what is longer is no work of it, since it stood still. */
const mostMs = 200;

/**
 * How long something takes, ms, in time in which this process went on. Timers of the product in it stand still with it, and so do those that a
 * bound is about.
 */
export async function ownMs(act: () => Promise<unknown>): Promise<number> {
  let spent = 0;
  let last = performance.now();
  let computed = process.cpuUsage();
  const note = (): void => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(computed);
    spent += Math.min(now - last, mostMs + (user + system) / 1_000);
    last = now;
    computed = process.cpuUsage();
  };
  const timer = setInterval(note, everyMs);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  note();

  return spent;
}

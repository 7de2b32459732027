/**
 * Waits until its owner is gone, however it went (exit, Ctrl-C, SIGKILL: the pipe closes), and ends what the owner left.
 * It lives in a session of its own, so that a Ctrl-C in the owner's terminal does not reach it.
 */
import { endLeftovers, isAlive } from './leftovers.mjs';

const owner = { pid: Number(process.argv[2]), startTime: process.argv[3] };

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.stdin.resume();
process.stdin.on('close', () => {
  const poll = () => {
    if (isAlive(owner)) setTimeout(poll, 20);
    else {
      endLeftovers();
      process.exit(0);
    }
  };
  poll();
});

/**
 * Waits until its owner is gone, however it went (exit, Ctrl-C, SIGKILL: the pipe closes), and ends what the owner left.
 * It lives in a session of its own, so that a Ctrl-C in the owner's terminal does not reach it.
 */
import { deadRecords, cleanUpDeadRecords, isAlive } from './records.mjs';

const owner = { pid: Number(process.argv[2]), startTime: process.argv[3] };
/** A folder may be written to for a moment after its writer was told to end. */
const triesAtMost = 20;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.stdin.resume();
process.stdin.on('close', () => {
  let tries = 0;
  const poll = () => {
    if (isAlive(owner)) {
      setTimeout(poll, 20);
      return;
    }
    cleanUpDeadRecords();
    tries += 1;
    if (tries < triesAtMost && deadRecords().length > 0) setTimeout(poll, 250);
    else process.exit(0);
  };
  poll();
});

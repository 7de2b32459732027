/**
 * Watches whether the machine keeps the lab's time: one process beside a whole test run. It writes into its folder
 *
 * - `packets.pcap`: the head of each UDP packet to a port of the lab, with the kernel's time (tcpdump, which needs root),
 * - `late.txt`: a line `KIND UNIX_MS LATE_MS` for each late timer of its own, for each leap of the machine's clock, as behind a snapshot of it, and for
 *   each second of stolen processor time. It has no precedence before Préavis and the tests.
 *
 * lab/machine/lateness.ts reads both. It ends, and its folder is removed, when its standard input closes: whoever started it is gone then.
 *
 * With `timers` no packets are captured: of a run of many minutes they would fill the disk.
 *
 *   node lab/machine/watch.mjs FOLDER [timers]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ownRecord, startTimeOf } from './records.mjs';

const folder = process.argv[2] ?? '';
/** The ports of the lab (lab/machine/ports.ts), and one below them, to which lateness.ts sends. */
const ports = '10099-32000';
const everyMs = 10;
/** Shorter delays and less stolen time are not written down. */
const leastLateMs = 30;
const leastStolenMs = 30;
/** USER_HZ of every Linux that Node runs on. */
const tickMs = 10;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
const forget = [ownRecord({ kind: 'path', path: folder })];
mkdirSync(folder, { recursive: true });
const note = (line) => {
  try {
    appendFileSync(join(folder, 'late.txt'), `${line}\n`);
  } catch {
    // The disk is full; lateness.ts tells that.
  }
};

// The capture ends with the folder, and not by itself: tests read what has come so far.
const packets = join(folder, 'packets.pcap');
const filter = `udp and dst portrange ${ports}`;
const capture =
  process.argv[3] === 'timers'
    ? undefined
    : spawn('tcpdump', ['-i', 'lo', '-nn', '-p', '-U', '-s', '64', '-B', '16384', '-w', packets, filter], {
        stdio: 'ignore',
      });
// Where there never was a capture, packets are not watched; where it ended, what came after it was late for all we know.
const hasEnded = () => {
  const kind = existsSync(packets) ? 'captureEnded' : 'noCapture';
  // It may have ended because the disk is full, and this must be written.
  rmSync(packets, { force: true });
  note(`${kind} ${Date.now()} 0`);
};
if (capture === undefined) hasEnded();
capture?.once('error', hasEnded);
capture?.once('exit', hasEnded);
if (capture?.pid !== undefined) {
  forget.push(
    ownRecord({ kind: 'process', command: 'tcpdump', pid: capture.pid, startTime: startTimeOf(capture.pid) }),
  );
}

/** Time in which the host gave each processor to others, ms since boot, by the name of the processor. */
const stolenMs = () =>
  new Map(
    [...readFileSync('/proc/stat', 'latin1').matchAll(/^(cpu\d+) (.*)$/gm)].map(([, name, counts]) => [
      name,
      Number(counts.split(' ')[7] ?? 0) * tickMs,
    ]),
  );

/** How far the clock is before the monotonic one, which stands still while the machine does, ms. */
const aheadMs = () => Date.now() - performance.now();
let [due, stolen, lookedAt, ahead] = [performance.now() + everyMs, stolenMs(), performance.now(), aheadMs()];
const timer = setInterval(() => {
  const now = performance.now();
  if (now - due > leastLateMs) note(`timer ${Date.now()} ${Math.round(now - due)}`);
  due = now + everyMs;
  const leapMs = Math.round(Math.abs(aheadMs() - ahead));
  if (leapMs > leastLateMs) note(`timer ${Date.now()} ${leapMs}`);
  ahead = aheadMs();
  if (now - lookedAt < 1000) return;
  const gone = stolenMs();
  // Of the processor that lost most: what a call needs runs on any of them.
  const most = Math.max(0, ...[...gone].map(([name, ms]) => ms - (stolen.get(name) ?? ms)));
  if (most >= leastStolenMs) note(`stolen ${Date.now()} ${most}`);
  [stolen, lookedAt] = [gone, now];
}, everyMs);

process.stdin.resume();
process.stdin.on('close', async () => {
  clearInterval(timer);
  const captures = capture?.exitCode === null && capture.signalCode === null && capture.pid !== undefined;
  capture?.removeAllListeners('exit');
  if (captures) {
    capture.kill('SIGKILL');
    await once(capture, 'exit');
  }
  // A process of the run may still write into it.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  for (const each of forget) each();
  process.exit(0);
});

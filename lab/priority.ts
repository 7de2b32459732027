/**
 * Telephones and the telephone system send sound each 20 ms and compute little: nothing may keep them from it. Préavis is not
 * among them, as it has none in an installation either.
 */
import { setPriority } from 'node:os';
import { readdirSync, writeFileSync } from 'node:fs';

const nice = -10;

/**
 * Gives a process that was just started, in a session of its own, the processor before others. Only root may do that;
 * for others nothing changes, and lateness.ts still says what came late.
 */
export function takeFirst(pid: number): void {
  try {
    // Each thread has a niceness of its own.
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), nice);
    // Where the kernel shares time out between sessions (sched_autogroup_enabled), only this counts.
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not root, no autogroups, or the process has ended already.
  }
}

/**
 * Who gets the processor first. Telephones and the telephone system send sound each 20 ms and compute little: nothing may keep them from it.
 * Préavis comes behind them and before the tests, which no installation runs beside it: how soon it does something is then its own doing.
 */
import { setPriority } from 'node:os';
import { readdirSync, writeFileSync } from 'node:fs';

const niceness = { sound: -10, product: -5 } as const;
export type Priority = keyof typeof niceness;

/**
 * Gives a process that was just started, in a session of its own, the processor before others. Only root may do that;
 * for others nothing changes, and lateness.ts still says what came late.
 */
export function raisePriority(pid: number, priority: Priority): void {
  const nice = niceness[priority];
  try {
    // Each thread has a niceness of its own.
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), nice);
    // Where the kernel shares time out between sessions (sched_autogroup_enabled), only this counts.
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not root, no autogroups, or the process has ended already.
  }
}

/**
 * SIPp waits a millisecond at a time, whatever it waits for. So much later its timers may be, ns, so that forty telephones do not wake the machine
 * 40,000 times a second: a fifth of the time between two packets.
 */
const timerSlackNs = 4_000_000;

/** Lets the timers of a process that was just started be late by a little. Only root may do that; for others nothing changes. */
export function allowLateTimers(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/timerslack_ns`, String(timerSlackNs));
  } catch {
    // Not root, or the process has ended already.
  }
}

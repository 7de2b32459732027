import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** How long this machine has run, ms, by a clock that nobody can set. It is comparable only with that of the same boot. */
export type SinceBoot = { boot: string; ms: number };

/** Milliseconds since 1970 UTC. Proof uses the times of Asterisk's events (P8); this is for schedules and limits. */
export type Clock = {
  now(): number;
  /** Absent in clocks of tests that have no such thing. */
  sinceBoot?: () => SinceBoot;
};

/** What our clocks said at one moment; `sinceBoot` is undefined where there is none. */
export type ClockReading = { at: number; sinceBoot: SinceBoot | undefined };

export function readClock(clock: Clock): ClockReading {
  return { at: clock.now(), sinceBoot: clock.sinceBoot?.() };
}

/** How far the clock that can be set is from the one that cannot, ms: constant within a boot while nobody steps the clock. */
export function offsetOf({ at, sinceBoot }: ClockReading): number | undefined {
  return sinceBoot === undefined ? undefined : at - sinceBoot.ms;
}

const ofProcess = 'process ';

/** Linux gives each boot an id without a meaning. Elsewhere, and where /proc is hidden, a process is comparable with itself alone. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `${ofProcess}${randomUUID()}`;
  }
}

const boot = bootId();

/** What processes of one machine have in common; undefined where only this one can compare. */
export function sinceBootOfMachine(clock: Clock): SinceBoot | undefined {
  const since = clock.sinceBoot?.();

  return since?.boot.startsWith(ofProcess) === true ? undefined : since;
}

export const systemClock = {
  now: () => Date.now(),
  // Not os.uptime(): some containers give each its own, under the boot id of the machine.
  sinceBoot: () => ({ boot, ms: Number(process.hrtime.bigint() / 1_000_000n) }),
} satisfies Clock;

/** So far a clock is moved without anybody's setting it, and processes may differ, ms. */
export const movedByItselfMs = 10 * 60_000;

/** Whether a time that was written as of then is so far ahead that the clock was set back since. */
export const isWronglyAhead = (writtenAt: number, now: number): boolean => writtenAt > now + movedByItselfMs;

/** A day without a change of the clock, ms. */
export const dayMs = 86_400_000;

/** ISO 8601 in UTC with milliseconds; null where a time is not known. */
export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

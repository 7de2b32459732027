import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from '../../../lab/rig.ts';
import { errnoOf } from '../../../src/core/errors.ts';
import type { Made } from '../callers.ts';
import type { Struck } from '../faults.ts';
import type { Observer } from '../observer.ts';

const lookEveryMs = 200;
/** As a service manager waits before it starts again what has ended, ms. */
export const restartAfterMs = 1_000;
/** Who has woken up and lost everything has so long to end by itself: its next renewal of the lease, and its grace, ms. */
const endsWithinMs = 60_000;

/** One telephone system of the fleet. */
export type Pbx = {
  readonly name: string;
  readonly rig: Rig;
  /** Where its Préavis finds PostgreSQL and the store: an address that no other PBX uses. */
  readonly address: string;
  /** The role that its Préavis writes by, and that of another one that takes its place. */
  readonly role: string;
  readonly otherRole: string;
  readonly observer: Observer;
  readonly keeper: Keeper;
  readonly made: Made[];
  readonly struck: Struck[];
};

export type Keeper = {
  /** From now on nothing is started. */
  hold(): void;
  /** From now on serve is started wherever it is down, as a service manager does. */
  release(): void;
  /** No further start; resolves when none is under way. */
  stop(): Promise<void>;
};

/** Starts serve wherever it is down, also where it has ended by itself or cannot be started yet. */
export function makeKeeper(rig: Rig, name: string, say: (line: string) => void): Keeper {
  let [isHeld, isStopped] = [true, false];
  const keeping = (async () => {
    let [wasUp, startedAt] = [false, 0];
    while (!isStopped) {
      await sleep(lookEveryMs);
      if (isHeld || rig.servePid() !== undefined) {
        wasUp = !isHeld;
        continue;
      }
      if (wasUp) say(`serve of ${name} has ended by itself: ${lastWords(rig, startedAt)}`);
      wasUp = false;
      startedAt = statSync(rig.logFile).size;
      await rig.startServe().catch(() => sleep(restartAfterMs));
    }
  })();

  return {
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
    },
    stop: () => {
      isStopped = true;
      return keeping;
    },
  };
}

/** What it has told its operator at its end: commands end with a line that begins so. */
function lastWords(rig: Rig, from: number): string {
  const lines = readFileSync(rig.logFile).subarray(from).toString('utf8').split('\n');

  return lines.findLast((line) => line.startsWith('preavis: ')) ?? 'without a word';
}

/** Whether this process is there. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);

    return true;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** A process that has been passed over is to end by itself; false where it was killed, because it did not. */
export async function endsByItself(pid: number): Promise<boolean> {
  for (const until = performance.now() + endsWithinMs; performance.now() < until;) {
    if (!isThere(pid)) return true;
    await sleep(100);
  }
  process.kill(pid, 'SIGKILL');

  return false;
}

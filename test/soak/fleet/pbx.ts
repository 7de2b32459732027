import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalIfThere } from '../../../lab/machine/processes.ts';
import type { Rig } from '../../../lab/rig.ts';
import type { ServeProcess } from '../../../lab/serveProcess.ts';
import { isAlive } from '../../../src/core/processes.ts';
import type { TcpProxy } from '../../support/ari/tcpProxy.ts';
import type { Made } from '../callers.ts';
import type { Struck } from '../faults.ts';
import type { Observer } from '../observer.ts';

const lookEveryMs = 200;
/** How often it is looked whether a worker serves, ms. */
const lookAtServingMs = 500;
/** As a service manager waits before it starts again what has ended, ms. */
const restartAfterMs = 1_000;
/** Who has woken up and lost everything has so long to end by itself: its next renewal of the lease, and its grace, ms. */
const endsWithinMs = 60_000;

/** One telephone system of the fleet, which two workers share. */
export type Pbx = {
  readonly name: string;
  readonly rig: Rig;
  readonly workers: readonly Worker[];
  readonly observer: Observer;
  /** When none of its workers said that it served, looked at all the time; Unix times, ms. */
  readonly unanswered: () => readonly number[];
  readonly made: Made[];
  readonly struck: Struck[];
};

export type Worker = {
  readonly name: string;
  readonly serve: ServeProcess;
  /** Where it finds PostgreSQL and the store: an address that no other worker uses. */
  readonly address: string;
  /** Its way to Asterisk. */
  readonly line: TcpProxy;
  /** The role that it writes by. */
  readonly role: string;
  readonly keeper: Keeper;
};

export type Keeper = {
  /** From now on nothing is started. */
  hold(): void;
  /** From now on it is started wherever it is down, as a service manager does. */
  release(): void;
  /** No further start; resolves when none is under way. */
  stop(): Promise<void>;
};

/** Of all PBXs, each once: what breaks for all stands with each of them. */
export const everyFault = (pbxs: readonly Pbx[]): Struck[] => [...new Set(pbxs.flatMap(({ struck }) => struck))];

/** Starts a worker wherever it is down, also where it has ended by itself or cannot be started yet. */
export function makeKeeper(
  name: string,
  serve: ServeProcess,
  environment: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Keeper {
  let [isHeld, isStopped] = [true, false];
  const keeping = (async () => {
    let [wasUp, startedAt] = [false, 0];
    while (!isStopped) {
      await sleep(lookEveryMs);
      if (isHeld || serve.pid() !== undefined) {
        wasUp = !isHeld;
        continue;
      }
      if (wasUp) say(`${name} has ended by itself: ${lastWords(serve, startedAt)}`);
      wasUp = false;
      startedAt = sizeOf(serve.logFile);
      await serve.start(environment).catch(() => sleep(restartAfterMs));
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

/** How much this log has by now, bytes. */
export const sizeOf = (logFile: string): number => (existsSync(logFile) ? statSync(logFile).size : 0);

/** What was written into a log behind its first bytes. */
export function saidSince(logFile: string, from: number): string {
  const file = openSync(logFile, 'r');
  try {
    const bytes = Buffer.alloc(fstatSync(file).size - from);
    readSync(file, bytes, 0, bytes.length, from);

    return bytes.toString('utf8');
  } finally {
    closeSync(file);
  }
}

/** What it has told its operator at its end: commands end with a line that begins so, and who has lost its lease with one of the log. */
function lastWords({ logFile }: ServeProcess, from: number): string {
  return (
    saidSince(logFile, from)
      .split('\n')
      .findLast((line) => line.startsWith('preavis: ') || line.includes('"code":"lease_lost"')) ?? 'without a word'
  );
}

type Health = { status: string; asterisk: string; calls: number };

/** What this worker says of itself; undefined where it says nothing within this time, ms. */
export async function healthOf({ healthPort }: ServeProcess, withinMs: number): Promise<Health | undefined> {
  try {
    const reply = await fetch(`http://127.0.0.1:${healthPort}/health`, { signal: AbortSignal.timeout(withinMs) });

    return (await reply.json()) as Health;
  } catch {
    return undefined;
  }
}

/** Whether this worker serves, and so has an application of its own that the other one can take. One that is starting waits for it. */
export const isConnected = async (serve: ServeProcess): Promise<boolean> =>
  (await healthOf(serve, 2_000))?.asterisk === 'connected';

/** Looks whether any of these serves. */
export function watchServing(workers: readonly Worker[]): { unanswered: () => readonly number[]; stop: () => void } {
  const unanswered: number[] = [];
  const look = async (): Promise<void> => {
    const at = Date.now();
    const serving = await Promise.all(workers.map(({ serve }) => isConnected(serve)));
    if (!serving.includes(true)) unanswered.push(at);
  };
  const timer = setInterval(() => void look(), lookAtServingMs);

  return {
    unanswered: () => unanswered,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** A process that has been passed over is to end by itself; false where it was killed, because it did not. */
export async function endsByItself(pid: number): Promise<boolean> {
  for (const until = performance.now() + endsWithinMs; performance.now() < until;) {
    if (!isAlive(pid)) return true;
    await sleep(100);
  }

  return !signalIfThere(pid, 'SIGKILL');
}

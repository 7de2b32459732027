/** Two workers of one Asterisk: the real `preavis serve` twice, on one catalogue. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import type { Rig } from '../../../lab/rig.ts';
import { workerNames, type WorkerName } from '../../../src/config/workerNames.ts';
import { isWriting } from '../../../src/catalogue/sqlite/writeLock.ts';
import { commandFile } from '../command.ts';
import { eventually } from '../poll.ts';

type Line = Record<string, unknown>;

export type Workers = {
  /** @param more in its environment alone */
  start(worker: WorkerName, more?: Readonly<Record<string, string>>): Promise<void>;
  /** Both; each has its own calls when this is over. */
  startBoth(): Promise<void>;
  kill(worker: WorkerName): Promise<void>;
  /** As an upgrade does; its exit code. */
  drain(worker: WorkerName): Promise<number | string>;
  /** It stands still until it is thawed: in the middle of a write into SQLite, or not. */
  freeze(worker: WorkerName, inWrite?: boolean): Promise<void>;
  thaw(worker: WorkerName): void;
  isRunning(worker: WorkerName): boolean;
  /** How it ended; waits for that. */
  ended(worker: WorkerName): Promise<number | string>;
  log(worker: WorkerName): Line[];
  /** Waits for a line that it says from now on, or from `since` lines on. */
  says(worker: WorkerName, message: string, since?: number): Promise<Line>;
  health(worker: WorkerName): Promise<Line>;
};

/** proc(5): the state is behind the name, in parentheses. */
const isStopped = (pid: number): boolean => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');

/** To be asked for before the rig, so that none is left when that is ended. */
export function useWorkers(rig: () => Rig): Workers {
  const running = new Map<WorkerName, LiveProcess>();
  const logFile = (worker: WorkerName): string => join(rig().folder, `worker-${worker}.log`);
  const text = (worker: WorkerName): string => {
    try {
      return readFileSync(logFile(worker), 'utf8');
    } catch {
      return '';
    }
  };
  const log = (worker: WorkerName): Line[] =>
    text(worker)
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  const processOf = (worker: WorkerName): LiveProcess => {
    const found = running.get(worker);
    if (found === undefined) throw new Error(`worker ${worker} was not started`);

    return found;
  };
  const port = (worker: WorkerName): number => rig().healthPort + workerNames.indexOf(worker);
  const workers: Workers = {
    start: async (worker, more = {}) => {
      const since = log(worker).length;
      const env = { ...process.env, NODE_OPTIONS: '', ...rig().variables, ...more, PREAVIS_ARI_WORKER: worker };
      running.set(
        worker,
        await spawnLive(process.execPath, [commandFile, 'serve'], {
          logFile: logFile(worker),
          env,
          priority: 'product',
        }),
      );
      await eventually(() => {
        const isServing = log(worker)
          .slice(since)
          .some(({ msg }) => msg === 'serving');
        if (!isServing && !workers.isRunning(worker))
          throw new Error(`worker ${worker} ended at its start: ${text(worker)}`);

        return isServing;
      });
    },
    startBoth: async () => {
      await Promise.all(workerNames.map((worker) => workers.start(worker)));
    },
    kill: async (worker) => {
      await processOf(worker).stop({ signal: 'SIGKILL', graceMs: 0 });
    },
    drain: async (worker) => {
      const ended = processOf(worker);
      await ended.stop({ graceMs: 60_000 });

      return ended.exited;
    },
    freeze: async (worker, inWrite = false) => {
      const { pid } = processOf(worker);
      await eventually(
        async () => {
          process.kill(pid, 'SIGSTOP');
          while (!isStopped(pid)) await setImmediate();
          if (isWriting(join(rig().folder, 'catalogue.db'), pid) === inWrite) return true;
          process.kill(pid, 'SIGCONT');

          return false;
        },
        { everyMs: 1 },
      );
    },
    thaw: (worker) => {
      process.kill(processOf(worker).pid, 'SIGCONT');
    },
    isRunning: (worker) => running.get(worker)?.isRunning() === true,
    ended: (worker) => processOf(worker).exited,
    log,
    says: (worker, message, since = log(worker).length) =>
      eventually(
        () =>
          log(worker)
            .slice(since)
            .find(({ msg }) => msg === message) ?? false,
      ),
    health: async (worker) => (await (await fetch(`http://127.0.0.1:${port(worker)}/health`)).json()) as Line,
  };
  afterAll(async () => {
    for (const each of running.values()) await each.stop({ signal: 'SIGKILL', graceMs: 0 });
  });

  return workers;
}

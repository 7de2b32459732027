/** Two workers of one Asterisk: the real `preavis serve` twice, on one catalogue. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Rig } from '../../../lab/rig.ts';
import type { ServeProcess } from '../../../lab/serveProcess.ts';
import { workerNames, type WorkerName } from '../../../src/config/workerNames.ts';
import { isWriting } from '../../../src/catalogue/sqlite/writeLock.ts';
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

export function useWorkers(rig: () => Rig): Workers {
  const of = (worker: WorkerName): ServeProcess => rig().workers[worker];
  const pidOf = (worker: WorkerName): number => {
    const pid = of(worker).pid();
    if (pid === undefined) throw new Error(`worker ${worker} does not run`);

    return pid;
  };
  const workers: Workers = {
    start: (worker, more) => of(worker).start(more),
    startBoth: async () => {
      await Promise.all(workerNames.map((worker) => workers.start(worker)));
    },
    kill: (worker) => of(worker).kill(),
    drain: async (worker) => {
      await of(worker).stop();

      return of(worker).ended();
    },
    freeze: async (worker, inWrite = false) => {
      const pid = pidOf(worker);
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
      process.kill(pidOf(worker), 'SIGCONT');
    },
    isRunning: (worker) => of(worker).pid() !== undefined,
    ended: (worker) => of(worker).ended(),
    log: (worker) => of(worker).log(),
    says: (worker, message, since = of(worker).log().length) =>
      eventually(
        () =>
          of(worker)
            .log()
            .slice(since)
            .find(({ msg }) => msg === message) ?? false,
      ),
    health: async (worker) => (await (await fetch(`http://127.0.0.1:${of(worker).healthPort}/health`)).json()) as Line,
  };

  return workers;
}

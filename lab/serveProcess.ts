import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnLive, type LiveProcess } from './machine/processes.ts';

/** One `preavis serve` of a lab, which is started, stopped and killed as often as one wants. */
export type ServeProcess = {
  readonly healthPort: number;
  /** What it writes to its standard output. */
  readonly logFile: string;
  /** undefined while it does not run. */
  pid: () => number | undefined;
  /** The lines that it has logged since the lab was made. */
  log: () => Record<string, unknown>[];
  /** Resolves when it serves. `more`: in the environment of this process alone, and `args` behind its command. */
  start: (more?: Readonly<Record<string, string>>, ...args: string[]) => Promise<void>;
  /** Asks it to stop and waits for it. */
  stop: (signal?: NodeJS.Signals, graceMs?: number) => Promise<void>;
  kill: () => Promise<void>;
  /** How the one ended that was started last; waits for that. */
  ended: () => Promise<number | string>;
};

/** `command`: of Node, up to its own arguments. */
export function makeServeProcess(options: {
  command: readonly string[];
  environment: NodeJS.ProcessEnv;
  healthPort: number;
  logFile: string;
}): ServeProcess {
  const { command, environment, healthPort, logFile } = options;
  let serve: LiveProcess | undefined;
  const text = (): string => {
    try {
      return readFileSync(logFile, 'utf8');
    } catch {
      return '';
    }
  };

  return {
    healthPort,
    logFile,
    pid: () => (serve?.isRunning() === true ? serve.pid : undefined),
    // What is being written just now is no line yet.
    log: () =>
      text()
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    start: async (more = {}, ...args) => {
      const before = text().length;
      const started = await spawnLive(process.execPath, [...command, 'serve', ...args], {
        logFile,
        env: { ...environment, ...more },
        priority: 'product',
      });
      serve = started;
      for (;;) {
        const said = text().slice(before);
        if (said.includes('"msg":"serving"')) return;
        if (!started.isRunning()) throw new Error(`preavis serve ended while it started.\n${said}`);
        await sleep(20);
      }
    },
    stop: async (signal = 'SIGTERM', graceMs = 60_000) => {
      await serve?.stop({ signal, graceMs });
    },
    kill: async () => {
      await serve?.stop({ signal: 'SIGKILL', graceMs: 0 });
    },
    ended: async () => {
      if (serve === undefined) throw new Error('This serve was not started.');

      return serve.exited;
    },
  };
}

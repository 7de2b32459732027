import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { errorCodes } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** Which program runs, and with which configuration. */
export type WebProgram = {
  readonly file: string;
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
};

/** Below `serve` and Asterisk: calls have the processor first. */
const niceness = 10;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** What ran for so long begins with the first pause again, ms. */
const wellMs = 60_000;
/** Longer than it lets answers go on, ms. */
const stopLimitMs = 10_000;

/** The pause before the start that follows so many starts in a row which did not last, ms. */
export function pauseBefore(shortRuns: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(shortRuns, 16));
}

/**
 * `preavis web` beside `serve`: a process of its own, started again where it ends, so that nothing it is asked and no fault of it reaches calls.
 * It ends when its channel to this process closes, also by SIGKILL of this process.
 */
export class WebProcess {
  readonly #program: WebProgram;
  readonly #log: Logger;
  readonly #now: () => number;
  #child: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  #shortRuns = 0;
  #isStopped = false;

  /** @param now ms that never go back */
  constructor(program: WebProgram, log: Logger, now: () => number) {
    this.#program = program;
    this.#log = log;
    this.#now = now;
  }

  start(): void {
    const { file, configFile, environment } = this.#program;
    const startedAt = this.#now();
    const child = fork(file, ['web', '--json'], {
      env: { ...environment, PREAVIS_CONFIG: configFile },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.once('spawn', () => {
      putBehindCalls(child);
    });
    // Of one that could not be started `exit` does not come.
    child.once('error', () => {
      this.#ended(startedAt, null);
    });
    child.once('exit', (code) => {
      this.#ended(startedAt, code);
    });
  }

  /** Lets answers that are being sent go on for some seconds. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await exited;
    clearTimeout(limit);
  }

  #ended(startedAt: number, exitCode: number | null): void {
    if (this.#child === undefined) return;
    this.#child = undefined;
    if (this.#isStopped) return;
    this.#shortRuns = this.#now() - startedAt >= wellMs ? 0 : this.#shortRuns;
    const againAfterMs = pauseBefore(this.#shortRuns);
    this.#shortRuns += 1;
    this.#log.error(
      { code: 'web_ended', exitCode, againAfterMs, hint: errorCodes.web_ended.remedy },
      'preavis web has ended and is started again',
    );
    this.#again = setTimeout(() => {
      this.start();
    }, againAfterMs);
  }
}

function putBehindCalls({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already.
  }
}

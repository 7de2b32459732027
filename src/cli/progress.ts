import { setMaxListeners } from 'node:events';
import { SingleBar } from 'cli-progress';
import { PreavisError } from '../core/errors.ts';

/** How long a command waits for another process that does the same, ms. */
export const waitMs = 30_000;

/** Work that a signal ends before its end, with a progress bar on a terminal. */
export type Progress = {
  signal: AbortSignal;
  progress: (done: number, total: number) => void;
  /** To be called when it is over, however it went. */
  end: () => void;
};

/**
 * From now on SIGINT and SIGTERM abort the signal.
 *
 * @param undone what the error `interrupted` says was not done
 */
export function beginProgress(undone: string, json: boolean): Progress {
  const stop = new AbortController();
  // Many requests at once wait for it; each takes its listener away again.
  setMaxListeners(0, stop.signal);
  const interrupt = (): void => {
    stop.abort(new PreavisError('interrupted', undone));
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const bar = process.stderr.isTTY && !json ? new SingleBar({ stream: process.stderr }) : undefined;
  let begun = false;

  return {
    signal: stop.signal,
    progress: (done, total) => {
      if (!begun) bar?.start(total, 0);
      begun = true;
      bar?.setTotal(total);
      bar?.update(done);
    },
    end: () => {
      bar?.stop();
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    },
  };
}

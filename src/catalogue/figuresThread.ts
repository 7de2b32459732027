import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PreavisError, type ErrorCode } from '../core/errors.ts';
import { installedPath } from '../core/installation.ts';
import type { Figures, FigureTimes } from './figures.ts';

export type FiguresOrder = {
  /** The catalogue. */
  file: string;
  times: FigureTimes;
  erasureFailed: string;
  /** As `figures.read` takes it. */
  controller: string | null | undefined;
};
export type FiguresAnswer = { figures: Figures } | { code: ErrorCode; message: string };

/**
 * `figures.read` in a thread of its own, with a connection of its own: among a million recordings SQLite counts for seconds, and what
 * others ask for meanwhile must not wait for it. When the signal fires, the thread is ended with all it does.
 *
 * @throws what openDatabase throws, and what the signal says
 */
export async function readFiguresAside(
  order: FiguresOrder,
  signal: AbortSignal,
  program = pathToFileURL(installedPath('dist', 'catalogue', 'figuresWorker.js')),
): Promise<Figures> {
  signal.throwIfAborted();
  const worker = new Worker(program, { workerData: order });
  let stop = (): void => undefined;
  try {
    return await new Promise<Figures>((resolve, reject) => {
      stop = () => {
        reject(signal.reason instanceof Error ? signal.reason : new PreavisError('internal', 'counting was stopped'));
      };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (answer: FiguresAnswer) => {
        if ('figures' in answer) resolve(answer.figures);
        else reject(new PreavisError(answer.code, answer.message));
      });
      const gone = (cause: unknown): void => {
        reject(new PreavisError('internal', 'the count ended before it was done', { cause }));
      };
      worker.on('error', gone);
      worker.on('exit', gone);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

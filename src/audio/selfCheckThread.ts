import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PreavisError, type ErrorCode } from '../core/errors.ts';
import { installedPath } from '../core/installation.ts';
import type { CheckOptions, SelfCheck } from './selfCheck.ts';
import type { PlayedPrompt } from './preparedPrompt.ts';

export type CheckRequest = {
  id: number;
  file: string;
  /** By their ids. */
  prompts: readonly string[];
  /** Those of them that the thread does not know yet. */
  unknown: readonly PlayedPrompt[];
  expectedMs: number | undefined;
};
export type CheckAnswer = { id: number } & ({ check: SelfCheck } | { code: ErrorCode; message: string });

/**
 * checkRecording in a thread of its own: it stalls the event loop for tens of ms, and calls must not wait for it. The
 * thread is started for the first recording and ends with `stop`.
 */
export class SelfCheckThread {
  #worker: Worker | undefined;
  /** Prompts that this thread has been given. */
  #known = new Set<string>();
  #next = 0;
  readonly #program: URL;
  readonly #waiting = new Map<number, { resolve: (check: SelfCheck) => void; reject: (error: PreavisError) => void }>();

  constructor(program = pathToFileURL(installedPath('dist', 'audio', 'selfCheckWorker.js'))) {
    this.#program = program;
  }

  /** When the signal fires the thread is ended with all it does, even if it hangs, and the next check gets a new one. */
  readonly check = (file: string, { prompts, expectedMs, signal }: CheckOptions): Promise<SelfCheck> =>
    new Promise<SelfCheck>((resolve, reject) => {
      signal?.throwIfAborted();
      const id = (this.#next += 1);
      const worker = this.#thread();
      const stop = (): void => {
        this.#drop(worker, new PreavisError('internal', 'the self-check was stopped', { cause: signal?.reason }));
        void worker.terminate();
      };
      const over = (): void => signal?.removeEventListener('abort', stop);
      this.#waiting.set(id, {
        resolve: (check) => {
          over();
          resolve(check);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
      signal?.addEventListener('abort', stop, { once: true });
      const unknown = prompts.filter((prompt) => !this.#known.has(prompt.id));
      for (const prompt of unknown) this.#known.add(prompt.id);
      const ids = prompts.map((prompt) => prompt.id);
      worker.postMessage({ id, file, prompts: ids, unknown, expectedMs } satisfies CheckRequest);
    });

  async stop(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#program);
    worker.unref();
    worker.on('message', (answer: CheckAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('check' in answer) waiting?.resolve(answer.check);
      else waiting?.reject(new PreavisError(answer.code, answer.message));
    });
    const gone = (cause: unknown): void => {
      this.#drop(worker, new PreavisError('internal', 'the self-check ended before it was done', { cause }));
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    this.#worker = worker;
    this.#known = new Set();

    return worker;
  }

  /** Another thread may have taken its place already. */
  #drop(worker: Worker, error: PreavisError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

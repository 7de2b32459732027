import { Worker } from 'node:worker_threads';
import { PreavisError, type ErrorCode } from '../core/errors.ts';
import type { CheckOptions, PlayedPrompt, SelfCheck } from './selfCheck.ts';

export type CheckRequest = {
  id: number;
  file: string;
  prompts: readonly PlayedPrompt[];
  expectedMs: number | undefined;
};
export type CheckAnswer = { id: number } & ({ check: SelfCheck } | { code: ErrorCode; message: string });

/**
 * checkRecording in a thread of its own: it stalls the event loop for tens of ms, and calls must not wait for it. The
 * thread is started for the first recording and ends with `stop`.
 */
export class SelfCheckThread {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<number, { resolve: (check: SelfCheck) => void; reject: (error: PreavisError) => void }>();

  readonly check = (file: string, { prompts, expectedMs }: CheckOptions): Promise<SelfCheck> =>
    new Promise((resolve, reject) => {
      const id = (this.#next += 1);
      this.#waiting.set(id, { resolve, reject });
      this.#thread().postMessage({ id, file, prompts, expectedMs } satisfies CheckRequest);
    });

  async stop(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./selfCheckWorker.js', import.meta.url));
    worker.unref();
    worker.on('message', (answer: CheckAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('check' in answer) waiting?.resolve(answer.check);
      else waiting?.reject(new PreavisError(answer.code, answer.message));
    });
    const gone = (cause: unknown): void => {
      if (this.#worker === worker) this.#worker = undefined;
      const error = new PreavisError('internal', 'the self-check ended before it was done', { cause });
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    this.#worker = worker;

    return worker;
  }
}

import { parentPort } from 'node:worker_threads';
import { asPreavisError } from '../core/errors.ts';
import { checkRecording } from './selfCheck.ts';
import type { CheckAnswer, CheckRequest } from './selfCheckThread.ts';

/** The other side of selfCheckThread.ts. */

parentPort?.on('message', ({ id, file, prompts, expectedMs }: CheckRequest) => {
  const answer = (message: CheckAnswer): void => parentPort?.postMessage(message);
  checkRecording(file, { prompts, expectedMs }).then(
    (check) => {
      answer({ id, check });
    },
    (thrown: unknown) => {
      const { code, message } = asPreavisError(thrown);
      answer({ id, code, message });
    },
  );
});

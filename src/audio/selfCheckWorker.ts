import { parentPort } from 'node:worker_threads';
import { asPreavisError } from '../core/errors.ts';
import { checkRecording } from './selfCheck.ts';
import type { PlayedPrompt } from './preparedPrompt.ts';
import type { CheckAnswer, CheckRequest } from './selfCheckThread.ts';

/** The other side of selfCheckThread.ts. */

const known = new Map<string, PlayedPrompt>();

parentPort?.on('message', ({ id, file, prompts: ids, unknown, expectedMs }: CheckRequest) => {
  for (const prompt of unknown) known.set(prompt.id, prompt);
  const prompts = ids.flatMap((promptId) => known.get(promptId) ?? []);
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

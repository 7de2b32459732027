import { SelfCheckThread } from '../../../src/audio/selfCheckThread.ts';

/** Answers as a thread does, except that the file `hangs` never ends and cannot be interrupted from within. */
const program = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, file }) => {
      while (file === 'hangs');
      parentPort.postMessage({ id, check: { findings: [], durationMs: 1, measured: {} } });
    });
  `)}`,
);
const options = { prompts: [], expectedMs: undefined };

test('a check that hangs is stopped by its signal, and the next one gets a thread that works', async () => {
  const thread = new SelfCheckThread(program);
  try {
    const stopped = thread.check('hangs', { ...options, signal: AbortSignal.timeout(20) });
    await expect(stopped).rejects.toMatchObject({ code: 'internal', message: 'the self-check was stopped' });
    expect(await thread.check('a file', options)).toMatchObject({ durationMs: 1 });
  } finally {
    await thread.stop();
  }
});

test('a check is not begun when everything has stopped already', async () => {
  const thread = new SelfCheckThread(program);
  await expect(thread.check('a file', { ...options, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
});

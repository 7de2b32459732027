import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeLimit } from '../../../src/core/timeLimit.ts';
import { eventually } from '../../support/poll.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a time limit among other signals ends what waits for it, however much garbage is collected meanwhile', async () => {
  const stop = new AbortController().signal;
  let ended = 0;
  const wait = (): void => {
    AbortSignal.any([stop, timeLimit(100)]).addEventListener('abort', () => (ended += 1), { once: true });
  };
  for (let count = 0; count < 50; count += 1) wait();
  // In a worker that has run many files before, one collection takes longer than the limit, and all that follow show nothing.
  for (let round = 0; round < 20 && ended < 50; round += 1) {
    collectGarbage();
    await sleep(10);
  }
  await eventually(() => ended === 50, { withinMs: 5_000 });
});

test('its reason is a time-out', async () => {
  const limit = timeLimit(1);
  expect(limit.aborted).toBe(false);
  await eventually(() => limit.aborted);
  expect(limit.reason).toMatchObject({ name: 'TimeoutError' });
});

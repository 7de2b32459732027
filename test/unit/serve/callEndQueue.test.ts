import { jest } from '@jest/globals';
import { CallEndQueue } from '../../../src/serve/callEndQueue.ts';
import { collectingLog } from '../../support/logLines.ts';

function stage() {
  const { log, lines } = collectingLog('info');
  const done: string[] = [];
  const scene = { finishFails: false };
  const finish = async (): Promise<void> => {
    done.push('finish');
    await new Promise((resolve) => setTimeout(resolve, 100));
    done.push('finished');
    if (scene.finishFails) throw new Error('a fault');
  };
  const witness = (): Promise<void> => {
    done.push('witness');

    return Promise.resolve();
  };

  return { queue: new CallEndQueue({ finisher: { finish }, witness, log }), done, lines, scene };
}

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

test('calls that end together are finished one pass after another, and compared with the second witness once', async () => {
  const { queue, done } = stage();
  queue.callEnded();
  queue.callEnded();
  await jest.advanceTimersByTimeAsync(1_900);
  expect(done).toEqual(['finish', 'finished', 'finish', 'finished']);
  await jest.advanceTimersByTimeAsync(200);
  expect(done.slice(4)).toEqual(['witness']);
  queue.callEnded();
  await jest.advanceTimersByTimeAsync(2_100);
  expect(done.slice(5)).toEqual(['finish', 'finished', 'witness']);
});

test('files that were not closed are looked at again every ten seconds, until it stops', async () => {
  const { queue, done } = stage();
  queue.start();
  await jest.advanceTimersByTimeAsync(25_000);
  expect(done.filter((what) => what === 'finish')).toHaveLength(2);
  queue.stop();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(done.filter((what) => what === 'finish')).toHaveLength(2);
});

test('a drain ends when both were done after what was under way, and leaves no timer', async () => {
  const { queue, done } = stage();
  queue.callEnded();
  const drained = queue.drain().then(() => done.push('drained'));
  await jest.advanceTimersByTimeAsync(1_000);
  await drained;
  expect(done).toEqual(['finish', 'finished', 'finish', 'finished', 'witness', 'drained']);
  expect(jest.getTimerCount()).toBe(0);
});

test('a pass that fails is logged, and keeps no other', async () => {
  const { queue, done, lines, scene } = stage();
  scene.finishFails = true;
  queue.callEnded();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(done).toEqual(['finish', 'finished', 'witness']);
  expect(lines).toMatchObject([{ level: 'error', code: 'internal' }]);
});

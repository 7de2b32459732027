import { jest } from '@jest/globals';
import { SessionKeys } from '../../../src/web/sessionKeys.ts';

/** Of one who listens, with clocks that a test sets. */
function stage(until = 1_000_000) {
  const clock = { now: 0, monotonic: 0, isAllowed: true, unwrapped: 0 };
  const sessions = new SessionKeys(
    () => clock.now,
    () => clock.monotonic,
  );
  const key = Buffer.alloc(32, 7);
  const ask = (): Promise<Buffer> =>
    sessions.of('user:anna listen A', { until, isAllowed: () => Promise.resolve(clock.isAllowed) }).of('key', () => {
      clock.unwrapped += 1;

      return Promise.resolve(Buffer.from(key));
    });

  return { clock, sessions, ask, key };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('a key is unwrapped once while its recording is heard part by part', async () => {
  const { clock, ask, sessions, key } = stage();
  for (let part = 0; part < 5; part += 1) {
    clock.monotonic += 20_000;
    expect((await ask()).equals(key)).toBe(true);
  }
  expect(clock.unwrapped).toBe(1);
  sessions.stop();
  expect(sessions.size).toBe(0);
});

test('a key that could not be unwrapped is not held', async () => {
  const { sessions } = stage();
  const held = sessions.of('a', { until: 1, isAllowed: () => Promise.resolve(true) });
  await expect(held.of('key', () => Promise.reject(new Error('the KMS is away')))).rejects.toThrow('the KMS is away');
  expect((await held.of('key', () => Promise.resolve(Buffer.of(1)))).equals(Buffer.of(1))).toBe(true);
  sessions.stop();
});

test.each([
  ['the decision ends', (clock: ReturnType<typeof stage>['clock']) => void (clock.now = 1_000_000)],
  [
    'nobody has asked for a part for half a minute',
    (clock: ReturnType<typeof stage>['clock']) => void (clock.monotonic = 30_000),
  ],
])('a key is unwrapped anew, and not held any more, once %s', async (_, end) => {
  const { clock, ask, sessions } = stage();
  await ask();
  end(clock);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(sessions.size).toBe(0);
  await ask();
  expect(clock.unwrapped).toBe(2);
  sessions.stop();
});

test('a key is overwritten within a second when access ends by itself', async () => {
  const { clock, ask, sessions } = stage();
  await ask();
  clock.isAllowed = false;
  await jest.advanceTimersByTimeAsync(1_000);
  expect(sessions.size).toBe(0);
  sessions.stop();
});

test('a key is held for ten minutes at most, however long somebody listens', async () => {
  const { clock, ask, sessions } = stage();
  for (let part = 0; part < 61; part += 1) {
    await ask();
    clock.monotonic += 10_000;
  }
  expect(clock.unwrapped).toBe(2);
  sessions.stop();
});

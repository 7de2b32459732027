import { jest } from '@jest/globals';
import { Fence } from '../../../src/serve/fence.ts';

/** Longer than a process may stand still without looking at its lease, ms. */
const longMs = 6_000;

/** A process that has stood still: its monotonic clock goes on, and none of its timers was due. */
function fenceOf(isOwn: () => Promise<boolean>) {
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const asked: string[] = [];
  const verified: number[] = [];
  const fence = new Fence(() => {
    verified.push(now);
    return isOwn();
  });
  const request = fence.guard((method, path) => {
    asked.push(`${method} ${path}`);
    return Promise.resolve(undefined);
  });

  return {
    fence,
    request,
    asked,
    verified,
    standStill: (ms: number) => {
      now += ms;
    },
  };
}

afterEach(() => {
  jest.restoreAllMocks();
});

test('what a process asks of Asterisk goes through while it goes on, and nobody is asked whose calls they are', async () => {
  const { request, asked, verified, standStill } = fenceOf(() => Promise.resolve(true));
  await request('POST', '/channels/1/answer');
  standStill(1_000);
  await request('POST', '/channels/1/play/2');
  expect(asked).toHaveLength(2);
  expect(verified).toEqual([]);
});

test('after a standstill it is looked whose the calls are, before anything is asked for; once while they are its own', async () => {
  const { request, asked, verified, standStill } = fenceOf(() => Promise.resolve(true));
  standStill(longMs);
  await Promise.all([request('POST', '/channels/1/answer'), request('DELETE', '/channels/2')]);
  await request('POST', '/channels/3/answer');
  expect(asked).toHaveLength(3);
  expect(verified).toHaveLength(1);
});

test('of calls that another has by now nothing is changed, ever; what only looks still does', async () => {
  const { request, asked, standStill } = fenceOf(() => Promise.resolve(false));
  standStill(longMs);
  await expect(request('POST', '/channels/1/continue')).rejects.toMatchObject({ code: 'lease_lost' });
  await expect(request('DELETE', '/bridges/1')).rejects.toMatchObject({ code: 'lease_lost' });
  await request('GET', '/channels');
  expect(asked).toEqual(['GET /channels']);
});

test('while nobody can say whose they are, nothing is changed, and it is looked again', async () => {
  let isAway = true;
  const { request, asked, standStill } = fenceOf(() =>
    isAway ? Promise.reject(new Error('the catalogue is away')) : Promise.resolve(true),
  );
  standStill(longMs);
  await expect(request('POST', '/channels/1/continue')).rejects.toMatchObject({ code: 'lease_lost' });
  isAway = false;
  await request('POST', '/channels/1/continue');
  expect(asked).toEqual(['POST /channels/1/continue']);
});

test('a lease that is being given back just now shuts nothing for good', async () => {
  const answers = [false, true];
  const { request, asked, standStill } = fenceOf(() => Promise.resolve(answers.shift() ?? true));
  standStill(longMs);
  await expect(request('POST', '/channels/1/continue')).rejects.toMatchObject({ code: 'lease_lost' });
  await request('POST', '/channels/1/continue');
  expect(asked).toEqual(['POST /channels/1/continue']);
});

test('a process that is told that it has lost its calls changes nothing, though it never stood still', async () => {
  const { fence, request, asked } = fenceOf(() => Promise.resolve(true));
  fence.shut();
  await expect(request('PUT', '/applications/preavis-a/eventFilter')).rejects.toMatchObject({ code: 'lease_lost' });
  expect(asked).toEqual([]);
});

test('once somebody else has opened its application, a process changes nothing until it knows that it is its own', async () => {
  const answers = [Promise.reject(new Error('the catalogue is away')), Promise.resolve(true)];
  const { fence, request, asked, verified } = fenceOf(() => answers.shift() ?? Promise.resolve(true));
  fence.doubt();
  await expect(request('POST', '/channels/1/continue')).rejects.toMatchObject({ code: 'lease_lost' });
  await request('POST', '/channels/2/continue');
  await request('POST', '/channels/3/continue');
  expect(asked).toEqual(['POST /channels/2/continue', 'POST /channels/3/continue']);
  expect(verified).toHaveLength(2);
});

test('an answer that was asked for before a doubt does not settle it', async () => {
  const answers: ((isOwn: boolean) => void)[] = [];
  const { fence, request, asked } = fenceOf(
    () =>
      new Promise((resolve) => {
        answers.push(resolve);
      }),
  );
  fence.doubt();
  const first = request('POST', '/channels/1/continue');
  fence.doubt();
  answers[0]?.(true);
  await expect(first).rejects.toMatchObject({ code: 'lease_lost' });
  const second = request('POST', '/channels/2/continue');
  answers[1]?.(true);
  await second;
  expect(asked).toEqual(['POST /channels/2/continue']);
});

import { ReleaseStack } from '../../../src/serve/releaseStack.ts';

function stage() {
  const done: string[] = [];
  const failures: unknown[] = [];
  const stack = new ReleaseStack((thrown) => failures.push(thrown));
  const component = (name: string) => ({
    name,
    start: () => {
      done.push(`start ${name}`);
    },
    stop: () => {
      done.push(`stop ${name}`);
    },
  });

  return { done, failures, stack, component };
}

test('what was started is stopped in the reverse order, one after the other', async () => {
  const { done, stack, component } = stage();
  expect((await stack.use(component('first'))).name).toBe('first');
  await stack.use({
    stop: async () => {
      await Promise.resolve();
      done.push('stop without start');
    },
  });
  await stack.use(component('last'));
  await stack.release();
  expect(done).toEqual(['start first', 'start last', 'stop last', 'stop without start', 'stop first']);
});

test('every stop runs, also after one that throws or rejects; what they throw is told', async () => {
  const { done, failures, stack, component } = stage();
  await stack.use(component('first'));
  await stack.use({ stop: () => Promise.reject(new Error('rejected')) });
  await stack.use({
    stop: () => {
      throw new Error('thrown');
    },
  });
  await stack.release();
  expect(done).toEqual(['start first', 'stop first']);
  expect(failures).toEqual([new Error('thrown'), new Error('rejected')]);
});

test('one whose start fails is stopped, too, and the failure is thrown', async () => {
  const { done, stack, component } = stage();
  const failing = { ...component('failing'), start: () => Promise.reject(new Error('a fault')) };
  await expect(stack.use(failing)).rejects.toThrow('a fault');
  await stack.release();
  expect(done).toEqual(['stop failing']);
});

test('a second release stops nothing again, and resolves with the first', async () => {
  const { done, stack, component } = stage();
  await stack.use(component('only'));
  expect(stack.release()).toBe(stack.release());
  await stack.release();
  expect(done).toEqual(['start only', 'stop only']);
});

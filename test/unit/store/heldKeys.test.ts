import { HeldKeys } from '../../../src/store/heldKeys.ts';

const key = Buffer.alloc(32, 7);

test('who waits for a key that somebody else had unwrapped, and who has left, has it unwrapped anew', async () => {
  const held = new HeldKeys();
  let leave = (): void => undefined;
  const left = new Promise<Buffer>((_, reject) => {
    leave = () => {
      reject(new Error('has left'));
    };
  });
  let unwrapped = 0;
  const unwrap = (): Promise<Buffer> => {
    unwrapped += 1;

    return Promise.resolve(Buffer.from(key));
  };
  const first = held.of('key', () => left);
  const others = [held.of('key', unwrap), held.of('key', unwrap)];
  leave();
  await expect(first).rejects.toThrow('has left');
  expect(await Promise.all(others)).toEqual([key, key]);
  expect(unwrapped).toBe(1);
});

test('who waits for a key that cannot be unwrapped is told so', async () => {
  const held = new HeldKeys();
  const fail = (): Promise<Buffer> => Promise.reject(new Error('cannot be unwrapped'));
  const all = await Promise.allSettled([held.of('key', fail), held.of('key', fail), held.of('key', fail)]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(held.size).toBe(0);
});

import { Readable } from 'node:stream';
import { setImmediate as breathe } from 'node:timers/promises';
import { replyInTime } from '../../../src/web/inTime.ts';
import type { Reply } from '../../../src/web/route.ts';

/** What becomes of a reply that nobody waits for any more. */

const aReply = (body: Readable): Reply => ({ kind: 'bytes', status: 200, headers: {}, body });
const here = new AbortController().signal;

/** A reply whose file is open, and who settles it. */
function waiting() {
  const body = Readable.from(['sound']);
  let settle = (): void => undefined;
  const work = new Promise<Reply>((resolve) => {
    settle = () => {
      resolve(aReply(body));
    };
  });

  return { body, work, settle };
}

test('a reply in time is sent as it is', async () => {
  const { body, work, settle } = waiting();
  settle();
  expect(await replyInTime(60_000, work, here)).toMatchObject({ body });
  expect(body.destroyed).toBe(false);
});

test('a reply that is late closes what it has open', async () => {
  const { body, work, settle } = waiting();
  await expect(replyInTime(1, work, here)).rejects.toMatchObject({ code: 'too_busy' });
  settle();
  await breathe();
  expect(body.destroyed).toBe(true);
});

test('a reply to whoever has left closes what it has open', async () => {
  const { body, work, settle } = waiting();
  const gone = new AbortController();
  const given = replyInTime(60_000, work, gone.signal);
  gone.abort();
  settle();
  await expect(given).rejects.toMatchObject({ code: 'interrupted' });
  expect(body.destroyed).toBe(true);
});

import { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import { settleInTime } from '../core/timeLimit.ts';
import type { Reply } from './route.ts';

/**
 * The reply, if it is there in time for somebody who waits for it. One that comes when nobody does is let go of: what its body has open would
 * stay so until the garbage is collected. Throws too_busy where it takes too long, interrupted where whoever asked has left.
 */
export async function replyInTime(ms: number, work: Promise<Reply>, gone: AbortSignal): Promise<Reply> {
  let isLate = false;
  const awaited = work.then((reply) => {
    if (!isLate && !gone.aborted) return reply;
    if (reply.kind === 'bytes' && reply.body instanceof Readable) reply.body.destroy();
    throw new PreavisError('interrupted', 'whoever asked has left');
  });

  return settleInTime(ms, awaited, () => {
    isLate = true;
    throw new PreavisError('too_busy', 'it took too long');
  });
}

import { PreavisError } from '../core/errors.ts';
import { settleInTime } from '../core/timeLimit.ts';

/** Settles with what Asterisk was asked, or rejects with ari_unreachable when it takes longer. */
export const answerInTime = <T>(ms: number, asked: Promise<T>): Promise<T> =>
  settleInTime(ms, asked, () => {
    throw new PreavisError('ari_unreachable', 'no answer in time');
  });

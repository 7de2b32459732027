import { codesOf } from '../../config/codes.ts';
import type { IdMaker } from '../../core/ids.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { PauseWord } from '../decide/order.ts';
import type { Facts } from '../decide/state.ts';
import type { LinePauses } from '../session/codes.ts';

/** What the policy says of pauses. It is asked each time: a call that an earlier process has begun follows the policy of today. */

export function linePausesOf({ order, request }: Facts, { lines }: Pick<Policy, 'lines'>): LinePauses {
  const line = lines.get((order?.request ?? request)?.line ?? '');

  return line === undefined
    ? { codes: [], pauseSeconds: undefined }
    : { codes: codesOf(line), pauseSeconds: line.pauseSeconds };
}

/** With ids of their own each time: a call may be paused often. */
export function pauseWordsOf(
  word: PauseWord,
  languages: readonly string[],
  { policy, ids }: { policy: Pick<Policy, 'sentence'>; ids: Pick<IdMaker, 'playback'> },
): Sentence[] {
  return languages.flatMap((language) => {
    const prompt = policy.sentence(word, language);

    return prompt === undefined ? [] : [{ prompt, playbackId: ids.playback() }];
  });
}

import { codesOf } from '../../config/codes.ts';
import type { IdMaker } from '../../core/ids.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { TalkWord } from '../decide/order.ts';
import type { Facts } from '../decide/state.ts';
import type { LineAsking } from '../session/codes.ts';

/** What the policy says of codes and pauses. It is asked each time: a call that an earlier process has begun follows the policy of today. */

export function lineAskingOf(
  { order, request }: Facts,
  { lines, purposes }: Pick<Policy, 'lines' | 'purposes'>,
): LineAsking {
  const asked = order?.request ?? request;
  const line = lines.get(asked?.line ?? '');
  // What the law wants recorded stays, whatever its line says: the dialplan may have given the purpose.
  const mayErase = !(asked?.purposes ?? []).some((id) => purposes.get(id)?.kind === 'obligation');

  return line === undefined
    ? { codes: [], mayErase, pauseSeconds: undefined }
    : { codes: codesOf(line), mayErase, pauseSeconds: line.pauseSeconds };
}

/** What is said of a pause, or of an erasure, with ids of their own each time: a call may be paused often. */
export function pauseWordsOf(
  word: TalkWord,
  languages: readonly string[],
  { policy, ids }: { policy: Pick<Policy, 'sentence'>; ids: Pick<IdMaker, 'playback'> },
): Sentence[] {
  return languages.flatMap((language) => {
    const prompt = policy.sentence(word === 'erased' ? 'erasedAck' : word, language);

    return prompt === undefined ? [] : [{ prompt, playbackId: ids.playback() }];
  });
}

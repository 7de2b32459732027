import { wasTold } from './recordable.ts';
import type { Sentence } from './sentence.ts';

/** A sentence whose playback has ended. Times are Asterisk's, in ms since 1970 UTC. */
export type Played = {
  sentence: Sentence;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  verdict: Verdict;
};

/**
 * answered: a question that the caller said yes to while they heard it, and that was stopped for that. So with a sentence in another language
 * than that of the question.
 */
export type Verdict =
  | 'verified'
  | 'answered'
  | 'notice_failed'
  | 'notice_cut_short'
  | 'notice_timeout'
  | 'notice_on_hold'
  | 'notice_not_received';

/** A notice of which every sentence is verified, or answered; only `proveNotice` makes one, and only with it can recording start (P1). */
export type NoticeProof = { readonly sentences: readonly Played[]; readonly finishedAt: number; readonly [told]: true };
declare const told: unique symbol;

/** P2: at least this part of the prompt's known length must lie between Asterisk's start and finish events. */
export const leastPart = 0.95;

/**
 * Judges one finished playback by P2. That the file exists in exactly this language was checked before it was played.
 *
 * @param sinceAskedMs from our request to the news of the end, by a clock that nobody can set; undefined where nobody measured. It
 *   holds the whole playback and all latency, so news that come late, alone or in a burst, never make it too short. Asterisk's clock
 *   may be set while the sentence plays; this one then still tells that it cannot have been played whole.
 */
export function judge(
  sentence: Sentence,
  startedAt: number | undefined,
  finishedAt: number,
  outcome: 'done' | 'failed',
  sinceAskedMs?: number,
): Played {
  const base = { sentence, startedAt, finishedAt };
  if (outcome !== 'done' || startedAt === undefined) return { ...base, verdict: 'notice_failed' };
  const leastMs = leastPart * sentence.prompt.lengthMs;
  const whole = finishedAt - startedAt >= leastMs && (sinceAskedMs === undefined || sinceAskedMs >= leastMs);

  return { ...base, verdict: whole ? 'verified' : 'notice_cut_short' };
}

/** The proof that the caller was told, or undefined when any sentence is not heard or there is none. */
export function proveNotice(sentences: readonly Played[]): NoticeProof | undefined {
  const finishedAt = sentences.at(-1)?.finishedAt;
  if (finishedAt === undefined || !wasTold(sentences.map(({ verdict }) => verdict))) return undefined;

  return { sentences, finishedAt } as NoticeProof;
}

import type { Sentence } from './sentence.ts';

/** What keys mean during a call, from the prompts that name them. */
export type ConsentPlan =
  | { mode: 'announce' }
  | { mode: 'optOut'; refuse: string; refusal: Refusal }
  | {
      mode: 'optIn';
      accept: string;
      refuse: string;
      refusal: Refusal;
      /** What a caller who agrees is told. */
      acceptance: readonly Sentence[];
      /** What a caller who says neither yes nor no is told. */
      silence: readonly Sentence[];
      /** How long a key is waited for after the question, ms. */
      waitMs: number;
    };

/** What a caller who refuses is told, and the code that refuses while they talk. */
export type Refusal = {
  acknowledgement: readonly Sentence[];
  /** Instead, where something was recorded already. */
  erasure: readonly Sentence[];
  featureCode: string;
};

/** The caller's decision. `at` is Asterisk's time of the key, ms. */
export type Answer = { kind: 'none' } | { kind: 'accepted' | 'refused'; digits: string; at: number };

export const noAnswer: Answer = { kind: 'none' };

/**
 * What a key means before they talk. A refusal counts at any time, also before the sentence that offers it: it can only
 * be meant. A consent counts from the beginning of the question on: before it nobody had been asked.
 */
export function answerOf(plan: ConsentPlan, digit: string, at: number, asked: boolean): Answer {
  switch (plan.mode) {
    case 'announce':
      return noAnswer;
    case 'optOut':
      return digit === plan.refuse ? { kind: 'refused', digits: digit, at } : noAnswer;
    case 'optIn':
      if (digit === plan.refuse) return { kind: 'refused', digits: digit, at };
      return digit === plan.accept && asked ? { kind: 'accepted', digits: digit, at } : noAnswer;
  }
}

import type { ConsentMode } from '../../config/consent.ts';
import type { Answer } from './answer.ts';

/**
 * The rule of what may be recorded (P1, P2). It stands here alone: the state machine asks it before it dials, the catalogue
 * before it takes up a WAV that was found in the spool, a bundle of evidence about the receipt.
 */

/** Whether a sentence has done what it is for: heard whole, or a question that was answered with yes while it was said. */
export function wasHeard(verdict: string): verdict is 'verified' | 'answered' {
  return verdict === 'verified' || verdict === 'answered';
}

/** Whether a notice was heard: every sentence, and not a question alone. */
export function wasTold(verdicts: readonly string[]): boolean {
  return verdicts.includes('verified') && verdicts.every(wasHeard);
}

/** What the caller's answer has against recording: silence is a no where consent is asked for. */
export function objection(mode: ConsentMode, answer: Answer['kind']): 'refused' | 'no_consent' | undefined {
  if (answer === 'refused') return 'refused';

  return mode === 'optIn' && answer !== 'accepted' ? 'no_consent' : undefined;
}

export type Grounds = {
  /** Of the sentences of the notice that were begun, in their order. */
  verdicts: readonly string[];
  mode: ConsentMode;
  answer: Answer['kind'];
  /** Why the call went on unrecorded, once it has ended; null where it did not. */
  reason: string | null;
};

const reasons = [
  'refused',
  'erase_asked',
  'no_consent',
  'not_sampled',
  'not_requested',
  'never_recorded',
  'untold_party',
] as const;
export type NotRecordable = (typeof reasons)[number] | 'not_told';

const isReason = (reason: string): reason is (typeof reasons)[number] => reasons.some((each) => each === reason);

/** Why nothing of such a call may be kept; undefined where it may. */
export function whyNotRecordable({ verdicts, mode, answer, reason }: Grounds): NotRecordable | undefined {
  const objected = objection(mode, answer);
  if (objected !== undefined) return objected;
  // What was missed may have been a refusal.
  if (mode !== 'announce' && reason === 'interrupted') return 'no_consent';
  if (reason !== null && isReason(reason)) return reason;

  return wasTold(verdicts) ? undefined : 'not_told';
}

import type { Receipt } from '../../../src/receipt/receipt.ts';
import { points, type MarkKind } from './marks.ts';

/** What a receipt tells, line by line, in the order of time; the words are the page's. */

export type Sentence = Receipt['notice'][number];
type OtherSentence = Receipt['otherSentences'][number];
type Change = Receipt['changes'][number];
type Unwatched = Receipt['unwatched'][number];

export type Told =
  | { kind: 'began' }
  | { kind: 'sentence'; sentence: Sentence }
  | { kind: 'said'; sentence: OtherSentence }
  | { kind: 'answer'; answer: 'accepted' | 'refused'; digits: string | null }
  | { kind: 'recorderBegan'; gapMs: number | null }
  | { kind: 'recorderEnded' }
  | { kind: 'change'; change: Change }
  | { kind: 'unwatched'; part: Unwatched }
  | { kind: 'ended' };

/** `at` is null where the telephone system told no time: such a line comes last. */
export type Step = { at: string | null; told: Told };

const timeOf = (at: string | null): number => (at === null ? Infinity : Date.parse(at));

export function stepsOf(receipt: Receipt): Step[] {
  const { call, notice, otherSentences, changes, unwatched, consent, recording } = receipt;
  const steps: Step[] = [
    { at: call.startedAt, told: { kind: 'began' } },
    ...notice
      .filter(({ startedAt }) => startedAt !== null)
      .map((sentence): Step => ({ at: sentence.startedAt, told: { kind: 'sentence', sentence } })),
    ...otherSentences.map((sentence): Step => ({ at: sentence.startedAt, told: { kind: 'said', sentence } })),
    ...(consent.answer === 'none'
      ? []
      : [{ at: consent.at, told: { kind: 'answer', answer: consent.answer, digits: consent.digits } } as const]),
    ...(recording?.startedAt == null
      ? []
      : [{ at: recording.startedAt, told: { kind: 'recorderBegan', gapMs: recording.gapMs } } as const]),
    ...changes.map((change): Step => ({ at: change.at, told: { kind: 'change', change } })),
    ...unwatched.map((part): Step => ({ at: part.from, told: { kind: 'unwatched', part } })),
    ...(recording?.finishedAt == null ? [] : [{ at: recording.finishedAt, told: { kind: 'recorderEnded' } } as const]),
    ...(call.endedAt === null ? [] : [{ at: call.endedAt, told: { kind: 'ended' } } as const]),
  ];

  return steps.toSorted((one, other) => timeOf(one.at) - timeOf(other.at) || 0);
}

/** Beside the line: what kind of thing it is. */
export type StepLook = MarkKind | 'notice' | 'answer' | 'recorder' | 'plain';

const looks: Readonly<Partial<Record<Change['change'], StepLook>>> = {
  ...points,
  held: 'hold',
  resumed: 'hold',
  newcomerUntold: 'refusal',
  recordingRemoved: 'refusal',
  turnedAway: 'refusal',
  recorderPaused: 'pause',
  recorderResumed: 'pause',
  pauseBegan: 'pause',
  pauseEnded: 'pause',
  pauseExpired: 'pause',
  unheard: 'unheard',
  heardAgain: 'unheard',
  agreementUntold: 'mark',
};

export function lookOf(told: Told): StepLook {
  switch (told.kind) {
    case 'sentence':
    case 'said':
      return 'notice';
    case 'answer':
      return told.answer === 'refused' ? 'refusal' : 'answer';
    case 'recorderBegan':
    case 'recorderEnded':
      return 'recorder';
    case 'change':
      return looks[told.change.change] ?? 'plain';
    case 'unwatched':
      return 'silent';
    case 'began':
    case 'ended':
      return 'plain';
  }
}

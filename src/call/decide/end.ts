import { noAnswer, type Answer, type ConsentPlan } from './answer.ts';
import { isWanted, type UnrecordedReason } from './unrecordedReasons.ts';
import type { Played } from './verification.ts';
import type { Sentence } from './sentence.ts';
import type { Effect, Facts, Outcome, Step } from './state.ts';
import { orderOf } from './parties.ts';
import { isBridged } from './order.ts';

/** The ends of a call that has no recording. */

/** How long a playback may take beyond the prompt's own length. */
const playbackSlackMs = 5_000;

/** Makes the bridge and the destination's channel; nothing where the dialplan dials. */
export function preparation(facts: Facts): Effect[] {
  const order = orderOf(facts);

  return isBridged(order) ? [{ type: 'prepare', order }] : [];
}

/** What was heard and said until now, and whether bridge and destination were made. */
export type SoFar = {
  facts: Facts;
  played?: readonly Played[];
  answer?: Answer;
  prepared: boolean;
};

/** Where the caller is when what was made for the destination is removed. */
type CallersPlace = 'outside' | 'in the bridge';

/**
 * Removes what was made for the destination, which goes first: killed in between, nobody is left who could answer to a caller
 * outside.
 */
function removal({ facts, prepared }: SoFar, caller: CallersPlace = 'outside'): Effect[] {
  if (!prepared) return [];
  const { destination, bridge } = orderOf(facts);

  return [
    { type: 'hangUpDestination', destination },
    ...(caller === 'in the bridge' ? [{ type: 'leaveBridge' as const, bridge }] : []),
    { type: 'destroyBridge', bridge },
  ];
}

export function end(soFar: SoFar, outcome: Outcome, endedAt: number | undefined, effects: readonly Effect[]): Step {
  const { facts, played = [], answer = noAnswer } = soFar;

  return {
    state: { kind: 'ended', facts, played, answer, recorder: { kind: 'none' }, outcome, endedAt },
    effects: [{ type: 'stopTimer' }, ...effects, ...removal(soFar), { type: 'save' }],
  };
}

/** What is as somebody wanted it keeps nobody from being put through. */
const isTurnedAway = ({ request }: Facts, reason: UnrecordedReason): boolean =>
  request?.mustRecord === true && !isWanted(reason);

/** P3: the caller goes on to the destination by the dialplan, unrecorded. Only where the law forbids that they are turned away. */
export function goOnUnrecorded(soFar: SoFar, reason: UnrecordedReason, effects: readonly Effect[] = []): Step {
  const turnedAway = isTurnedAway(soFar.facts, reason);
  const outcome: Outcome = { result: 'unrecorded', reason, ...(turnedAway ? { turnedAway } : {}) };

  return end(soFar, outcome, undefined, [...effects, { type: 'returnToDialplan', outcome }]);
}

/** Of an outgoing call either side may have left: Dial() waits for the notice channel to end, and hangs up the other. */
export function abandon(soFar: SoFar, endedAt: number | undefined): Step {
  const outcome: Outcome = { result: 'abandoned' };

  return end(soFar, outcome, endedAt, soFar.facts.called === undefined ? [] : [{ type: 'returnToDialplan', outcome }]);
}

/** The dialplan has gone on with the caller by itself: there is nothing to send back. */
export function sentOn(soFar: SoFar, at: number | undefined, reason: UnrecordedReason = 'sent_on'): Step {
  return end(soFar, { result: 'unrecorded', reason }, at, []);
}

const timerOf = ({ prompt }: Sentence): Effect => ({
  type: 'startTimer',
  timer: 'playback',
  ms: prompt.lengthMs + playbackSlackMs,
});

export function playing(sentence: Sentence): Effect[] {
  return [timerOf(sentence), { type: 'play', sentence }];
}

/** What a caller is told who has not agreed. */
function sayingWhy(why: 'refused' | 'no_consent', consent: ConsentPlan): readonly Sentence[] {
  if (consent.mode !== 'announce' && why === 'refused') return consent.refusal.acknowledgement;

  return consent.mode === 'optIn' ? consent.silence : [];
}

/** The caller has not agreed: what was made is removed, they are told that, and go on by the dialplan. */
export function acknowledge(
  soFar: SoFar,
  why: 'refused' | 'no_consent',
  effects: readonly Effect[] = [],
  caller: CallersPlace = 'outside',
): Step {
  const [current, ...waiting] = sayingWhy(why, orderOf(soFar.facts).script.consent);
  if (current === undefined) return goOnUnrecorded(soFar, why, effects);
  const { facts, played = [], answer = noAnswer } = soFar;

  return {
    state: { kind: 'acknowledging', facts, played, answer, why, current, waiting },
    // The time for it first: from here on nobody would answer to a caller in the bridge of a Préavis that hangs.
    effects: [...effects, timerOf(current), ...removal(soFar, caller), { type: 'play', sentence: current }],
  };
}

/** How a state ends in which nothing is known but this: the caller leaves it, or its events were missed. */
export function endingAs<State>(soFarOf: (state: State) => SoFar) {
  return {
    callerLeft: (state: State, { at }: { at: number | undefined }): Step => abandon(soFarOf(state), at),
    callerSentOn: (state: State, { at }: { at: number | undefined }): Step => sentOn(soFarOf(state), at),
    interrupted: (state: State): Step => goOnUnrecorded(soFarOf(state), 'interrupted'),
  } as const;
}

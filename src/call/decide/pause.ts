import type { CallEvent } from './events.ts';
import { saved, stay } from './handlers.ts';
import { afterPause, interrupt, mayRecord, unpaused, type Going } from './newcomers.ts';
import { orderOf } from './parties.ts';
import type { Asker, PauseWord } from './order.ts';
import type { CallState, Effect, Facts, In, Pause, Step } from './state.ts';

/**
 * A pause that somebody asks for, so that what is said next is in no file: the number of a card. Nothing of the call ends it but who asks for
 * that, or its limit: no transfer, no newcomer, no hold, no restart. One sentence is said at a time, whatever is asked for meanwhile: so keys
 * that are pressed a hundred times a second ask nothing more of Asterisk or of the catalogue.
 */

type Talking = In<'talking'>;
type Following = In<'following'>;

/** Of a line that records on request: a talk begins as one that is paused, until somebody asks for the recording. */
export const untilAsked = ({ order, startedAt }: Facts): { paused?: Pause } =>
  order?.records === 'onRequest' ? { paused: { since: startedAt, by: 'line', until: undefined } } : {};

/** Whether the line records on request, and nobody has asked for that yet. */
export const awaitsRequest = ({ paused }: { paused?: Pause }): boolean => paused?.by === 'line';

/** The pause that is on in this call, if there is one. */
export const pausedIn = (state: CallState): Pause | undefined => ('paused' in state ? state.paused : undefined);

const say = ({ facts }: Talking, word: PauseWord): Effect => ({ type: 'sayPause', word, order: orderOf(facts) });

/** The recorder stops first. Who is told that it does must not be recorded by a later process, so it is saved before they are. */
function begin(state: Talking, { at, since, by, until }: Extract<CallEvent, { type: 'pauseAsked' }>): Step {
  const { state: silent, effects } = interrupt(state, at);
  const paused: Pause = { since, by, until, saying: 'paused' };

  return {
    state: { ...silent, paused },
    effects: [...effects, { type: 'save' }, say(silent, 'paused')],
  };
}

/** Who asks again hears again that it is paused, once nothing is being said. */
export function pauseTalk(state: Talking, event: Extract<CallEvent, { type: 'pauseAsked' }>): Step {
  const { paused } = state;
  if (!mayRecord(state)) return stay(state);
  if (paused === undefined) return begin(state, event);
  // Nothing is recorded yet, nor is anybody about to be told so.
  if (paused.by === 'line' && paused.endsBy === undefined) return stay(state);
  const { endsBy, ...kept } = { ...paused, until: event.until };
  if (paused.saying !== undefined) return endsBy === undefined ? stay(state) : stay({ ...state, paused: kept });

  return {
    state: { ...state, paused: { ...kept, saying: 'paused' } },
    effects: [{ type: 'save' }, say(state, 'paused')],
  };
}

/** It goes on, or begins, once both were told. */
function endPause(state: Talking, paused: Pause, by: Asker | 'limit'): Step {
  if (paused.endsBy !== undefined) return stay(state);
  if (paused.saying !== undefined) return stay({ ...state, paused: { ...paused, endsBy: by } });

  return {
    state: { ...state, paused: { ...paused, endsBy: by, saying: 'resumed' } },
    effects: [say(state, 'resumed')],
  };
}

/** What was to be recorded only on request is asked for by a code of its own. */
export const resumeTalk = (state: Talking, { by }: Extract<CallEvent, { type: 'resumeAsked' }>): Step =>
  state.paused === undefined || awaitsRequest(state) ? stay(state) : endPause(state, state.paused, by);

export const recordTalk = (state: Talking, { by }: Extract<CallEvent, { type: 'recordAsked' }>): Step =>
  state.paused !== undefined && awaitsRequest(state) ? endPause(state, state.paused, by) : stay(state);

/** What was asked for last while a sentence was said is done now. */
export function pauseSaid(state: Talking, { word, at }: Extract<CallEvent, { type: 'pauseSaid' }>): Step {
  const { paused } = state;
  if (paused?.saying !== word) return stay(state);
  const { saying, ...quiet } = paused;
  const wanted = quiet.endsBy === undefined ? 'paused' : 'resumed';
  if (wanted !== saying) {
    return { state: { ...state, paused: { ...paused, saying: wanted } }, effects: [say(state, wanted)] };
  }
  if (wanted === 'paused') return stay({ ...state, paused: quiet });
  // Without its time, nobody knows what is to be silent in the file.
  if (at === undefined) return pauseMissed({ state, effects: [] });
  const { state: now, effects } = afterPause(unpaused(state), at);

  // Both were told that it goes on. What nobody wrote down is a pause to a later process, and silent in the file.
  return { state: now, effects: [{ type: 'save', goesOn: true }, ...effects] };
}

/** Whether what was asked for was done, or said to its end, nobody knows: it stays paused, and they are told so. */
export function pauseMissed(step: Going): Step {
  const { paused } = step.state;
  if (paused?.saying === undefined) return step;
  const state: Talking = { ...step.state, paused: { ...withoutWish(paused), saying: 'paused' } };

  return { state, effects: [...step.effects, { type: 'save' }, say(state, 'paused')] };
}

/** What was to be said is not. That it goes on is said without being saved before. */
export function pauseUnsaid(state: Talking): Talking {
  const { paused } = state;

  return paused === undefined || paused.saying === 'resumed' ? state : { ...state, paused: withoutWish(paused) };
}

/** As it stays where nobody asked for its end to the end. */
export function withoutWish({ since, by, until }: Pause): Pause {
  return { since, by, until };
}

/** A followed caller talks to nobody: there is nothing to tell them. Their next talk begins paused. */
export function pauseFollowing(state: Following, event: Extract<CallEvent, { type: 'pauseAsked' }>): Step {
  const { recorder, untold, answer, paused } = state;
  const isNever = untold || answer.kind === 'refused' || ['withheld', 'discarded'].includes(recorder.kind);
  if (isNever || awaitsRequest(state)) return stay(state);
  const { since, by, until } = event;

  return saved({ ...state, paused: paused === undefined ? { since, by, until } : { ...paused, until } });
}

export const resumeFollowing = (state: Following): Step =>
  state.paused === undefined || awaitsRequest(state) ? stay(state) : saved(unpaused(state));

export const recordFollowing = (state: Following): Step =>
  awaitsRequest(state) ? saved(unpaused(state)) : stay(state);

/** Calls whose newcomers are told, and how far calls are followed in an enumeration. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import { stay } from '../../../src/call/decide/handlers.ts';
import type { CallState } from '../../../src/call/decide/state.ts';
import { aFollowed, countingIds, someFacts } from '../call/calls.ts';
import { bridgesOfFollowed } from './followedOracle.ts';
import { comingOrGoing, mostRecorders } from './newcomerOracle.ts';
import type { CallFacts } from './oracle.ts';
import type { Decide } from './rules.ts';

export type Way = 'bridge' | 'follow';

export function tellingFacts(way: Way): CallFacts {
  const shape = { mode: 'announce', sentenceCount: 1 } as const;
  const facts = way === 'follow' ? aFollowed(shape) : someFacts(countingIds(), shape);

  return { ...facts, order: { ...facts.order, newcomers: 'tell' } };
}

/** How many recorders were asked for. */
function recordersOf(state: CallState): number {
  const awaits = 'recorder' in state && state.recorder.kind === 'awaited';

  return (state.facts.order?.part ?? 0) - (awaits ? 1 : 0);
}

/** As the oracle counts them: each of the bridges after the one before it, and so many recorders. */
export const bounded =
  (rule: Decide): Decide =>
  (state, event) => {
    const isFollowed =
      ['following', 'talking', 'closing'].includes(state.kind) && state.facts.order?.part !== undefined;
    const isPaused = 'paused' in state;
    const begins = comingOrGoing.includes(event.type) || (event.type === 'pauseAsked' && !isPaused);
    if (isFollowed && recordersOf(state) >= mostRecorders && begins) return stay(state);

    return isOutOfOrder(state, event) ? stay(state) : rule(state, event);
  };

/** Each of the bridges follows the one before it, as the oracle counts them. */
function isOutOfOrder({ facts: { order } }: CallState, event: CallEvent): boolean {
  if (event.type !== 'joined') return false;
  const before = bridgesOfFollowed.indexOf(order?.bridge ?? event.bridge);

  return bridgesOfFollowed.indexOf(event.bridge) !== before + 1;
}

/** For calls whose newcomers are not told. In the first talk one source changes, once. */
export const inTheirOrder =
  (rule: Decide): Decide =>
  (state, event) => {
    const isChangedAgain = event.type === 'sourceChanged' && (state.facts.order?.part ?? 1) > 1;

    return isChangedAgain || isOutOfOrder(state, event) ? stay(state) : rule(state, event);
  };

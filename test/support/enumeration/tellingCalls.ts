/** Calls whose newcomers are told, and how far they are followed in an enumeration. */
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
    if (event.type !== 'joined') return rule(state, event);
    const before = bridgesOfFollowed.indexOf(state.facts.order?.bridge ?? event.bridge);

    return bridgesOfFollowed.indexOf(event.bridge) === before + 1 ? rule(state, event) : stay(state);
  };

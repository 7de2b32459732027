/**
 * By enumeration, as in decide.enumeration.announce.test.ts, for talks in which somebody asks for a pause: until they want it to end, no
 * transfer, newcomer, hold or missed event lets a recorder run.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { stay } from '../../../../src/call/decide/handlers.ts';
import { unpaused } from '../../../../src/call/decide/newcomers.ts';
import type { CallState, Effect } from '../../../../src/call/decide/state.ts';
import { aFollowed, countingIds, someFacts } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import {
  withPauses,
  withPausesAlone,
  withPausesAndOthers,
  type Alphabet,
} from '../../../support/enumeration/events.ts';
import { bridgesOfFollowed } from '../../../support/enumeration/followedOracle.ts';
import { changed } from '../../../support/enumeration/mutations.ts';
import { mostRecorders } from '../../../support/enumeration/newcomerOracle.ts';
import type { CallFacts } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';

type Way = 'bridge' | 'follow';

function factsOf(way: Way): CallFacts {
  const shape = { mode: 'announce', sentenceCount: 1 } as const;
  const facts = way === 'follow' ? aFollowed(shape) : someFacts(countingIds(), shape);

  return { ...facts, order: { ...facts.order, newcomers: 'tell' } };
}

/** How many recorders were asked for. */
function recordersOf(state: CallState): number {
  const awaits = 'recorder' in state && state.recorder.kind === 'awaited';

  return (state.facts.order?.part ?? 0) - (awaits ? 1 : 0);
}

const comingOrGoing = [
  'sourceChanged',
  'thirdPartyJoined',
  'thirdPartyLeft',
  'partyReplaced',
  'destinationLeft',
  'joined',
];

/** As the oracle counts them: each of the bridges after the one before it, and so many recorders. */
const bounded =
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

describe('every reachable state of a call that is paused', () => {
  test.each([
    { way: 'bridge', alphabet: withPauses, least: 2_000 },
    { way: 'bridge', alphabet: withPausesAndOthers, least: 2_000 },
    { way: 'follow', alphabet: withPausesAlone, least: 2_000 },
  ] as const)(
    'by $way, where others: $alphabet.others, holds: $alphabet.holds, keeps every rule',
    ({ way, alphabet, least }) => {
      const explored = closure(bounded(decide), factsOf(way), alphabet);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(least);
      expect([...explored.states]).toEqual(expect.arrayContaining(['talking', 'closing', 'ended']));
    },
  );
});

/** The state without the pause that somebody wants. */
function forgetful(state: CallState): CallState {
  return state.kind === 'talking' || state.kind === 'following' ? unpaused(state) : state;
}

const without = (type: Effect['type']): Decide =>
  changed({
    step: (_, { state, effects }) => ({ state, effects: effects.filter((effect) => effect.type !== type) }),
  });

/** Rules that are broken on purpose, and what the oracle says of them. */
const broken: [what: string, fault: string, way: Way, alphabet: Alphabet, rule: Decide][] = [
  ['the recorder runs on', 'a pause is recorded', 'bridge', withPauses, without('hold')],
  [
    'the end of a hold ends it',
    'a pause is ended by something else',
    'bridge',
    withPauses,
    (state, event) => decide(event.type === 'callerResumed' ? forgetful(state) : state, event),
  ],
  [
    'a recorder that begins late runs on',
    'a pause is recorded',
    'bridge',
    withPauses,
    (state, event) => {
      const step = decide(state, event);
      const isStart = event.type === 'recorderStarted';
      return isStart ? { ...step, effects: step.effects.filter(({ type }) => type !== 'hold') } : step;
    },
  ],
  [
    'a newcomer who was told ends it',
    'a pause is ended by something else',
    'bridge',
    withPausesAndOthers,
    (state, event) => decide(event.type === 'newcomerTold' ? forgetful(state) : state, event),
  ],
  [
    'it ends before both were told',
    'a pause is ended by something else',
    'bridge',
    withPauses,
    (state, event) => {
      const step = decide(state, event);
      if (event.type !== 'resumeAsked') return step;
      const said = decide(step.state, { type: 'pauseSaid', word: 'resumed', at: event.at });
      return { state: said.state, effects: [...step.effects, ...said.effects] };
    },
  ],
  [
    'a transfer of a followed caller ends it',
    'recorder while somebody wants a pause',
    'follow',
    withPausesAndOthers,
    (state, event) => decide(event.type === 'joined' ? forgetful(state) : state, event),
  ],
  [
    'the recorder of a followed caller runs on',
    'a recorder runs with somebody who was not told',
    'follow',
    withPausesAndOthers,
    (state, event) => {
      const step = decide(state, event);
      const isAsked = event.type === 'pauseAsked';
      return isAsked ? { ...step, effects: step.effects.filter(({ type }) => type !== 'stopRecorder') } : step;
    },
  ],
  ['it is told before it is saved', 'tells of a pause before it is saved', 'bridge', withPauses, without('save')],
  [
    'each key says its sentence',
    'two sentences at once',
    'bridge',
    withPauses,
    (state, event) => {
      const isAgain = event.type === 'pauseAsked' && state.kind === 'talking' && state.paused?.saying !== undefined;
      if (!isAgain || state.facts.order === undefined) return decide(state, event);
      return { state, effects: [{ type: 'sayPause', word: 'paused', order: state.facts.order }] };
    },
  ],
];

test.each(broken)('a rule that is broken is found: %s', (_what, fault, way, alphabet, rule) => {
  const { found } = closure(bounded(rule), factsOf(way), alphabet, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

/**
 * By enumeration, as in decide.enumeration.announce.test.ts, for talks in which somebody asks for a pause: until they want it to end, no
 * transfer, newcomer, hold or missed event lets a recorder run.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { unpaused } from '../../../../src/call/decide/newcomers.ts';
import type { CallState, Effect } from '../../../../src/call/decide/state.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import {
  withPauses,
  withPausesAlone,
  withPausesAndOthers,
  type Alphabet,
} from '../../../support/enumeration/events.ts';
import { changed } from '../../../support/enumeration/mutations.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { bounded, tellingFacts, type Way } from '../../../support/enumeration/tellingCalls.ts';

describe('every reachable state of a call that is paused', () => {
  test.each([
    { way: 'bridge', alphabet: withPauses, least: 2_000 },
    { way: 'bridge', alphabet: withPausesAndOthers, least: 2_000 },
    { way: 'follow', alphabet: withPausesAlone, least: 2_000 },
  ] as const)(
    'by $way, where others: $alphabet.others, holds: $alphabet.holds, keeps every rule',
    ({ way, alphabet, least }) => {
      const explored = closure(bounded(decide), tellingFacts(way), alphabet);
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
  const { found } = closure(bounded(rule), tellingFacts(way), alphabet, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

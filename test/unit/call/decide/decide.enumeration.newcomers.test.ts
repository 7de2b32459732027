/**
 * P1 by enumeration, as in decide.enumeration.announce.test.ts, for lines that tell whoever comes into a talk: nothing is recorded while
 * somebody is there who was not told, and the recording goes on when all were.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { stay } from '../../../../src/call/decide/handlers.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { withHoldsOfCaller, withOthers, type Alphabet } from '../../../support/enumeration/events.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { bounded, tellingFacts, type Way } from '../../../support/enumeration/tellingCalls.ts';

describe('every reachable state of a call whose newcomers are told', () => {
  test.each([
    { way: 'bridge', alphabet: withOthers, least: 1_000 },
    { way: 'bridge', alphabet: withHoldsOfCaller, least: 1_000 },
    { way: 'follow', alphabet: withOthers, least: 1_000 },
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

/** Rules that are broken on purpose, and what the oracle says of them. */
const broken: [what: string, fault: string, way: Way, alphabet: Alphabet, rule: Decide][] = [
  [
    'the recorder runs on while they are told',
    'a newcomer who was not told is recorded',
    'bridge',
    withOthers,
    (state, event) => {
      const step = decide(state, event);
      const isComing = event.type === 'thirdPartyJoined';
      return isComing ? { ...step, effects: step.effects.filter(({ type }) => type !== 'hold') } : step;
    },
  ],
  [
    'who is not told is taken for told',
    'a recorder runs with somebody who was not told',
    'bridge',
    withOthers,
    (state, event) => (event.type === 'newcomerUntold' ? stay(state) : decide(state, event)),
  ],
  [
    'one is told of two',
    'recorder with a newcomer who was not told yet',
    'follow',
    withOthers,
    (state, event) =>
      event.type === 'newcomerTold' && state.kind === 'talking' && state.telling.includes(event.channel)
        ? decide({ ...state, telling: [event.channel] }, event)
        : decide(state, event),
  ],
  [
    'a recorder is kept while somebody else comes',
    'a recorder runs with somebody who was not told',
    'follow',
    withOthers,
    (state, event) => {
      const step = decide(state, event);
      const isComing = event.type === 'thirdPartyJoined';
      return isComing ? { ...step, effects: step.effects.filter(({ type }) => type !== 'stopRecorder') } : step;
    },
  ],
];

test.each(broken)('a rule that is broken is found: %s', (_what, fault, way, alphabet, rule) => {
  const { found } = closure(bounded(rule), tellingFacts(way), alphabet, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

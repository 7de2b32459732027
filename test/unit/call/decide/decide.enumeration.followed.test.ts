/**
 * P1 by enumeration, as in decide.enumeration.announce.test.ts, for the way `follow`: the caller goes back into the dialplan, and comes
 * into bridges with whomever it leads to. Two talks are followed.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { stay } from '../../../../src/call/decide/handlers.ts';
import { aFollowed } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { plainTimes, untilTheyTalk, withNever, withOthers } from '../../../support/enumeration/events.ts';
import { bridgesOfFollowed } from '../../../support/enumeration/followedOracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';

/** Each of the bridges follows the one before it, as the oracle counts them. */
const inTheirOrder =
  (rule: Decide): Decide =>
  (state, event) => {
    if (event.type !== 'joined') return rule(state, event);
    const before = bridgesOfFollowed.indexOf(state.facts.order?.bridge ?? event.bridge);

    return bridgesOfFollowed.indexOf(event.bridge) === before + 1 ? rule(state, event) : stay(state);
  };

describe('every reachable state of a followed call', () => {
  test.each([
    { mode: 'announce', alphabet: plainTimes, least: 2_000 },
    { mode: 'announce', alphabet: withOthers, least: 3_000 },
    { mode: 'announce', alphabet: withNever, least: 3_000 },
    { mode: 'optOut', alphabet: untilTheyTalk, least: 3_000 },
    { mode: 'optIn', alphabet: untilTheyTalk, least: 3_000 },
  ] as const)('with $mode, where others: $alphabet.others, never recorded: $alphabet.never, keeps every rule', ({ mode, alphabet, least }) => {
    const explored = closure(inTheirOrder(decide), aFollowed({ mode, sentenceCount: 1 }), alphabet);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(least);
    const states = [...explored.states];
    expect(states).toEqual(expect.arrayContaining(['releasing', 'following', 'talking', 'closing', 'ended']));
    expect(states).not.toContain('dialling');
  });
});

/** Rules that are broken on purpose, and what the oracle says of them. */
const broken: [what: string, fault: string, rule: Decide][] = [
  [
    'nobody looks who joins',
    'a recorder runs with somebody who was not told',
    (state, event) => (event.type === 'thirdPartyJoined' ? stay(state) : decide(state, event)),
  ],
  [
    'whoever is met is whom they called',
    'recorder with somebody who was not told',
    (state, event) => {
      if (event.type !== 'joined' || state.kind !== 'following') return decide(state, event);
      const facts = { ...state.facts, met: event.others };
      const first = event.others.slice(0, 1);
      return decide({ ...state, facts, untold: false }, { ...event, others: first });
    },
  ],
  [
    'a refusal between two talks is forgotten',
    'recorder after a refusal',
    (state, event) => {
      const step = decide(state, event);
      if (state.kind !== 'following' || step.state.kind !== 'following') return step;
      return { ...step, state: { ...step.state, answer: { kind: 'none' } } };
    },
  ],
  [
    'a late recorder of an earlier talk runs on',
    'a recorder runs with somebody who was not told',
    (state, event) => {
      const step = decide(state, event);
      const isLate = event.type === 'recorderStarted' && state.kind === 'following';
      return isLate ? { ...step, effects: step.effects.filter(({ type }) => type !== 'stopRecorder') } : step;
    },
  ],
];

test('a rule that records who is never recorded is found', () => {
  const records: Decide = (state, event) => {
    if (event.type !== 'joined') return decide(state, event);
    const { never: _never, ...rest } = event;
    return decide(state, rest);
  };
  const fault = 'recorder with somebody who is never recorded';
  const { found } = closure(inTheirOrder(records), aFollowed({ mode: 'announce', sentenceCount: 1 }), withNever, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

test.each(broken)('a rule that is broken is found: %s', (_what, fault, rule) => {
  const facts = aFollowed({ mode: fault === 'recorder after a refusal' ? 'optOut' : 'announce', sentenceCount: 1 });
  const { found } = closure(inTheirOrder(rule), facts, plainTimes, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

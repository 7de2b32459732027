/**
 * P1 by enumeration, as in decide.enumeration.announce.test.ts, for the way `follow`: the caller goes back into the dialplan, and comes
 * into bridges with whomever it leads to. Two talks are followed.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { stay } from '../../../../src/call/decide/handlers.ts';
import { aFollowed, anOutgoing } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { plainTimes, untilTheyTalk, withNever, withOthers } from '../../../support/enumeration/events.ts';
import { factsWith, type CallFacts } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { inTheirOrder } from '../../../support/enumeration/tellingCalls.ts';

describe('every reachable state of a followed call', () => {
  test.each([
    { mode: 'announce', alphabet: plainTimes, least: 2_000 },
    { mode: 'announce', alphabet: withOthers, least: 3_000 },
    { mode: 'announce', alphabet: withNever, least: 3_000 },
    { mode: 'optOut', alphabet: untilTheyTalk, least: 3_000 },
    { mode: 'optIn', alphabet: untilTheyTalk, least: 3_000 },
  ] as const)(
    'with $mode, where others: $alphabet.others, never recorded: $alphabet.never, keeps every rule',
    ({ mode, alphabet, least }) => {
      const explored = closure(inTheirOrder(decide), aFollowed({ mode, sentenceCount: 1 }), alphabet);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(least);
      const states = [...explored.states];
      expect(states).toEqual(expect.arrayContaining(['releasing', 'following', 'talking', 'closing', 'ended']));
      expect(states).not.toContain('dialling');
    },
  );
});

describe('every reachable state of an outgoing call', () => {
  test.each([
    { mode: 'announce', alphabet: plainTimes, least: 2_000 },
    { mode: 'optIn', alphabet: untilTheyTalk, least: 3_000 },
  ] as const)('with $mode keeps every rule', ({ mode, alphabet, least }) => {
    const explored = closure(inTheirOrder(decide), anOutgoing({ mode, sentenceCount: 1 }), alphabet);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(least);
    expect([...explored.states]).toEqual(expect.arrayContaining(['releasing', 'following', 'talking', 'ended']));
  });

  test('a rule that leaves who dialled waiting for one who has left is found', () => {
    const rule: Decide = (state, event) => {
      const step = decide(state, event);
      const isOver = event.type === 'callerLeft';
      return isOver ? { ...step, effects: step.effects.filter(({ type }) => type !== 'returnToDialplan') } : step;
    };
    const fault = 'the caller is left in silence';
    const { found } = closure(
      inTheirOrder(rule),
      anOutgoing({ mode: 'announce', sentenceCount: 1 }),
      plainTimes,
      fault,
    );
    expect(found.map((each) => each.rule)).toContain(fault);
  });
});

describe('where the law forbids to talk unrecorded', () => {
  const asMust = (facts: CallFacts): CallFacts => {
    const request = { ...facts.order.request, mustRecord: true } as const;
    return { ...facts, request, order: { ...facts.order, request } };
  };
  const followed = asMust(aFollowed({ mode: 'announce', sentenceCount: 1 }));
  const bridged = asMust(factsWith({ sentenceCount: 1 }));

  test.each([
    ['a followed call', inTheirOrder(decide), followed],
    ['a call that we dial', decide, bridged],
  ])('%s is turned away whatever keeps it from being recorded', (_what, rule, facts) => {
    const explored = closure(rule, facts, plainTimes);
    expect(explored.found).toEqual([]);
    const reasons = explored.endings.flatMap(({ outcome }) =>
      outcome.result === 'unrecorded' && outcome.turnedAway === true ? [outcome.reason] : [],
    );
    expect([...new Set(reasons)]).toEqual(
      expect.arrayContaining(['catalogue_unusable', 'prompts_missing', 'notice_failed']),
    );
  });

  test.each([
    ['goes on unrecorded', 'goes on unrecorded where the law forbids it', bridged, undefined],
    ['turns everybody away', 'is turned away', factsWith({ sentenceCount: 1 }), true],
  ] as const)('a rule that %s is found', (_what, fault, facts, turnedAway) => {
    const rule: Decide = (state, event) => {
      const step = decide(state, event);
      const effects = step.effects.map((effect) => {
        if (effect.type !== 'returnToDialplan' || effect.outcome.result !== 'unrecorded') return effect;
        const { result, reason } = effect.outcome;
        return { ...effect, outcome: { result, reason, ...(turnedAway === undefined ? {} : { turnedAway }) } };
      });
      return { ...step, effects };
    };
    expect(closure(rule, facts, plainTimes, fault).found.map((each) => each.rule)).toContain(fault);
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
  [
    'a source that changes gives a recorder beside the one that runs',
    'two recorders run at once',
    (state, event) => {
      const step = decide(state, event);
      if (event.type !== 'sourceChanged') return step;
      return { ...step, effects: step.effects.filter(({ type }) => type !== 'stopRecorder') };
    },
  ],
  [
    'a source that changes gives a recorder whoever is there',
    'recorder with somebody who was not told',
    (state, event) =>
      event.type === 'sourceChanged' && state.kind === 'talking' && state.recorder.kind === 'running'
        ? decide({ ...state, untold: false }, event)
        : decide(state, event),
  ],
];

test('a call that we dial keeps every rule where somebody behind a Local/ channel is never recorded', () => {
  const explored = closure(decide, factsWith({ sentenceCount: 1 }), { ...untilTheyTalk, never: true });
  expect(explored.found).toEqual([]);
  const reasons = explored.endings.map(({ outcome }) => (outcome.result === 'unrecorded' ? outcome.reason : undefined));
  expect(reasons).toContain('never_recorded');
});

test('a rule that records who is never recorded is found', () => {
  const records: Decide = (state, event) => {
    if (event.type !== 'joined') return decide(state, event);
    const { type, bridge, others, at } = event;
    return decide(state, { type, bridge, others, at });
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

/**
 * By enumeration, as in decide.enumeration.announce.test.ts, for what codes ask for beside pauses: nothing is recorded before somebody asks
 * for it on a line that records on request, and nothing after somebody had it erased.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { unpaused } from '../../../../src/call/decide/newcomers.ts';
import type { Effect } from '../../../../src/call/decide/state.ts';
import { aFollowed, countingIds, someFacts } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { withCodes, withCodesAndPauses, type Alphabet } from '../../../support/enumeration/events.ts';
import { changed, deafTo, without } from '../../../support/enumeration/mutations.ts';
import type { CallFacts } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { inTheirOrder } from '../../../support/enumeration/tellingCalls.ts';

const announced = { mode: 'announce', sentenceCount: 1 } as const;

function onRequest(way: 'bridge' | 'follow'): CallFacts {
  const facts = way === 'follow' ? aFollowed(announced) : someFacts(countingIds(), announced);

  return { ...facts, order: { ...facts.order, records: 'onRequest' } };
}

const bridge = onRequest('bridge');
const follow = onRequest('follow');
/** Recorded from the beginning. */
const always = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
const alwaysFollowed = aFollowed(announced);

type Case = { what: string; facts: CallFacts; alphabet: Alphabet; least: number };

describe('every reachable state of a call', () => {
  test.each<Case>([
    { what: 'on request, by bridge', facts: bridge, alphabet: withCodesAndPauses, least: 300 },
    { what: 'on request, by follow', facts: follow, alphabet: withCodes, least: 300 },
    { what: 'from the beginning, by bridge', facts: always, alphabet: withCodes, least: 300 },
    { what: 'from the beginning, by follow', facts: alwaysFollowed, alphabet: withCodes, least: 300 },
  ])('that is recorded $what keeps every rule', ({ facts, alphabet, least }) => {
    const explored = closure(inTheirOrder(decide), facts, alphabet);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(least);
    expect([...explored.states]).toEqual(expect.arrayContaining(['talking', 'ended']));
  });
});

const leavingOut = (type: Effect['type']): Decide => changed({ step: (_, step) => without(step, type) });

/** Rules that are broken on purpose, and what the oracle says of them. */
const broken: [what: string, fault: string, facts: CallFacts, rule: Decide][] = [
  [
    'it is recorded before anybody asks for it',
    'recorder while somebody wants a pause',
    follow,
    (state, event) => decide(event.type === 'joined' && state.kind === 'following' ? unpaused(state) : state, event),
  ],
  [
    'it is recorded before both were told',
    'recorder before the destination answered',
    bridge,
    (state, event) => {
      const step = decide(state, event);
      if (event.type !== 'recordAsked') return step;
      const said = decide(step.state, { type: 'pauseSaid', word: 'resumed', at: event.at });
      return { state: said.state, effects: [...step.effects, ...said.effects] };
    },
  ],
  [
    'the code of a pause begins it',
    'tells of an end nobody wants',
    bridge,
    (state, event) =>
      decide(
        state,
        event.type === 'resumeAsked' && event.by !== 'limit' ? { ...event, type: 'recordAsked', by: event.by } : event,
      ),
  ],
  [
    'that nobody asked for it is forgotten',
    'that nobody asked for it is not kept',
    bridge,
    changed({
      step: (_, step) =>
        step.state.kind === 'ended' && step.state.outcome.result === 'unrecorded'
          ? { ...step, state: { ...step.state, outcome: { result: 'unrecorded', reason: 'untold_party' } } }
          : step,
    }),
  ],
  ['an erasure removes nothing', 'an erasure does not discard at once', always, leavingOut('discardRecorder')],
  ['an erasure is not asked for', 'an erasure does not discard at once', always, deafTo('talking', 'eraseAsked')],
  ['it is told before it is saved', 'tells of an erasure before it is saved', always, leavingOut('save')],
  [
    'a followed caller is recorded again afterwards',
    'recorder after an erasure',
    alwaysFollowed,
    (state, event) =>
      decide(
        event.type === 'joined' && state.kind === 'following' ? { ...state, recorder: { kind: 'none' } } : state,
        event,
      ),
  ],
  [
    'an erasure passes for a refusal',
    'an erasure is taken for a refusal',
    always,
    (state, event) => {
      const step = decide(state, event);
      if (event.type !== 'eraseAsked' || step.state.kind !== 'talking') return step;
      return { ...step, state: { ...step.state, answer: { kind: 'refused', digits: '*9', at: event.at } } };
    },
  ],
];

test.each(broken)('a rule that is broken is found: %s', (_what, fault, facts, rule) => {
  const { found } = closure(inTheirOrder(rule), facts, withCodes, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

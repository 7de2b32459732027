/**
 * As decide.enumeration.followed.test.ts, where the disk gets full or the time of the recording is over: a bridge of ours has one recorder,
 * which ends then; of a followed call each talk would have another.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { aFollowed } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { untilTheyTalk, withLittleRoom, withPausesAlone } from '../../../support/enumeration/events.ts';
import { deafTo } from '../../../support/enumeration/mutations.ts';
import type { CallFacts } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { bounded, inTheirOrder, tellingFacts } from '../../../support/enumeration/tellingCalls.ts';

const followed = aFollowed({ mode: 'announce', sentenceCount: 1 });
/** Each part lasts a second. */
const short: CallFacts = { ...followed, order: { ...followed.order, maximumSeconds: 1 } };

test.each([
  ['whose disk gets full', inTheirOrder, followed, withLittleRoom, 2_000],
  ['whose disk gets full while newcomers are told', bounded, tellingFacts('follow'), withLittleRoom, 2_000],
  ['whose disk gets full in a pause', bounded, tellingFacts('follow'), { ...withPausesAlone, room: true }, 2_000],
  ['whose time is over', inTheirOrder, short, untilTheyTalk, 2_000],
] as const)('every reachable state of a followed call %s keeps every rule', (_what, limit, facts, alphabet, least) => {
  const explored = closure(limit(decide), facts, alphabet);
  expect(explored.found).toEqual([]);
  expect(explored.visited).toBeGreaterThanOrEqual(least);
  expect([...explored.states]).toEqual(expect.arrayContaining(['following', 'talking', 'closing', 'ended']));
});

const timeless: Decide = (state, event) => {
  const { recorded, ...facts } = state.facts;

  return decide(recorded === undefined ? state : { ...state, facts }, event);
};

test.each<[string, string, CallFacts, Decide]>([
  ['records on', 'a recorder runs where there is no room', followed, deafTo('talking', 'roomSpent')],
  ['records the next talk', 'recorder where there is no room', followed, deafTo('following', 'roomSpent')],
  ['records for longer than it may', 'recorder after the time of the recording', short, timeless],
])('a call that %s is found', (_what, fault, facts, rule) => {
  const { found } = closure(inTheirOrder(rule), facts, withLittleRoom, fault);
  expect(found.map((each) => each.rule)).toContain(fault);
});

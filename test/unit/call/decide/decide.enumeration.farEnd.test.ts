/** As decide.enumeration.announce.test.ts, where both parties are Local/ channels: whoever comes behind them later was not told. */
import { decide } from '../../../../src/call/decide/decide.ts';
import { aFollowed } from '../../../support/call/calls.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import {
  untilTheyTalk,
  withFarEndOfCaller,
  withFarEndOfDestination,
  withFarEnds,
  withStrangerBehindCaller,
  type Alphabet,
} from '../../../support/enumeration/events.ts';
import { changed, deafTo } from '../../../support/enumeration/mutations.ts';
import { factsWith, type CallShape } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';
import { inTheirOrder } from '../../../support/enumeration/tellingCalls.ts';

const announce: CallShape = { sentenceCount: 1 };
const optIn: CallShape = { mode: 'optIn', sentenceCount: 1 };

test.each([
  ['announce', announce, withFarEnds, 250_000],
  ['announce, two sentences and transfers', { sentenceCount: 2 }, withFarEndOfCaller, 130_000],
  ['opt-in', optIn, withStrangerBehindCaller, 50_000],
] as const)(
  'every reachable state of a call with %s between Local/ channels keeps every rule',
  (_, shape, alphabet, least) => {
    const explored = closure(decide, factsWith(shape), alphabet);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(least);
  },
);

/** Passes over those who come after the first. */
const knows = (kind: string): Decide =>
  changed({
    event: (state, event) =>
      state.kind === kind && event.type === 'farEndSeen'
        ? { ...event, channels: state.facts.farEnds?.[event.party] ?? event.channels }
        : event,
  });

test.each<[string, CallShape, Decide, string]>([
  ['records who comes behind', announce, knows('talking'), 'a recorder runs with somebody who was not told'],
  [
    'records who is behind no more',
    announce,
    deafTo('talking', 'farEndLost'),
    'a recorder runs with somebody who was not told',
  ],
  ['forgets who came while it rang', announce, knows('dialling'), 'recorder with somebody who was not told'],
  [
    'forgets who was lost while it rang',
    announce,
    deafTo('dialling', 'farEndLost'),
    'recorder with somebody who was not told',
  ],
  [
    'lets others hear the end of the notice',
    announce,
    deafTo('announcing', 'farEndSeen'),
    'dialled with somebody who was not told',
  ],
  [
    'lets others come when all was said',
    announce,
    deafTo('confirming', 'farEndSeen'),
    'dialled with somebody who was not told',
  ],
  [
    'takes who left before the notice for told',
    announce,
    deafTo('answering', 'farEndLeft'),
    'dialled with somebody who was not told',
  ],
  [
    'takes who left in the notice for told',
    announce,
    deafTo('announcing', 'farEndLeft'),
    'dialled with somebody who was not told',
  ],
  [
    'takes who left when all was said for told',
    announce,
    deafTo('confirming', 'farEndLeft'),
    'dialled with somebody who was not told',
  ],
  [
    'forgets that nobody hears any more whom it rings for',
    announce,
    deafTo('dialling', 'farEndLeft'),
    'recorder with somebody who was not told',
  ],
  [
    'takes who is found after a gap for the first',
    announce,
    changed({
      event: (_, event) => {
        if (event.type !== 'farEndSeen') return event;
        const { type, party, channels, at } = event;
        return { type, party, channels, at };
      },
    }),
    'a recorder runs with somebody who was not told',
  ],
  ['lets others answer', optIn, deafTo('asking', 'farEndSeen'), 'dialled with somebody who was not told'],
  [
    'lets others come after the answer',
    optIn,
    deafTo('accepting', 'farEndSeen'),
    'dialled with somebody who was not told',
  ],
  [
    'takes one for told who came a little late',
    announce,
    changed({ event: (_, event) => (event.type === 'farEndSeen' && event.at === 51 ? { ...event, at: 50 } : event) }),
    'dialled with somebody who was not told',
  ],
])('a call that %s is found', (_, shape, rule, finds) => {
  const alphabet = shape === optIn ? withStrangerBehindCaller : withFarEnds;
  expect(closure(rule, factsWith(shape), alphabet, finds).found.map(({ rule }) => rule)).toContain(finds);
});

const followed = aFollowed({ mode: 'announce', sentenceCount: 1 });

const behindCaller: Alphabet = { ...untilTheyTalk, farEnds: 'caller' };

test.each([
  ['whom they meet', withFarEndOfDestination, 25_000],
  ['the caller', behindCaller, 80_000],
] as const)(
  'every reachable state of a followed call with a Local/ channel before %s keeps every rule',
  (_, alphabet, least) => {
    const explored = closure(inTheirOrder(decide), followed, alphabet);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(least);
    expect([...explored.states]).toEqual(expect.arrayContaining(['releasing', 'following', 'talking', 'closing']));
  },
);

test.each<[string, Decide, Alphabet, string]>([
  [
    'records who comes behind',
    knows('talking'),
    withFarEndOfDestination,
    'a recorder runs with somebody who was not told',
  ],
  [
    'records who is behind no more',
    deafTo('talking', 'farEndLost'),
    withFarEndOfDestination,
    'a recorder runs with somebody who was not told',
  ],
  [
    'takes for the first who comes behind somebody who was behind another',
    (state, event) => {
      const { met, order } = state.facts;
      if (event.type !== 'farEndSeen' || met === undefined || order === undefined) return decide(state, event);
      return decide({ ...state, facts: { ...state.facts, met: [order.destination] } }, event);
    },
    withFarEndOfDestination,
    'a recorder runs with somebody who was not told',
  ],
  [
    'forgets who came behind the caller between two talks',
    deafTo('following', 'farEndSeen'),
    behindCaller,
    'recorder with somebody who was not told',
  ],
  [
    'forgets who was lost between two talks',
    deafTo('following', 'farEndLost'),
    behindCaller,
    'recorder with somebody who was not told',
  ],
])('a followed call that %s is found', (_, rule, alphabet, finds) => {
  expect(closure(inTheirOrder(rule), followed, alphabet, finds).found.map(({ rule }) => rule)).toContain(finds);
});

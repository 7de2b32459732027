/** As decide.enumeration.announce.test.ts, where the two put each other on hold: nothing is recorded meanwhile, and all after it. */
import { decide } from '../../../../src/call/decide/decide.ts';
import type { Effect, HoldEffect } from '../../../../src/call/decide/state.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { withHolds, withHoldsOfCaller } from '../../../support/enumeration/events.ts';
import { changed, deafTo } from '../../../support/enumeration/mutations.ts';
import { factsWith, type CallShape } from '../../../support/enumeration/oracle.ts';
import type { Decide } from '../../../support/enumeration/rules.ts';

const announce: CallShape = { sentenceCount: 1 };
const optIn: CallShape = { mode: 'optIn', sentenceCount: 1 };

test.each([
  ['announce', announce, withHolds, 8_000],
  ['opt-in', optIn, withHoldsOfCaller, 80_000],
] as const)('every reachable state of a call with %s and holds keeps every rule', (_, shape, alphabet, least) => {
  const explored = closure(decide, factsWith(shape), alphabet);
  expect(explored.found).toEqual([]);
  expect(explored.visited).toBeGreaterThan(least);
});

/** `decide`, but with its holds changed on purpose. */
const holding = (change: (hold: HoldEffect) => Partial<HoldEffect>): Decide =>
  changed({
    step: (_, { state, effects }) => ({
      state,
      effects: effects.map((effect): Effect => (effect.type === 'hold' ? { ...effect, ...change(effect) } : effect)),
    }),
  });

test.each<[string, CallShape, Decide, string]>([
  ['records a hold', announce, holding(() => ({ recorder: undefined })), 'a hold is recorded'],
  ['records a hold of before the answer', announce, deafTo('dialling', 'callerHeld'), 'a hold is recorded'],
  ['records a hold of before the dialling', optIn, deafTo('accepting', 'callerHeld'), 'a hold is recorded'],
  [
    'leaves out what follows a hold',
    announce,
    holding(({ recorder }) => (recorder?.paused === false ? { recorder: undefined } : {})),
    'a talk after a hold is not recorded',
  ],
  [
    'goes on when one of two is back',
    announce,
    changed({
      event: (state, event) =>
        state.kind === 'talking' && event.type === 'callerResumed' ? { ...event, type: 'destinationResumed' } : event,
    }),
    'a hold is recorded',
  ],
  [
    'does not end the music',
    announce,
    holding(() => ({ back: [] })),
    'music for who does not wait, or none for who does',
  ],
  [
    'plays music to who holds',
    announce,
    holding(({ waiting, back }) => ({ waiting: back, back: waiting })),
    'music for who does not wait, or none for who does',
  ],
])('the checker finds a rule that %s', (_, shape, rule, finds) => {
  const { found } = closure(rule, factsWith(shape), withHolds, finds);
  expect(found.map((fault) => fault.rule)).toContain(finds);
});

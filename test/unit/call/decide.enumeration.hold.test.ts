/** As decide.enumeration.announce.test.ts, where the two put each other on hold: nothing is recorded meanwhile, and all after it. */
import { decide } from '../../../src/call/decide.ts';
import { closure } from '../../support/enumeration/closure.ts';
import { withHolds } from '../../support/enumeration/events.ts';
import { changed, deafTo, without } from '../../support/enumeration/mutations.ts';
import { factsWith } from '../../support/enumeration/oracle.ts';
import type { Decide } from '../../support/enumeration/rules.ts';

const facts = factsWith({ sentenceCount: 1 });

test('every reachable state of a call with holds keeps every rule', () => {
  const explored = closure(decide, facts, withHolds);
  expect(explored.found).toEqual([]);
  expect(explored.visited).toBeGreaterThan(8_000);
});

test.each<[string, Decide, string]>([
  ['records a hold', changed({ step: (_, step) => without(step, 'pauseRecorder') }), 'a hold is recorded'],
  ['records a hold of before the answer', deafTo('dialling', 'callerHeld'), 'a hold is recorded'],
  [
    'leaves out what follows a hold',
    changed({ step: (_, step) => without(step, 'resumeRecorder') }),
    'a talk after a hold is not recorded',
  ],
  [
    'goes on when one of two is back',
    changed({
      event: (state, event) =>
        state.kind === 'talking' && event.type === 'callerResumed' ? { ...event, type: 'destinationResumed' } : event,
    }),
    'a hold is recorded',
  ],
])('the checker finds a rule that %s', (_, rule, finds) => {
  expect(closure(rule, facts, withHolds, finds).found.map((fault) => fault.rule)).toContain(finds);
});

/**
 * P1 by enumeration: whatever happens to a call, in whatever order, the recorder is started only after every sentence was heard
 * whole, never for a call that is left out, never with somebody in the bridge who was not told. `decide` is pure and its times
 * are quantised here, so the pairs of (state of the call, what the checker remembers) are finitely many and all of them are
 * visited. What was heard and which keys were pressed is told by an oracle that looks at the events only, never at the state.
 *
 * decide.enumeration.optOut and .optIn do the same where the caller is asked, .sequences walks without a map of states, and .brokenNotice and
 * .brokenConsent show that the checker sees a broken promise.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { exactTimes, withOthers } from '../../../support/enumeration/events.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';
import { testEveryShape } from '../../../support/enumeration/everyShape.ts';
import { shapesOf, statesOf } from '../../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  test.each([
    { sentenceCount: 1, least: 8_400 },
    { sentenceCount: 2, least: 25_000 },
    { sentenceCount: 3, least: 75_000 },
  ])(
    'of a notice of $sentenceCount sentences, each cut at every length, keeps every rule: at least $least pairs of state and history',
    ({ sentenceCount, least }) => {
      const explored = closure(decide, factsWith({ sentenceCount }), exactTimes);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(least);
      expect([...explored.states].sort()).toEqual(statesOf({ mode: 'announce', asksLanguage: false, sampled: true }));
    },
  );

  testEveryShape(shapesOf('announce'), { recorded: 2_865, withMenu: 1_599, leftOut: 117 });

  test('of a call in whose bridge others come and go keeps every rule', () => {
    const explored = closure(decide, factsWith({ sentenceCount: 1 }), withOthers);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(3_000);
  });
});

/** As decide.enumeration.announce.test.ts, where the caller may refuse: never a recorder after a refusal. */
import { decide } from '../../../../src/call/decide/decide.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { plainTimes, type Alphabet } from '../../../support/enumeration/events.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';
import { testEveryShape } from '../../../support/enumeration/everyShape.ts';
import { shapesOf } from '../../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  testEveryShape(shapesOf('optOut'), { recorded: 34_578, withMenu: 13_854, leftOut: 303 });

  test('of a question that is cut at every length keeps every rule', () => {
    const cut: Alphabet = { ...plainTimes, finishes: [949, 950] };
    const explored = closure(decide, factsWith({ mode: 'optOut', sentenceCount: 1 }), cut);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(34_578);
  });
});

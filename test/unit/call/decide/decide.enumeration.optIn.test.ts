/**
 * As decide.enumeration.announce.test.ts, where the caller is asked, in one language: never a recorder after a refusal, or without a
 * yes. decide.enumeration.optInTwice.test.ts is the same in two languages.
 */
import { decide } from '../../../../src/call/decide/decide.ts';
import { closure } from '../../../support/enumeration/closure.ts';
import { plainTimes, type Alphabet } from '../../../support/enumeration/events.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';
import { testEveryShape } from '../../../support/enumeration/everyShape.ts';
import { shapesOf } from '../../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  testEveryShape(
    shapesOf('optIn').filter(({ languages }) => languages.length === 1),
    { recorded: 55_512, withMenu: 28_014, leftOut: 366 },
  );

  test('of a question that is cut at every length keeps every rule', () => {
    const cut: Alphabet = { ...plainTimes, finishes: [949, 950] };
    const explored = closure(decide, factsWith({ mode: 'optIn', sentenceCount: 1 }), cut);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(34_578);
  });
});

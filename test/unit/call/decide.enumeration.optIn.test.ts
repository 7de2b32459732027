/**
 * As decide.enumeration.announce.test.ts, where the caller is asked, in one language: never a recorder after a refusal, or without a
 * yes. decide.enumeration.optInTwice.test.ts is the same in two languages.
 */
import { decide } from '../../../src/call/decide.ts';
import { closure } from '../../support/enumeration/closure.ts';
import { plainTimes, type Alphabet } from '../../support/enumeration/events.ts';
import { factsWith } from '../../support/enumeration/oracle.ts';
import { shapesOf, statesOf } from '../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  test.each(shapesOf('optIn').filter(({ languages }) => languages.length === 1))(
    'of a call with $mode, in $languages, with a menu: $asksLanguage, recorded at all: $sampled, keeps every rule',
    (shape) => {
      const explored = closure(decide, factsWith({ ...shape, sentenceCount: 1 }), plainTimes);
      expect(explored.found).toEqual([]);
      // Pairs of state and history that there are in one language and without a menu; others have more.
      expect(explored.visited).toBeGreaterThanOrEqual(shape.sampled ? 55_512 : 366);
      expect([...explored.states].sort()).toEqual(statesOf(shape));
    },
  );

  test('of a question that is cut at every length keeps every rule', () => {
    const cut: Alphabet = { ...plainTimes, finishes: [949, 950] };
    const explored = closure(decide, factsWith({ mode: 'optIn', sentenceCount: 1 }), cut);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThanOrEqual(34_578);
  });
});

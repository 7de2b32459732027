/** As decide.enumeration.optIn.test.ts, where the question is asked in two languages: a yes to the first spares the second. */
import { decide } from '../../../src/call/decide.ts';
import { closure } from '../../support/enumeration/closure.ts';
import { plainTimes } from '../../support/enumeration/events.ts';
import { factsWith } from '../../support/enumeration/oracle.ts';
import { shapesOf, statesOf } from '../../support/enumeration/shapes.ts';

describe('every reachable state', () => {
  test.each(shapesOf('optIn').filter(({ languages }) => languages.length > 1))(
    'of a call with $mode, in $languages, with a menu: $asksLanguage, recorded at all: $sampled, keeps every rule',
    (shape) => {
      const explored = closure(decide, factsWith({ ...shape, sentenceCount: 1 }), plainTimes);
      expect(explored.found).toEqual([]);
      // Pairs of state and history that there are in one language and without a menu; others have more.
      expect(explored.visited).toBeGreaterThanOrEqual(shape.sampled ? 55_512 : 366);
      expect([...explored.states].sort()).toEqual(statesOf(shape));
    },
  );
});

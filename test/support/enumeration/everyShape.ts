/** The test of every reachable state, for each of some shapes of calls. */
import { decide } from '../../../src/call/decide.ts';
import { closure } from './closure.ts';
import { plainTimes } from './events.ts';
import { factsWith } from './oracle.ts';
import { statesOf, type Shape } from './shapes.ts';

/** `least`: pairs of state and history that there are in one language and without a menu; others have more. */
export function testEveryShape(shapes: readonly Shape[], least: { recorded: number; leftOut: number }): void {
  test.each(shapes)(
    'of a call with $mode, in $languages, with a menu: $asksLanguage, recorded at all: $sampled, keeps every rule',
    (shape) => {
      const explored = closure(decide, factsWith({ ...shape, sentenceCount: 1 }), plainTimes);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(shape.sampled ? least.recorded : least.leftOut);
      expect([...explored.states].sort()).toEqual(statesOf(shape));
    },
  );
}

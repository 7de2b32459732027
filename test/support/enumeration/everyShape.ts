/** The test of every reachable state, for each of some shapes of calls. */
import { decide } from '../../../src/call/decide/decide.ts';
import { closure } from './closure.ts';
import { plainTimes, untilTheyTalk } from './events.ts';
import { factsWith } from './oracle.ts';
import { statesOf, type Shape } from './shapes.ts';

/**
 * With a menu until they talk: who joins a talk is tried with the calls without one. `least`: pairs of state and history that there are
 * in one language; in two there are more.
 */
export function testEveryShape(
  shapes: readonly Shape[],
  least: { recorded: number; withMenu: number; leftOut: number },
): void {
  const leastOf = ({ sampled, asksLanguage }: Shape): number => {
    if (!sampled) return least.leftOut;
    return asksLanguage ? least.withMenu : least.recorded;
  };
  test.each(shapes)(
    'of a call with $mode, in $languages, with a menu: $asksLanguage, recorded at all: $sampled, keeps every rule',
    (shape) => {
      const explored = closure(
        decide,
        factsWith({ ...shape, sentenceCount: 1 }),
        shape.asksLanguage ? untilTheyTalk : plainTimes,
      );
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(leastOf(shape));
      expect([...explored.states].sort()).toEqual(statesOf(shape));
    },
  );
}

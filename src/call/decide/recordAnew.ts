import { stay } from './handlers.ts';
import { renewed } from './newcomers.ts';
import { isBridged } from './order.ts';
import { orderOf } from './parties.ts';
import type { In, Step } from './state.ts';

/**
 * The recording of a followed call goes on in a part of its own within one talk: a fresh snoop hears what the one before may drop. That one
 * is stopped first, since it keeps what it drops for the fresh one, too; and P1 knows of one recorder at a time. Nothing is saved before: a
 * later process looks for a part that nobody wrote down (session/resync.ts).
 */
export function recordAnew(state: In<'talking'>): Step {
  const { facts, recorder, untold, holding } = state;
  if (isBridged(orderOf(facts)) || recorder.kind !== 'running' || untold || holding.length > 0) return stay(state);

  return renewed(state, undefined);
}

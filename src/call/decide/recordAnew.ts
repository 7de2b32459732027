import { stay } from './handlers.ts';
import { renewed } from './newcomers.ts';
import { isBridged } from './order.ts';
import { orderOf } from './parties.ts';
import type { CallEvent } from './events.ts';
import type { In, Step } from './state.ts';

/**
 * The recording of a followed call goes on in a part of its own within one talk: a fresh snoop hears what the one before may drop. That one
 * is stopped first, since it keeps what it drops for the fresh one, too; and P1 knows of one recorder at a time. Nothing is saved before: a
 * later process looks for a part that nobody wrote down (session/resync.ts).
 */

type Talking = In<'talking'>;

/** Whether the recorder of this talk can go on in a part of its own. */
const canRecordAnew = ({ facts, recorder, untold, holding }: Talking): boolean =>
  !isBridged(orderOf(facts)) && recorder.kind === 'running' && !untold && holding.length === 0;

/** A party goes on from another RTP source. */
export const recordAnew = (state: Talking): Step => (canRecordAnew(state) ? renewed(state, undefined) : stay(state));

/**
 * A hold is over: the music that was heard meanwhile has numbers of its own, and the snoop may drop what comes after it. undefined where the
 * recorder of before goes on, or none does.
 */
export function recordAfterHold(state: Talking): Step | undefined {
  if (!canRecordAnew(state)) return undefined;
  const { state: next, effects } = renewed(state, undefined);
  if (next.recorder.kind !== 'requested' || next.recorder.resumes === undefined) return undefined;
  const resumes = { ...next.recorder.resumes, isHold: true as const };

  return {
    state: { ...next, recorder: { kind: 'requested', resumes } },
    effects: [...effects, { type: 'save' }],
  };
}

/** What the process before has written down, and not begun. It is saved already, and all who are there were told. */
export function beginAgain(state: Talking, { part }: Extract<CallEvent, { type: 'recorderUnbegun' }>): Step {
  const { facts, recorder, untold, told } = state;
  const order = orderOf(facts);
  if (recorder.kind !== 'requested' || untold || order.part !== part) return stay(state);

  return {
    state,
    effects: [
      { type: 'startRecorder', order, told },
      ...(isBridged(order) ? [] : [{ type: 'watchHolds' as const, channel: order.destination }]),
    ],
  };
}

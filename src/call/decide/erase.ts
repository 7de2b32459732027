import type { CallEvent } from './events.ts';
import { stay } from './handlers.ts';
import { music } from './musicHold.ts';
import { unpaused } from './newcomers.ts';
import { isBridged, recorderOf, type Asker } from './order.ts';
import { orderOf } from './parties.ts';
import { awaitsRequest } from './pause.ts';
import type { Answer } from './answer.ts';
import type { Effect, In, Pause, Recorder, Step } from './state.ts';

/**
 * Somebody asks that what was recorded be removed: the agent by a code, a program or a command. As after a refusal nothing more of the call
 * is recorded; but it is none of the caller, and their answer stays as it is. Once is enough: who asks again is asked nothing more of.
 */

type Talking = In<'talking'>;
type Following = In<'following'>;
type Asked = Extract<CallEvent, { type: 'eraseAsked' }>;

type Recorded = { recorder: Recorder; paused?: Pause };

/** Whether a recorder runs, or has run, or may. */
export function mayHaveRecorded(state: Recorded): boolean {
  const { recorder } = state;
  const isToBeAsked = recorder.kind === 'awaited' && recorder.resumes === undefined && awaitsRequest(state);

  return !isToBeAsked && !['none', 'withheld', 'discarded'].includes(recorder.kind);
}

const canErase = (state: Recorded & { answer: Answer }): boolean =>
  state.answer.kind !== 'refused' && mayHaveRecorded(state);

/** When what it has of all talks began, as far as that is known. */
export function startOf(recorder: Recorder): number | undefined {
  if ('startedAt' in recorder) return recorder.startedAt;

  return 'resumes' in recorder ? recorder.resumes.startedAt : undefined;
}

const erased = (recorder: Recorder, by: Asker): Recorder => ({
  kind: 'discarded',
  startedAt: startOf(recorder),
  erasedBy: by,
});

/**
 * The sentence is begun before the recorder of a bridge goes, as after a refusal (talk.ts), and it is saved before both: who is told that it is
 * erased must not be kept by a process that dies here.
 */
export function eraseTalk(state: Talking, { by }: Asked): Step {
  if (!canErase(state)) return stay(state);
  const { facts, recorder, holding } = state;
  const order = orderOf(facts);
  const removed: Effect = { type: 'discardRecorder', ...recorderOf(order) };
  const said: Effect = { type: 'sayErased', order };

  return {
    state: { ...unpaused(state), telling: [], recorder: erased(recorder, by) },
    effects: [
      { type: 'save' },
      // Music would be all that who waits on hold hears.
      ...music(facts, [], holding),
      ...(isBridged(order) ? [said, removed, { type: 'tellUnrecorded' as const, reason: 'erase_asked' as const }] : []),
      ...(isBridged(order) ? [] : [removed, said]),
    ],
  };
}

/** Who is on hold hears music again. */
export const eraseSaid = (state: Talking): Step => ({ state, effects: music(state.facts, state.holding) });

/** A followed caller talks to nobody: there is nobody to tell. */
export function eraseFollowing(state: Following, { by }: Asked): Step {
  if (!canErase(state)) return stay(state);
  const { facts, recorder } = state;

  return {
    state: { ...unpaused(state), recorder: erased(recorder, by) },
    effects: [{ type: 'save' }, { type: 'discardRecorder', ...recorderOf(orderOf(facts)) }],
  };
}

import type { Answer } from './answer.ts';
import {
  ignored,
  ignoresBridge,
  ignoresDestination,
  ignoresFarEnd,
  ignoresFollowing,
  ignoresHold,
  ignoresPlayback,
  ignoresSetUp,
  stay,
  type Handlers,
} from './handlers.ts';
import { isBridged, recorderOf, type Party } from './order.ts';
import { orderOf } from './parties.ts';
import { askedBy, isActive, recorderAfter, withoutAwaited, withoutPart, type RecorderEvent } from './recorder.ts';
import type { Effect, In, Outcome, Recorder, Step } from './state.ts';

/** The talk is over: from there to the end of the call. */

/** How long the end of the recorder is waited for; the file itself is the truth. */
const recorderFinishLimitMs = 10_000;

type Ending = Pick<In<'talking'>, 'facts' | 'told' | 'answer' | 'recorder' | 'paused'>;

/** One side left: stop the recorder first, so that it ends with the talk; then the other side and the bridge. */
export function close(
  { facts, told: proof, answer, recorder: last, paused }: Ending,
  endedAt: number | undefined,
  staying: readonly Party[],
): Step {
  const order = orderOf(facts);
  const recorder = withoutAwaited(last, paused);
  const { destination, bridge } = order;
  const removal: Effect[] = isBridged(order)
    ? [
        ...staying.map((party): Effect =>
          party === 'caller' ? { type: 'hangUpCaller' } : { type: 'hangUpDestination', destination },
        ),
        { type: 'destroyBridge', bridge },
      ]
    : [];
  const closing: In<'closing'> = { kind: 'closing', facts, told: proof, answer, recorder, endedAt };
  if (!isActive(recorder)) {
    const step = finish(closing);

    return { ...step, effects: [...removal, ...step.effects] };
  }

  return {
    state: closing,
    effects: [
      { type: 'stopRecorder', ...recorderOf(order) },
      ...removal,
      { type: 'startTimer', timer: 'recorderFinish', ms: recorderFinishLimitMs },
    ],
  };
}

type Closing = In<'closing'>;

function recorderWhileClosing(state: Closing, event: RecorderEvent): Step {
  const order = orderOf(state.facts);
  const recorder = recorderAfter(state.recorder, event, order);
  // A bridge of ours is gone by then, and its recorder with it; who is in another's place could be heard on.
  const stop: Effect[] =
    event.type === 'recorderStarted' && !isBridged(order) ? [{ type: 'stopRecorder', ...askedBy(event, order) }] : [];
  if (recorder === state.recorder || isActive(recorder)) return { state: { ...state, recorder }, effects: stop };

  return finish({ ...state, recorder });
}

export const whileClosing: Handlers<Closing> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresFarEnd,
  ...ignoresBridge,
  ...ignoresHold,
  digit: ignored,
  callerLeft: ignored,
  callerSentOn: ignored,
  interrupted: ignored,
  eventsMissed: ignored,
  recorderStarted: recorderWhileClosing,
  recorderFinished: recorderWhileClosing,
  recorderFailed: recorderWhileClosing,
  recorderUnbegun: ignored,
  partyUnheard: ignored,
  sourceChanged: ignored,
  roomSpent: ignored,
  stepFailed: recorderWhileClosing,
  timeUp: (state, { timer }) => (timer === 'recorderFinish' ? finish(state) : stay(state)),
};

/** Whoever refuses afterwards has refused. */
const isErased = ({ erasedBy }: Extract<Recorder, { kind: 'discarded' }>, answer: Answer): boolean =>
  erasedBy !== undefined && answer.kind !== 'refused';

function outcomeOf(recorder: Recorder, answer: Answer): Outcome {
  switch (recorder.kind) {
    case 'finished':
      return { result: 'recorded' };
    case 'discarded':
      return { result: 'unrecorded', reason: isErased(recorder, answer) ? 'erase_asked' : 'refused' };
    case 'withheld':
      return { result: 'unrecorded', reason: answer.kind === 'refused' ? 'refused' : recorder.why };
    case 'none':
    case 'awaited':
    case 'requested':
    case 'running':
    case 'failed':
      return { result: 'unrecorded', reason: 'recorder_failed' };
  }
}

/** Nothing was heard of its end. What earlier parts have is there all the same. */
function lastOf(recorder: Recorder): Recorder {
  if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: undefined };

  return recorder.kind === 'requested' && recorder.resumes !== undefined ? withoutPart(recorder) : recorder;
}

function finish({ facts, told: proof, answer, endedAt, recorder: last }: Closing): Step {
  const recorder = lastOf(last);

  return {
    state: {
      kind: 'ended',
      facts,
      played: proof.sentences,
      answer,
      recorder,
      outcome: outcomeOf(recorder, answer),
      endedAt,
    },
    effects: [{ type: 'stopTimer' }, { type: 'save' }],
  };
}

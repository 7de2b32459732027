import { answerOf, type Answer } from './consent.ts';
import { abandon, acknowledge, end, goOnUnrecorded, orderOf, type SoFar } from './decideEnd.ts';
import type { CallEvent, FallibleStep } from './events.ts';
import {
  ignored,
  ignoresBridge,
  ignoresCaller,
  ignoresDestination,
  ignoresPlayback,
  ignoresSetUp,
  stay,
  type Handlers,
} from './handlers.ts';
import type { Told } from './notice.ts';
import type { DialStatus, Effect, Facts, In, Outcome, Recorder, Step } from './state.ts';

/** From the dialling of the destination to the end of the talk. */

/** How long Asterisk may take beyond the dialling time to give up on a destination. */
const dialSlackMs = 5_000;
/**
 * For so long after the answer the refusing key counts by itself, as before it: it is reported when it is let go, and who
 * presses it at the end of the ringing does not know that they are answered. Longer, and it would be one that they press for
 * whom they talk to.
 */
export const lateRefusalMs = 3_000;
/** How long the end of the recorder is waited for; the file itself is the truth. */
const recorderFinishLimitMs = 10_000;

/** The caller was told and may be recorded: only from here on there is a way to the recorder. */
export function dial(facts: Facts, told: Told, answer: Answer, prepared: boolean): Step {
  const order = orderOf(facts);

  return {
    state: { kind: 'dialling', facts, told, answer, ringing: false, keysMissed: false, typed: '' },
    effects: [
      { type: 'save' },
      ...(prepared ? [] : [{ type: 'prepare' as const, order }]),
      { type: 'dial', order },
      { type: 'startTimer', timer: 'dial', ms: order.request.timeoutSeconds * 1_000 + dialSlackMs },
    ],
  };
}

type Dialling = In<'dialling'>;

function told({ facts, told: { sentences }, answer }: Dialling): SoFar {
  return { facts, played: sentences, answer, prepared: true };
}

/** As app_dial.c of Asterisk 16 to 22 maps hang-up causes (ITU-T Q.850) to DIALSTATUS. */
function dialStatusOf(cause: number): DialStatus {
  switch (cause) {
    case 17:
      return 'BUSY';
    case 34:
      return 'CONGESTION';
    case 16: // normal clearing
    case 19: // no answer
      return 'NOANSWER';
    default:
      return 'CHANUNAVAIL';
  }
}

function notConnected(state: Dialling, dialStatus: DialStatus, endedAt: number | undefined): Step {
  const outcome: Outcome = { result: 'notConnected', dialStatus };

  return end(told(state), outcome, endedAt, [{ type: 'returnToDialplan', outcome }]);
}

function stepFailedWhileDialling(state: Dialling, step: FallibleStep): Step {
  switch (step) {
    case 'save':
      return goOnUnrecorded(told(state), 'catalogue_unusable');
    case 'prepare':
      return goOnUnrecorded(told(state), 'prepare_failed');
    case 'dial':
      return goOnUnrecorded(told(state), 'dial_failed');
    case 'plan':
    case 'answer':
    case 'play':
    case 'startRecorder':
      return stay(state);
  }
}

function typedWith({ typed }: { typed: string }, digit: string, featureCode: string): string {
  return (typed + digit).slice(-featureCode.length);
}

/** They are connected. Without the caller's keys nobody knows whether they have refused: then nothing is recorded. */
function talk({ facts, told: proof, answer, ringing, keysMissed, typed }: Dialling, answeredAt?: number): Step {
  const recorder: Recorder = { kind: keysMissed ? 'withheld' : 'requested' };
  const now: Effect[] = [{ type: 'stopTimer' }, ...(ringing ? [{ type: 'ringStop' as const }] : [])];

  return {
    state: { kind: 'talking', facts, told: proof, answer, recorder, answeredAt, untold: false, typed },
    effects: keysMissed
      ? [...now, { type: 'save' }, { type: 'tellUnrecorded', reason: 'interrupted' }]
      : [{ type: 'startRecorder', order: orderOf(facts), told: proof }, ...now],
  };
}

export const whileDialling: Handlers<Dialling> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  recorderStarted: ignored,
  recorderFinished: ignored,
  recorderFailed: ignored,
  callerHeld: ignored,
  destinationRinging: (state) =>
    state.ringing ? stay(state) : { state: { ...state, ringing: true }, effects: [{ type: 'ring' }] },
  destinationAnswered: (state, { at }) => talk(state, at),
  destinationLeft: (state, { at, cause }) =>
    cause === undefined ? stay(state) : notConnected(state, dialStatusOf(cause), at),
  // A refusal after the notice: the destination is given up and dialled again by the dialplan.
  digit: (state, { digit, at }) => {
    const { consent } = orderOf(state.facts).script;
    if (consent.mode === 'announce') return stay(state);
    const { featureCode, acknowledgement } = consent.refusal;
    const typed = typedWith(state, digit, featureCode);
    const given = answerOf(consent, digit, at, true);
    if (given.kind !== 'refused' && typed !== featureCode) return stay({ ...state, typed });
    const answer: Answer = given.kind === 'refused' ? given : { kind: 'refused', digits: featureCode, at };
    return acknowledge({ ...told(state), answer }, acknowledgement, []);
  },
  strangerJoined: (state) => goOnUnrecorded(told(state), 'untold_party'),
  partyReplaced: ignored,
  keysMissed: (state) =>
    orderOf(state.facts).script.consent.mode === 'announce' ? stay(state) : stay({ ...state, keysMissed: true }),
  timeUp: (state, { timer }) => (timer === 'dial' ? notConnected(state, 'NOANSWER', undefined) : stay(state)),
  stepFailed: (state, { step }) => stepFailedWhileDialling(state, step),
  bridgeGone: (state) => goOnUnrecorded(told(state), 'dial_failed'),
  callerLeft: (state, { at }) => abandon(told(state), at),
  interrupted: (state) => goOnUnrecorded(told(state), 'interrupted'),
};

function isActive(recorder: Recorder): boolean {
  return recorder.kind === 'requested' || recorder.kind === 'running';
}

type RecorderEvent = Extract<
  CallEvent,
  { type: 'recorderStarted' | 'recorderFinished' | 'recorderFailed' | 'stepFailed' }
>;

/** What the recorder becomes by an event that speaks of it. What was discarded stays discarded. */
function follow(recorder: Recorder, event: RecorderEvent): Recorder {
  switch (event.type) {
    case 'recorderStarted':
      return recorder.kind === 'requested' || recorder.kind === 'failed'
        ? { kind: 'running', startedAt: event.at }
        : recorder;
    case 'recorderFinished':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: event.at };
      return recorder.kind === 'requested' ? { kind: 'failed' } : recorder;
    case 'recorderFailed':
      if (recorder.kind === 'running') return { ...recorder, kind: 'finished', finishedAt: undefined };
      return recorder.kind === 'requested' ? { kind: 'failed' } : recorder;
    case 'stepFailed':
      return event.step === 'startRecorder' && recorder.kind === 'requested' ? { kind: 'failed' } : recorder;
  }
}

type Talking = In<'talking'>;

function recorderWhileTalking(state: Talking, event: RecorderEvent): Step {
  const recorder = follow(state.recorder, event);
  const { recording } = orderOf(state.facts);
  // A request that failed for us may have reached Asterisk all the same, and be carried out late.
  const starts = event.type === 'recorderStarted';
  if (starts && (recorder.kind === 'discarded' || recorder.kind === 'withheld'))
    return { state, effects: [{ type: 'discardRecorder', recording }] };
  const stop: Effect[] = starts && state.untold ? [{ type: 'stopRecorder', recording }] : [];
  if (recorder === state.recorder) return { state, effects: stop };
  const tell: Effect[] = recorder.kind === 'running' ? [{ type: 'tellRecorded', recording }] : [];

  return { state: { ...state, recorder }, effects: [...stop, { type: 'save' }, ...tell] };
}

/**
 * A transfer: from here on somebody else is that side of the call, who was not told, so recording stops (P1). They talk on in
 * our bridge (P3), and the call ends when one of the two leaves it.
 */
function replace(state: Talking, { party, channel }: Extract<CallEvent, { type: 'partyReplaced' }>): Step {
  const { facts, recorder } = state;
  const order = orderOf(facts);
  const replaced = party === 'caller' ? facts.callerChannel : order.destination;
  if (channel === replaced) return stay(state);
  const now: Facts =
    party === 'caller' ? { ...facts, callerChannel: channel } : { ...facts, order: { ...order, destination: channel } };

  return {
    state: { ...state, facts: now, untold: true },
    effects: [
      ...(isActive(recorder) ? [{ type: 'stopRecorder' as const, recording: order.recording }] : []),
      { type: 'hangUpReplaced', channel: replaced },
      { type: 'save' },
    ],
  };
}

/** The key that was meant for before the answer. */
function earlyRefusal({ facts, answeredAt }: Talking, digit: string, at: number): string | undefined {
  if (answeredAt === undefined || at - answeredAt > lateRefusalMs) return undefined;

  return answerOf(orderOf(facts).script.consent, digit, at, true).kind === 'refused' ? digit : undefined;
}

/** Stops the recorder and removes what it has, at once; the talk goes on. */
function keyWhileTalking(state: Talking, digit: string, at: number): Step {
  const { facts, recorder } = state;
  const { script, recording, bridge } = orderOf(facts);
  const { consent } = script;
  if (consent.mode === 'announce') return stay(state);
  const { featureCode, acknowledgement } = consent.refusal;
  const typed = typedWith(state, digit, featureCode);
  const refusing = typed === featureCode ? featureCode : earlyRefusal(state, digit, at);
  if (refusing === undefined || state.answer.kind === 'refused') return stay({ ...state, typed });
  // It may run in each other case, or have run.
  const runs = recorder.kind !== 'withheld';
  const startedAt = recorder.kind === 'running' || recorder.kind === 'finished' ? recorder.startedAt : undefined;

  return {
    state: {
      ...state,
      typed: '',
      answer: { kind: 'refused', digits: refusing, at },
      recorder: runs ? { kind: 'discarded', startedAt } : recorder,
    },
    effects: [
      ...(runs ? [{ type: 'discardRecorder' as const, recording }] : []),
      { type: 'save' },
      { type: 'tellUnrecorded', reason: 'refused' },
      ...acknowledgement.map((sentence): Effect => ({ type: 'sayToBoth', bridge, sentence })),
    ],
  };
}

export const whileTalking: Handlers<Talking> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  destinationRinging: ignored,
  destinationAnswered: ignored,
  callerHeld: ignored,
  interrupted: ignored,
  // They had their choice; who wants to refuse now and is not heard, presses again.
  keysMissed: ignored,
  timeUp: ignored,
  recorderStarted: recorderWhileTalking,
  recorderFinished: recorderWhileTalking,
  recorderFailed: recorderWhileTalking,
  stepFailed: recorderWhileTalking,
  digit: (state, { digit, at }) => keyWhileTalking(state, digit, at),
  // P1: whoever comes in was not told. What was recorded until now stays; they talk on unrecorded.
  strangerJoined: (state) => ({
    state: { ...state, untold: true },
    effects: [
      ...(isActive(state.recorder)
        ? [{ type: 'stopRecorder' as const, recording: orderOf(state.facts).recording }]
        : []),
      // A later process must know it too, should this one not live to see the recorder stop.
      ...(state.untold ? [] : [{ type: 'save' as const }]),
    ],
  }),
  partyReplaced: replace,
  callerLeft: (state, { at }) => close(state, at, ['destination']),
  // It may live on elsewhere, transferred: it is not ours to hang up.
  destinationLeft: (state, { at }) => close(state, at, ['caller']),
  bridgeGone: (state) => close(state, undefined, ['caller', 'destination']),
};

/** One side left: stop the recorder first, so that it ends with the talk; then the other side and the bridge. */
function close(
  { facts, told: proof, answer, recorder }: Talking,
  endedAt: number | undefined,
  staying: readonly ('caller' | 'destination')[],
): Step {
  const { recording, destination, bridge } = orderOf(facts);
  const removal: Effect[] = [
    ...staying.map((party): Effect =>
      party === 'caller' ? { type: 'hangUpCaller' } : { type: 'hangUpDestination', destination },
    ),
    { type: 'destroyBridge', bridge },
  ];
  const closing: In<'closing'> = { kind: 'closing', facts, told: proof, answer, recorder, endedAt };
  if (!isActive(recorder)) {
    const step = finish(closing);

    return { ...step, effects: [...removal, ...step.effects] };
  }

  return {
    state: closing,
    effects: [
      { type: 'stopRecorder', recording },
      ...removal,
      { type: 'startTimer', timer: 'recorderFinish', ms: recorderFinishLimitMs },
    ],
  };
}

type Closing = In<'closing'>;

function recorderWhileClosing(state: Closing, event: RecorderEvent): Step {
  const recorder = follow(state.recorder, event);
  if (recorder === state.recorder) return stay(state);

  return isActive(recorder) ? stay({ ...state, recorder }) : finish({ ...state, recorder });
}

export const whileClosing: Handlers<Closing> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresCaller,
  callerLeft: ignored,
  interrupted: ignored,
  keysMissed: ignored,
  recorderStarted: recorderWhileClosing,
  recorderFinished: recorderWhileClosing,
  recorderFailed: recorderWhileClosing,
  stepFailed: recorderWhileClosing,
  timeUp: (state, { timer }) => (timer === 'recorderFinish' ? finish(state) : stay(state)),
};

function outcomeOf(recorder: Recorder, answer: Answer): Outcome {
  switch (recorder.kind) {
    case 'finished':
      return { result: 'recorded' };
    case 'discarded':
      return { result: 'unrecorded', reason: 'refused' };
    case 'withheld':
      return { result: 'unrecorded', reason: answer.kind === 'refused' ? 'refused' : 'interrupted' };
    case 'none':
    case 'requested':
    case 'running':
    case 'failed':
      return { result: 'unrecorded', reason: 'recorder_failed' };
  }
}

function finish({ facts, told: proof, answer, endedAt, recorder: last }: Closing): Step {
  const recorder: Recorder = last.kind === 'running' ? { ...last, kind: 'finished', finishedAt: undefined } : last;

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

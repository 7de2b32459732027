import type { CallEvent, FallibleStep, UnrecordedReason } from './events.ts';
import { judge, tell, type Played } from './notice.ts';
import type { CallState, DialStatus, Effect, Facts, Order, Outcome, Recorder, Step } from './state.ts';

/**
 * The call as a pure function: no I/O, no clock, time arrives in events. P1 is proved on it by enumeration
 * (test/unit/call/decide.enumeration.test.ts).
 */

/** How long Asterisk may take to answer the caller's channel. */
const answerLimitMs = 10_000;
/** How long a playback may take beyond the prompt's own length. */
const playbackSlackMs = 5_000;
/** How long Asterisk may take beyond the dialling time to give up on a destination. */
const dialSlackMs = 5_000;
/** How long the end of the recorder is waited for; the file itself is the truth. */
const recorderFinishLimitMs = 10_000;

type In<Kind extends CallState['kind']> = Extract<CallState, { kind: Kind }>;

const stay = (state: CallState): Step => ({ state, effects: [] });

/** The first step of a call that Préavis accepts. */
export function begin(facts: Facts): Step {
  return { state: { kind: 'checking', facts }, effects: [{ type: 'save' }, { type: 'checkReadiness' }] };
}

/** The only step of a call that goes back to the dialplan at once. */
export function refuse(facts: Facts, reason: UnrecordedReason): Step {
  const outcome: Outcome = { result: 'unrecorded', reason };

  return {
    state: { kind: 'ended', facts, played: [], recorder: { kind: 'none' }, outcome, endedAt: undefined },
    effects: [{ type: 'returnToDialplan', outcome }, { type: 'save' }],
  };
}

export function decide(state: CallState, event: CallEvent): Step {
  switch (state.kind) {
    case 'checking':
      return whileChecking(state, event);
    case 'answering':
      return whileAnswering(state, event);
    case 'announcing':
      return whileAnnouncing(state, event);
    case 'dialling':
      return whileDialling(state, event);
    case 'talking':
      return whileTalking(state, event);
    case 'closing':
      return whileClosing(state, event);
    case 'ended':
      return stay(state);
  }
}

function orderOf(facts: Facts): Order {
  if (facts.order === undefined) throw new TypeError('a call without an order has no further steps');
  return facts.order;
}

type Close = { facts: Facts; played: readonly Played[]; outcome: Outcome; endedAt: number | undefined };

/** Ends a call that has no recording. `cleanUp` removes what was made for the destination. */
function end({ facts, played, outcome, endedAt }: Close, effects: readonly Effect[], cleanUp: boolean): Step {
  const removal: Effect[] = cleanUp
    ? [
        { type: 'hangUpDestination', destination: orderOf(facts).destination },
        { type: 'destroyBridge', bridge: orderOf(facts).bridge },
      ]
    : [];

  return {
    state: { kind: 'ended', facts, played, recorder: { kind: 'none' }, outcome, endedAt },
    effects: [{ type: 'stopTimer' }, ...effects, ...removal, { type: 'save' }],
  };
}

/** P3: the caller goes on to the destination by the dialplan, unrecorded. */
function goOnUnrecorded(facts: Facts, played: readonly Played[], reason: UnrecordedReason, cleanUp: boolean): Step {
  const outcome: Outcome = { result: 'unrecorded', reason };

  return end({ facts, played, outcome, endedAt: undefined }, [{ type: 'returnToDialplan', outcome }], cleanUp);
}

function abandon(facts: Facts, played: readonly Played[], endedAt: number | undefined, cleanUp: boolean): Step {
  return end({ facts, played, outcome: { result: 'abandoned' }, endedAt }, [], cleanUp);
}

function whileChecking(state: In<'checking'>, event: CallEvent): Step {
  const { facts } = state;
  switch (event.type) {
    case 'ready':
      return {
        state: { kind: 'answering', facts },
        effects: [{ type: 'startTimer', timer: 'answer', ms: answerLimitMs }, { type: 'answer' }],
      };
    case 'notReady':
      return goOnUnrecorded(facts, [], event.reason, false);
    case 'callerLeft':
      return abandon(facts, [], event.at, false);
    case 'interrupted':
      return goOnUnrecorded(facts, [], 'interrupted', false);
    case 'stepFailed':
      return event.step === 'save' ? goOnUnrecorded(facts, [], 'catalogue_unusable', false) : stay(state);
    case 'callerAnswered':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'destinationLeft':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'bridgeGone':
    case 'timeUp':
      return stay(state);
  }
}

function whileAnswering(state: In<'answering'>, event: CallEvent): Step {
  const { facts } = state;
  switch (event.type) {
    case 'callerAnswered':
      return announce(facts, [], orderOf(facts).sentences);
    case 'stepFailed':
      return event.step === 'answer' ? goOnUnrecorded(facts, [], 'answer_failed', false) : stay(state);
    case 'timeUp':
      return event.timer === 'answer' ? goOnUnrecorded(facts, [], 'answer_failed', false) : stay(state);
    case 'callerLeft':
      return abandon(facts, [], event.at, false);
    case 'interrupted':
      return goOnUnrecorded(facts, [], 'interrupted', false);
    case 'ready':
    case 'notReady':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'destinationLeft':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'bridgeGone':
      return stay(state);
  }
}

/** Plays the next sentence, or dials when all were heard. The last one gives time to prepare the bridge. */
function announce(facts: Facts, played: readonly Played[], waiting: In<'announcing'>['waiting']): Step {
  const [current, ...rest] = waiting;
  const order = orderOf(facts);
  if (current === undefined) {
    const told = tell(played);
    if (told === undefined) return goOnUnrecorded(facts, played, 'notice_failed', false);

    return {
      state: { kind: 'dialling', facts, told, ringing: false },
      effects: [
        { type: 'save' },
        { type: 'dial', order },
        { type: 'startTimer', timer: 'dial', ms: order.request.timeoutSeconds * 1_000 + dialSlackMs },
      ],
    };
  }

  return {
    state: { kind: 'announcing', facts, played, current, currentStartedAt: undefined, waiting: rest },
    effects: [
      { type: 'startTimer', timer: 'playback', ms: current.prompt.lengthMs + playbackSlackMs },
      { type: 'play', sentence: current },
      ...(rest.length === 0 ? [{ type: 'prepare' as const, order }] : []),
    ],
  };
}

function whileAnnouncing(state: In<'announcing'>, event: CallEvent): Step {
  const { facts, played, current, currentStartedAt, waiting } = state;
  const prepared = waiting.length === 0;
  const unheard = (verdict: Exclude<Played['verdict'], 'verified'>): Played => ({
    sentence: current,
    startedAt: currentStartedAt,
    finishedAt: undefined,
    verdict,
  });
  const give = (verdict: 'notice_failed' | 'notice_timeout'): Step =>
    goOnUnrecorded(facts, [...played, unheard(verdict)], verdict, prepared);
  switch (event.type) {
    case 'playbackStarted':
      if (event.playbackId !== current.playbackId) return stay(state);
      // Should Asterisk report it twice, the later time is the one that proves less.
      return { state: { ...state, currentStartedAt: Math.max(currentStartedAt ?? event.at, event.at) }, effects: [] };
    case 'playbackFinished': {
      if (event.playbackId !== current.playbackId) return stay(state);
      const judged = judge(current, currentStartedAt, event.at, event.outcome);
      if (judged.verdict === 'verified') return announce(facts, [...played, judged], waiting);
      return goOnUnrecorded(facts, [...played, judged], judged.verdict, prepared);
    }
    case 'stepFailed':
      if (event.step === 'play') return give('notice_failed');
      if (event.step === 'prepare') return goOnUnrecorded(facts, played, 'prepare_failed', prepared);
      return stay(state);
    case 'timeUp':
      return event.timer === 'playback' ? give('notice_timeout') : stay(state);
    case 'destinationLeft':
    case 'bridgeGone':
      return prepared ? goOnUnrecorded(facts, played, 'prepare_failed', prepared) : stay(state);
    case 'callerLeft':
      return abandon(facts, [...played, unheard('notice_cut_short')], event.at, prepared);
    case 'interrupted':
      return goOnUnrecorded(facts, [...played, unheard('notice_failed')], 'interrupted', prepared);
    case 'ready':
    case 'notReady':
    case 'callerAnswered':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
      return stay(state);
  }
}

/** As app_dial.c of Asterisk 16 to 22 maps hang-up causes (ITU-T Q.850) to DIALSTATUS. */
function dialStatusOf(cause: number): DialStatus {
  switch (cause) {
    case 17:
      return 'BUSY';
    case 34:
      return 'CONGESTION';
    case 16: // normal clearing
    case 18: // no user response
    case 19: // no answer
      return 'NOANSWER';
    default:
      return 'CHANUNAVAIL';
  }
}

function whileDialling(state: In<'dialling'>, event: CallEvent): Step {
  const { facts, told, ringing } = state;
  const order = orderOf(facts);
  const notConnected = (dialStatus: DialStatus, endedAt: number | undefined): Step => {
    const outcome: Outcome = { result: 'notConnected', dialStatus };
    const close = { facts, played: told.sentences, outcome, endedAt };

    return end(close, [{ type: 'returnToDialplan', outcome }], true);
  };
  switch (event.type) {
    case 'destinationAnswered':
      return {
        state: { kind: 'talking', facts, told, recorder: { kind: 'requested' } },
        effects: [
          { type: 'startRecorder', order, told },
          { type: 'stopTimer' },
          ...(ringing ? [{ type: 'ringStop' as const }] : []),
        ],
      };
    case 'destinationRinging':
      if (ringing) return stay(state);
      return { state: { ...state, ringing: true }, effects: [{ type: 'ring' }] };
    case 'destinationLeft':
      return event.cause === undefined ? stay(state) : notConnected(dialStatusOf(event.cause), event.at);
    case 'timeUp':
      return event.timer === 'dial' ? notConnected('NOANSWER', undefined) : stay(state);
    case 'stepFailed':
      return whileDiallingFailed(state, event.step);
    case 'bridgeGone':
      return goOnUnrecorded(facts, told.sentences, 'dial_failed', true);
    case 'callerLeft':
      return abandon(facts, told.sentences, event.at, true);
    case 'interrupted':
      return goOnUnrecorded(facts, told.sentences, 'interrupted', true);
    case 'ready':
    case 'notReady':
    case 'callerAnswered':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
      return stay(state);
  }
}

function whileDiallingFailed(state: In<'dialling'>, step: FallibleStep): Step {
  const { facts, told } = state;
  switch (step) {
    case 'save':
      return goOnUnrecorded(facts, told.sentences, 'catalogue_unusable', true);
    case 'prepare':
      return goOnUnrecorded(facts, told.sentences, 'prepare_failed', true);
    case 'dial':
      return goOnUnrecorded(facts, told.sentences, 'dial_failed', true);
    case 'answer':
    case 'play':
    case 'startRecorder':
      return stay(state);
  }
}

function isActive(recorder: Recorder): boolean {
  return recorder.kind === 'requested' || recorder.kind === 'running';
}

/** What the recorder becomes by an event that speaks of it. */
function follow(recorder: Recorder, event: CallEvent): Recorder {
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
    case 'ready':
    case 'notReady':
    case 'callerAnswered':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'destinationLeft':
    case 'callerLeft':
    case 'interrupted':
    case 'bridgeGone':
    case 'timeUp':
      return recorder;
  }
}

function whileTalking(state: In<'talking'>, event: CallEvent): Step {
  const { recorder } = state;
  switch (event.type) {
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'stepFailed': {
      const next = follow(recorder, event);
      if (next === recorder) return stay(state);
      const { recording } = orderOf(state.facts);
      const tell: Effect[] = next.kind === 'running' ? [{ type: 'tellRecorded', recording }] : [];
      return { state: { ...state, recorder: next }, effects: [{ type: 'save' }, ...tell] };
    }
    case 'callerLeft':
      return close(state, event.at, ['destination']);
    case 'destinationLeft':
      // It may live on elsewhere, transferred: it is not ours to hang up.
      return close(state, event.at, ['caller']);
    case 'bridgeGone':
      return close(state, undefined, ['caller', 'destination']);
    case 'ready':
    case 'notReady':
    case 'callerAnswered':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'interrupted':
    case 'timeUp':
      return stay(state);
  }
}

/** One side left: stop the recorder first, so that it ends with the talk; then the other side and the bridge. */
function close(
  state: In<'talking'>,
  endedAt: number | undefined,
  staying: readonly ('caller' | 'destination')[],
): Step {
  const { facts, told, recorder } = state;
  const { recording, destination, bridge } = orderOf(facts);
  const removal: Effect[] = [
    ...staying.map((party): Effect =>
      party === 'caller' ? { type: 'hangUpCaller' } : { type: 'hangUpDestination', destination },
    ),
    { type: 'destroyBridge', bridge },
  ];
  if (!isActive(recorder)) {
    const step = finish({ kind: 'closing', facts, told, recorder, endedAt });

    return { ...step, effects: [...removal, ...step.effects] };
  }

  return {
    state: { kind: 'closing', facts, told, recorder, endedAt },
    effects: [
      { type: 'stopRecorder', recording },
      ...removal,
      { type: 'startTimer', timer: 'recorderFinish', ms: recorderFinishLimitMs },
    ],
  };
}

function whileClosing(state: In<'closing'>, event: CallEvent): Step {
  switch (event.type) {
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'stepFailed': {
      const recorder = follow(state.recorder, event);
      if (recorder === state.recorder) return stay(state);
      return isActive(recorder) ? stay({ ...state, recorder }) : finish({ ...state, recorder });
    }
    case 'timeUp':
      return event.timer === 'recorderFinish' ? finish(state) : stay(state);
    case 'ready':
    case 'notReady':
    case 'callerAnswered':
    case 'playbackStarted':
    case 'playbackFinished':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'destinationLeft':
    case 'callerLeft':
    case 'interrupted':
    case 'bridgeGone':
      return stay(state);
  }
}

function finish(state: In<'closing'>): Step {
  const { facts, told, endedAt } = state;
  const recorder: Recorder =
    state.recorder.kind === 'running' ? { ...state.recorder, kind: 'finished', finishedAt: undefined } : state.recorder;
  const outcome: Outcome =
    recorder.kind === 'finished' ? { result: 'recorded' } : { result: 'unrecorded', reason: 'recorder_failed' };

  return {
    state: { kind: 'ended', facts, played: told.sentences, recorder, outcome, endedAt },
    effects: [{ type: 'stopTimer' }, { type: 'save' }],
  };
}

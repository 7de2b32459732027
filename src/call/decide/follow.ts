import type { ChannelId } from '../../core/ids.ts';
import { answerOf } from './answer.ts';
import { abandon, end, goOnUnrecorded, type SoFar } from './end.ts';
import { orderOf } from './parties.ts';
import { eraseFollowing, mayHaveRecorded } from './erase.ts';
import type { CallEvent } from './events.ts';
import { awaitsRequest, pauseFollowing, recordFollowing, resumeFollowing, untilAsked } from './pause.ts';
import { leftDuringTheNotice, seenAfterwards } from './farEnd.ts';
import {
  ignored,
  ignoresBridge,
  ignoresDestination,
  ignoresHold,
  ignoresNewcomers,
  ignoresAsked,
  ignoresPlayback,
  ignoresRecorder,
  ignoresSetUp,
  saved,
  stay,
  type Handlers,
} from './handlers.ts';
import { nextPart, recorderOf, type Order } from './order.ts';
import type { Effect, Facts, In, Recorder, Step, WithheldReason } from './state.ts';
import type { UnrecordedReason } from './unrecordedReasons.ts';
import { askedBy, askedFor, recorderAfter, requestedAfter, type RecorderEvent } from './recorder.ts';
import { close } from './closing.ts';
import { isTimeLeft } from './recordedTime.ts';
import { typedWith } from './talk.ts';

/**
 * The way `follow`: the caller was told and goes back into the operator's dialplan, which dials, queues, parks and transfers as it always
 * did. Each time they come into a bridge with somebody it is a talk, recorded by a snoop channel of its own.
 */

/**
 * How long Asterisk may take to let the caller go on in the dialplan. Longer than on a busy machine: who is sent back without being followed
 * waits for as many requests again.
 */
const releaseLimitMs = 5_000;

type Releasing = In<'releasing'>;
type Following = In<'following'>;

const soFar = ({ facts, told: { sentences }, answer }: Releasing | Following): SoFar => ({
  facts,
  played: sentences,
  answer,
  prepared: false,
});

/** The caller was told and may be recorded: from here on the dialplan has them. */
export function release(agreed: Pick<Releasing, 'facts' | 'told' | 'answer'>): Step {
  return {
    state: { kind: 'releasing', facts: agreed.facts, told: agreed.told, answer: agreed.answer },
    effects: [
      { type: 'save' },
      { type: 'startTimer', timer: 'release', ms: releaseLimitMs },
      { type: 'release', order: orderOf(agreed.facts) },
    ],
  };
}

function released({ facts, told, answer }: Releasing): Step {
  return {
    state: {
      kind: 'following',
      facts,
      told,
      answer,
      recorder: { kind: 'none' },
      untold: false,
      typed: '',
      ...untilAsked(facts),
    },
    effects: [{ type: 'stopTimer' }, { type: 'save' }],
  };
}

/** They go on by the dialplan all the same, and nobody looks after them. */
const notFollowed = (state: Releasing, reason: UnrecordedReason): Step =>
  goOnUnrecorded(soFar(state), state.answer.kind === 'refused' ? 'refused' : reason);

/** Who refuses at the last moment is not recorded: until they are in the dialplan the key means what the notice said. */
function keyWhileReleasing(state: Releasing, { digit, at }: Extract<CallEvent, { type: 'digit' }>): Step {
  const answer = answerOf(orderOf(state.facts).script.consent, digit, at, true);

  return answer.kind === 'refused' && state.answer.kind !== 'refused' ? stay({ ...state, answer }) : stay(state);
}

const asWideband = <Known extends Releasing | Following>(state: Known): Known => ({
  ...state,
  facts: { ...state.facts, order: { ...orderOf(state.facts), isWideband: true } },
});

export const whileReleasing: Handlers<Releasing> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresRecorder,
  ...ignoresHold,
  ...ignoresNewcomers,
  ...ignoresAsked,
  farEndSeen: seenAfterwards<Releasing>((state) => notFollowed(state, 'untold_party')),
  farEndLeft: leftDuringTheNotice<Releasing>((state) => notFollowed(state, 'untold_party'), stay),
  farEndLost: (state) => notFollowed(state, 'untold_party'),
  digit: keyWhileReleasing,
  parted: ignored,
  // It was asked for, and is on its way: a bridge that they are in by then is told of again.
  joined: ignored,
  // Saved with their release.
  widebandSeen: (state) => stay(asWideband(state)),
  callerReleased: released,
  callerSentOn: released,
  callerLeft: (state, { at }) => abandon(soFar(state), at),
  stepFailed: (state, { step }) => {
    if (step === 'save') return notFollowed(state, 'catalogue_unusable');
    return step === 'release' ? notFollowed(state, 'follow_failed') : stay(state);
  },
  timeUp: (state, { timer }) => (timer === 'release' ? notFollowed(state, 'follow_failed') : stay(state)),
  // A refusal may be among them.
  eventsMissed: (state) =>
    orderOf(state.facts).script.consent.mode === 'announce' ? stay(state) : notFollowed(state, 'interrupted'),
  interrupted: (state) => notFollowed(state, 'interrupted'),
};

/** Whoever a followed caller has talked with first is whom they called. Of these, everybody else was not told. */
function strangersAmong({ met, aware = [] }: Facts, others: readonly ChannelId[]): readonly ChannelId[] {
  const known = [...(met ?? others.slice(0, 1)), ...aware];

  return others.filter((each) => !known.includes(each));
}

/** They have come into a bridge where others are: a talk begins. */
function meet(state: Following, { bridge, others, at, never }: Extract<CallEvent, { type: 'joined' }>): Step {
  const [other, ...more] = others;
  if (other === undefined) return stay(state);
  const { facts, told, answer, recorder, typed, paused } = state;
  const known = orderOf(facts);
  const strangers = strangersAmong(facts, others);
  const isTold = known.newcomers === 'tell' || strangers.length === 0;
  const untold = state.untold || never === true || !isTold;
  const mayRecord = !['withheld', 'discarded'].includes(recorder.kind) && isTimeLeft(facts);
  const records = !untold && answer.kind !== 'refused' && mayRecord;
  const telling = records ? strangers : [];
  // A pause of the talk before goes on.
  const isPaused = records && paused !== undefined;
  const waits = telling.length > 0 || isPaused;
  const order: Order = { ...(records ? nextPart(known) : known), bridge, destination: other };
  const { farEnds, ...rest } = facts;
  const { caller, destination } = farEnds ?? {};
  // Who was behind the same Local/ channel is known still; behind another one nobody is yet.
  const behind = other === known.destination ? destination : undefined;
  const now: Facts = {
    ...rest,
    order,
    met: facts.met ?? [other],
    ...(farEnds === undefined
      ? {}
      : {
          farEnds: {
            ...(caller === undefined ? {} : { caller }),
            ...(behind === undefined ? {} : { destination: behind }),
          },
        }),
  };

  return {
    state: {
      kind: 'talking',
      facts: now,
      told,
      answer,
      recorder: records ? recorderOfTalk(recorder, waits, at) : withoutTalk(recorder, whyWithheld(state, never)),
      answeredAt: undefined,
      telling,
      untold,
      others: more,
      holding: [],
      typed,
      ...(isPaused ? { paused } : {}),
    },
    effects:
      !records || waits
        ? [
            ...telling.map((channel): Effect => ({ type: 'tellNewcomer', channel, order })),
            // Their keys end it.
            ...(isPaused ? [{ type: 'watchHolds' as const, channel: other }] : []),
            { type: 'save' },
          ]
        : [
            { type: 'startRecorder', order, told },
            { type: 'watchHolds', channel: other },
          ],
  };
}

/** It begins at once, or when all were told and no pause is on. */
function recorderOfTalk(before: Recorder, waits: boolean, at: number | undefined): Recorder {
  const requested = requestedAfter(before, at);

  return waits ? { ...requested, kind: 'awaited' } : askedFor(requested, at);
}

function whyWithheld(state: Following, never: true | undefined): WithheldReason {
  if (never === true) return 'never_recorded';

  return awaitsRequest(state) ? 'not_requested' : 'untold_party';
}

/** They talk unrecorded. Nothing was asked for yet, or what was stays as it is. */
const withoutTalk = (recorder: Recorder, why: WithheldReason = 'untold_party'): Recorder =>
  recorder.kind === 'none' ? { kind: 'withheld', why } : recorder;

/** Somebody who was not told is behind the caller's Local/ channel. */
function withUntold(state: Following): Step {
  if (state.untold) return stay(state);

  return { state: { ...state, recorder: withoutTalk(state.recorder), untold: true }, effects: [{ type: 'save' }] };
}

/** Whether they refused meanwhile nobody knows. */
function miss(state: Following): Step {
  const { recorder, facts } = state;
  if (orderOf(facts).script.consent.mode === 'announce' || state.untold) return stay(state);
  const now: Recorder = recorder.kind === 'none' ? { kind: 'withheld', why: 'interrupted' } : recorder;

  return { state: { ...state, recorder: now, untold: true }, effects: [{ type: 'save' }] };
}

/** Of the talk that is over: its recorder is being stopped. */
function recorderWhileFollowing(state: Following, event: RecorderEvent): Step {
  const order = orderOf(state.facts);
  // A request that failed for us may have reached Asterisk all the same, and be carried out late.
  if (event.type === 'recorderStarted') {
    const asked = askedBy(event, order);
    const isRemoved = state.recorder.kind === 'discarded';
    const stop: Effect = { type: isRemoved ? 'discardRecorder' : 'stopRecorder', ...asked };
    return { state: { ...state, recorder: recorderAfter(state.recorder, event, order) }, effects: [stop] };
  }
  const recorder = recorderAfter(state.recorder, event, order);

  return recorder === state.recorder ? stay(state) : { state: { ...state, recorder }, effects: [{ type: 'save' }] };
}

/** The feature code alone: other keys are for the menus of the dialplan. What was recorded is removed. */
function keyWhileFollowing(state: Following, { digit, at }: Extract<CallEvent, { type: 'digit' }>): Step {
  const { facts, recorder } = state;
  const order = orderOf(facts);
  const { consent } = order.script;
  if (consent.mode === 'announce') return stay(state);
  const { featureCode, acknowledgement, erasure } = consent.refusal;
  const typed = typedWith(state, digit, featureCode);
  if (typed !== featureCode || state.answer.kind === 'refused') return stay({ ...state, typed });
  const has = mayHaveRecorded(state);

  return {
    state: {
      ...state,
      typed: '',
      answer: { kind: 'refused', digits: featureCode, at },
      recorder: has ? discarded(recorder) : recorder,
    },
    effects: [
      { type: 'save' },
      ...(has ? [{ type: 'discardRecorder' as const, ...recorderOf(order) }] : []),
      ...(has ? erasure : acknowledgement).map((sentence): Effect => ({
        type: 'whisper',
        channel: facts.callerChannel,
        sentence,
      })),
    ],
  };
}

const discarded = (recorder: Recorder): Recorder => ({
  kind: 'discarded',
  startedAt: 'startedAt' in recorder ? recorder.startedAt : undefined,
});

export const whileFollowing: Handlers<Following> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresHold,
  farEndSeen: seenAfterwards<Following>(withUntold),
  farEndLeft: leftDuringTheNotice<Following>(withUntold, stay),
  farEndLost: (state, { party }) => (party === 'caller' ? withUntold(state) : stay(state)),
  partyUnheard: ignored,
  ...ignoresNewcomers,
  ...ignoresAsked,
  pauseAsked: pauseFollowing,
  resumeAsked: resumeFollowing,
  recordAsked: recordFollowing,
  eraseAsked: eraseFollowing,
  sourceChanged: ignored,
  roomSpent: (state) => ({ state: { ...state, untold: true }, effects: [{ type: 'save' }] }),
  // Somebody else took them from Stasis before our request.
  widebandSeen: (state) => saved(asWideband(state)),
  callerReleased: ignored,
  callerSentOn: ignored,
  joined: meet,
  parted: ignored,
  digit: keyWhileFollowing,
  recorderStarted: recorderWhileFollowing,
  recorderFinished: recorderWhileFollowing,
  recorderFailed: recorderWhileFollowing,
  recorderUnbegun: ignored,
  stepFailed: (state, event) => {
    // What follows a save that failed is left out: what was refused goes all the same.
    if (event.step === 'save' && state.recorder.kind === 'discarded')
      return { state, effects: [{ type: 'discardRecorder', ...recorderOf(orderOf(state.facts)) }] };
    return recorderWhileFollowing(state, event);
  },
  timeUp: ignored,
  eventsMissed: miss,
  interrupted: ignored,
  callerLeft: (state, { at }) => leave(state, at),
};

/** The caller hung up while they talked to nobody. */
function leave(state: Following, at: number | undefined): Step {
  const { recorder, answer, facts, paused } = state;
  if (recorder.kind !== 'none') return close(state, at, []);
  const hasTalked = facts.met !== undefined && paused !== undefined;
  const reason = answer.kind === 'refused' ? 'refused' : hasTalked ? 'not_requested' : undefined;

  return reason === undefined
    ? end(soFar(state), { result: 'notConnected', dialStatus: undefined }, at, [])
    : end(soFar(state), { result: 'unrecorded', reason }, at, []);
}

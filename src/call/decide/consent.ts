import { answerOf, noAnswer, type Answer } from './answer.ts';
import { abandon, acknowledge, endingAs, goOnUnrecorded, playing, preparation, sentOn, type SoFar } from './end.ts';
import { orderOf } from './parties.ts';
import { dial } from './dial.ts';
import { release } from './follow.ts';
import {
  ignored,
  ignoresBridge,
  ignoresDestination,
  ignoresFarEnd,
  ignoresFollowing,
  ignoresHold,
  ignoresPlayback,
  ignoresRecorder,
  ignoresSetUp,
  stay,
  type Handlers,
} from './handlers.ts';
import { leftDuringTheNotice, seenAfterwards } from './farEnd.ts';
import { remembersHolds } from './musicHold.ts';
import type { NoticeProof } from './verification.ts';
import type { Sentence } from './sentence.ts';
import { isBridged } from './order.ts';
import type { Agreed, Facts, In, Step } from './state.ts';

/** What follows from the caller's answer: they were told, and now decide. */

/** The question was heard, and is not answered yet. */
export function ask(facts: Facts, told: NoticeProof, waitMs: number): Step {
  return {
    state: { kind: 'asking', facts, told, holding: [] },
    effects: [{ type: 'startTimer', timer: 'consent', ms: waitMs }],
  };
}

/** They may be recorded: who was asked and said yes is told that it was understood, then the destination is dialled. */
export function goOn(agreed: Agreed, prepared: boolean): Step {
  const { consent } = orderOf(agreed.facts).script;

  return accept(agreed, prepared, consent.mode === 'optIn' ? consent.acceptance : []);
}

/** They are told and agree: we dial, or the dialplan does. */
function connect(agreed: Agreed, prepared: boolean): Step {
  const order = orderOf(agreed.facts);

  return isBridged(order) ? dial(agreed, order, prepared) : release(agreed);
}

/** Says the next sentence. The last one gives time to prepare the bridge. */
function accept({ facts, told, answer, holding }: Agreed, prepared: boolean, sentences: readonly Sentence[]): Step {
  const [current, ...waiting] = sentences;
  if (current === undefined) return connect({ facts, told, answer, holding }, prepared);
  const prepare = waiting.length === 0 && !prepared && isBridged(orderOf(facts));

  return {
    state: { kind: 'accepting', facts, told, answer, current, waiting, prepared: prepared || prepare, holding },
    effects: [...playing(current), ...(prepare ? preparation(facts) : [])],
  };
}

function askedOf({ facts, told }: In<'asking'>, answer: Answer = noAnswer): SoFar {
  return { facts, played: told.sentences, answer, prepared: false };
}

function untoldWhileAsking(state: In<'asking'>): Step {
  return goOnUnrecorded(askedOf(state), 'untold_party');
}

export const whileAsking: Handlers<In<'asking'>> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresRecorder,
  ...remembersHolds<In<'asking'>>(),
  ...endingAs<In<'asking'>>((state) => askedOf(state)),
  farEndSeen: seenAfterwards<In<'asking'>>(untoldWhileAsking),
  farEndLeft: leftDuringTheNotice<In<'asking'>>(untoldWhileAsking, stay),
  farEndLost: untoldWhileAsking,
  stepFailed: ignored,
  digit: (state, { digit, at }) => {
    const answer = answerOf(orderOf(state.facts).script.consent, digit, at, true);
    if (answer.kind === 'accepted') return goOn({ ...state, answer }, false);
    return answer.kind === 'none' ? stay(state) : acknowledge(askedOf(state, answer), 'refused');
  },
  timeUp: (state, { timer }) => (timer === 'consent' ? acknowledge(askedOf(state), 'no_consent') : stay(state)),
  eventsMissed: (state) => goOnUnrecorded(askedOf(state), 'interrupted'),
};

type Accepting = In<'accepting'>;

const acceptedOf = ({ facts, told, answer, prepared }: Accepting): SoFar => {
  return { facts, played: told.sentences, answer, prepared };
};

const untoldWhileAccepting = (state: Accepting): Step => goOnUnrecorded(acceptedOf(state), 'untold_party');

/** Of bridge and destination. */
const failedWhileAccepting = (state: Accepting): Step =>
  state.prepared ? goOnUnrecorded(acceptedOf(state), 'prepare_failed') : stay(state);

/** They were told and have agreed: a sentence that only says so may fail. */
const nextWhileAccepting = (state: Accepting): Step => accept(state, state.prepared, state.waiting);

export const whileAccepting: Handlers<Accepting> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresRecorder,
  ...remembersHolds<Accepting>(),
  ...endingAs(acceptedOf),
  farEndSeen: seenAfterwards<Accepting>(untoldWhileAccepting),
  farEndLeft: leftDuringTheNotice<Accepting>(untoldWhileAccepting, stay),
  farEndLost: untoldWhileAccepting,
  destinationRinging: ignored,
  destinationAnswered: ignored,
  playbackStarted: ignored,
  playbackFinished: (state, { playbackId }) =>
    playbackId === state.current.playbackId ? nextWhileAccepting(state) : stay(state),
  // Who thinks better of it is heard.
  digit: (state, { digit, at }) => {
    const answer = answerOf(orderOf(state.facts).script.consent, digit, at, true);
    if (answer.kind !== 'refused') return stay(state);

    return acknowledge({ ...acceptedOf(state), answer }, 'refused', [
      { type: 'stopPlayback', playbackId: state.current.playbackId },
    ]);
  },
  thirdPartyJoined: (state) => (state.prepared ? untoldWhileAccepting(state) : stay(state)),
  thirdPartyLeft: ignored,
  partyReplaced: ignored,
  stepFailed: (state, { step }) => {
    if (step === 'play') return nextWhileAccepting(state);
    return step === 'prepare' ? goOnUnrecorded(acceptedOf(state), 'prepare_failed') : stay(state);
  },
  timeUp: (state, { timer }) => (timer === 'playback' ? nextWhileAccepting(state) : stay(state)),
  destinationLeft: failedWhileAccepting,
  bridgeGone: failedWhileAccepting,
  eventsMissed: (state) => goOnUnrecorded(acceptedOf(state), 'interrupted'),
};

type Acknowledging = In<'acknowledging'>;

const sendOn = (state: Acknowledging): Step => goOnUnrecorded({ ...state, prepared: false }, state.why);

export const whileAcknowledging: Handlers<Acknowledging> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresFarEnd,
  ...ignoresRecorder,
  ...ignoresHold,
  // A silent caller who refuses after all: what is being said to them is true of it. A late yes is none.
  digit: (state, { digit, at }) => {
    const answer = answerOf(orderOf(state.facts).script.consent, digit, at, false);

    return answer.kind === 'refused' && state.answer.kind === 'none'
      ? stay({ ...state, answer, why: 'refused' })
      : stay(state);
  },
  playbackStarted: ignored,
  playbackFinished: (state, { playbackId }) => {
    if (playbackId !== state.current.playbackId) return stay(state);
    const [current, ...waiting] = state.waiting;
    if (current === undefined) return sendOn(state);
    return { state: { ...state, current, waiting }, effects: playing(current) };
  },
  stepFailed: (state, { step }) => (step === 'play' ? sendOn(state) : stay(state)),
  timeUp: (state, { timer }) => (timer === 'playback' ? sendOn(state) : stay(state)),
  callerLeft: (state, { at }) => abandon({ ...state, prepared: false }, at),
  callerSentOn: (state, { at }) => sentOn({ ...state, prepared: false }, at, state.why),
  eventsMissed: ignored,
  interrupted: sendOn,
};

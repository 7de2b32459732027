import { answerOf, noAnswer } from './answer.ts';
import { ask, goOn } from './consent.ts';
import { abandon, acknowledge, endingAs, goOnUnrecorded, playing, preparation, sentOn, type SoFar } from './end.ts';
import { orderOf } from './parties.ts';
import type { UnrecordedReason } from './unrecordedReasons.ts';
import { heardFrom, leftDuringTheNotice, seenAfterwards, seenBeforeTheNotice, withFarEnd } from './farEnd.ts';
import {
  ignored,
  ignoresBridge,
  ignoresDestination,
  ignoresFollowing,
  ignoresHold,
  ignoresPlayback,
  ignoresRecorder,
  ignoresSetUp,
  stay,
  type Handlers,
} from './handlers.ts';
import { judge, proveNotice, type Played, type Verdict } from './verification.ts';
import { isQuestion, type Sentence } from './sentence.ts';
import { objection, wasHeard } from './recordable.ts';
import type { CallState, Effect, Facts, In, Step } from './state.ts';
import { isBridged, type Script } from './order.ts';

/** From the arrival to the moment when the caller was told. */

/** How long Asterisk may take to answer the caller's channel. */
const answerLimitMs = 10_000;

/** How long Asterisk may take to answer; the caller hears nothing meanwhile, ms. */
export const audibilityLimitMs = 5_000;

const notYet = ({ facts }: { facts: Facts }): SoFar => ({ facts, prepared: false });

/** Whoever put us on hold hears nothing, and nobody tells when they are back: from the arrival on, they are not told. */
const putOnHold = (state: { facts: Facts }): Step => goOnUnrecorded(notYet(state), 'notice_on_hold');

/** Who is behind the caller's channel can be seen no more, so nobody can be said to be told. */
function lostFarEnd(state: { facts: Facts }): Step {
  return goOnUnrecorded(notYet(state), 'untold_party');
}

/** Nobody has heard anything of the notice yet. */
const unheardYet = {
  ...endingAs<CallState>(notYet),
  callerHeld: putOnHold,
  farEndSeen: seenBeforeTheNotice,
  farEndLeft: leftDuringTheNotice<CallState>(stay, stay),
  farEndLost: lostFarEnd,
} as const;

/** What every state before the notice makes of these. */
const beforeTheNotice = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresPlayback,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresRecorder,
  ...ignoresHold,
  ...unheardYet,
  noticeDenied: putOnHold,
  digit: ignored,
  // Nobody was asked anything yet.
  eventsMissed: ignored,
} as const;

export const whilePlanning: Handlers<In<'planning'>> = {
  ...beforeTheNotice,
  planned: ({ facts }, { order }) => ({
    state: { kind: 'checking', facts: { ...facts, order } },
    effects: [{ type: 'checkReadiness' }],
  }),
  notReady: (state, { reason }) => goOnUnrecorded(notYet(state), reason),
  stepFailed: (state, { step }) => {
    if (step === 'save') return goOnUnrecorded(notYet(state), 'catalogue_unusable');
    return step === 'plan' ? goOnUnrecorded(notYet(state), 'planning_failed') : stay(state);
  },
  timeUp: ignored,
};

export const whileChecking: Handlers<In<'checking'>> = {
  ...beforeTheNotice,
  ready: ({ facts }) => ({
    state: { kind: 'answering', facts },
    effects: [{ type: 'startTimer', timer: 'answer', ms: answerLimitMs }, { type: 'answer' }],
  }),
  notReady: (state, { reason }) => goOnUnrecorded(notYet(state), reason),
  stepFailed: ignored,
  timeUp: ignored,
};

export const whileAnswering: Handlers<In<'answering'>> = {
  ...beforeTheNotice,
  callerAnswered: ({ facts }) => {
    const { menu, script } = orderOf(facts);
    return menu === undefined ? begin(facts, script) : offer(facts, menu.prompts);
  },
  stepFailed: (state, { step }) => (step === 'answer' ? goOnUnrecorded(notYet(state), 'answer_failed') : stay(state)),
  timeUp: (state, { timer }) => (timer === 'answer' ? goOnUnrecorded(notYet(state), 'answer_failed') : stay(state)),
};

/** Offers the next language of the menu, or waits for a key after the last. */
function offer(facts: Facts, prompts: readonly Sentence[]): Step {
  const [current, ...waiting] = prompts;
  const waitMs = orderOf(facts).menu?.waitMs ?? 0;

  return {
    state: { kind: 'choosing', facts, current, waiting },
    effects: current === undefined ? [{ type: 'startTimer', timer: 'choice', ms: waitMs }] : playing(current),
  };
}

function withoutChoice({ facts }: In<'choosing'>): Step {
  return begin(facts, orderOf(facts).script);
}

/** Who knows the key of refusal need not wait for its sentence. */
function keyOfNoLanguage(state: In<'choosing'>, digit: string, at: number, silence: readonly Effect[]): Step {
  const answer = answerOf(orderOf(state.facts).script.consent, digit, at, false);

  return answer.kind === 'refused' ? acknowledge({ ...notYet(state), answer }, 'refused', silence) : stay(state);
}

/** A menu that cannot be played is no reason not to announce: the other evidence decides. */
export const whileChoosing: Handlers<In<'choosing'>> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresDestination,
  ...ignoresBridge,
  ...ignoresRecorder,
  ...ignoresHold,
  ...unheardYet,
  playbackStarted: ignored,
  playbackFinished: (state, { playbackId }) =>
    playbackId === state.current?.playbackId ? offer(state.facts, state.waiting) : stay(state),
  digit: (state, { digit, at }) => {
    const order = orderOf(state.facts);
    const chosen = order.menu?.options.find((option) => option.digit === digit);
    const silence: Effect[] =
      state.current === undefined ? [] : [{ type: 'stopPlayback', playbackId: state.current.playbackId }];
    if (chosen === undefined) return keyOfNoLanguage(state, digit, at, silence);
    const language = chosen.script.language.languages[0] ?? '';
    const step = begin({ ...state.facts, order: { ...order, script: chosen.script } }, chosen.script);

    return { ...step, effects: [...silence, ...step.effects, { type: 'rememberLanguage', language }] };
  },
  stepFailed: (state, { step }) => (step === 'play' ? withoutChoice(state) : stay(state)),
  timeUp: (state, { timer }) => (timer === 'choice' || timer === 'playback' ? withoutChoice(state) : stay(state)),
  // What was missed may have been a refusal.
  eventsMissed: (state) =>
    orderOf(state.facts).script.consent.mode === 'announce'
      ? stay(state)
      : goOnUnrecorded(notYet(state), 'interrupted'),
};

function begin(facts: Facts, script: Script): Step {
  return announce({ facts, played: [], answer: noAnswer, prepared: false }, script.sentences);
}

type Announced = Required<SoFar>;

/** Whether the destination will be dialled by us when the rest of the notice is heard, as far as is known now. */
function willDial({ facts, answer }: Pick<Announced, 'facts' | 'answer'>): boolean {
  const order = orderOf(facts);
  const { script, sampled } = order;

  return isBridged(order) && sampled && objection(script.consent.mode, answer.kind) === undefined;
}

/** Plays the next sentence, or goes on when all were heard. The last one gives time to prepare the bridge. */
function announce(soFar: Announced, sentences: readonly Sentence[]): Step {
  const [current, ...waiting] = sentences;
  if (current === undefined) return heard(soFar);
  const prepare = waiting.length === 0 && !soFar.prepared && willDial(soFar);

  return {
    state: {
      kind: 'announcing',
      ...soFar,
      current,
      currentStartedAt: undefined,
      waiting,
      prepared: soFar.prepared || prepare,
    },
    effects: [...playing(current), ...(prepare ? preparation(soFar.facts) : [])],
  };
}

/** Every sentence has ended. */
function heard(soFar: Announced): Step {
  const { facts, played, answer, prepared } = soFar;
  if (proveNotice(played) === undefined) return goOnUnrecorded(soFar, 'notice_failed');
  if (!orderOf(facts).sampled) return goOnUnrecorded(soFar, 'not_sampled');

  return {
    state: { kind: 'confirming', facts, played, answer, prepared },
    effects: [{ type: 'startTimer', timer: 'confirmation', ms: audibilityLimitMs }, { type: 'confirmNotice' }],
  };
}

/** Every sentence was heard. */
function confirmed({ facts, played, answer, prepared }: Confirming): Step {
  const { script } = orderOf(facts);
  const told = proveNotice(played);
  if (told === undefined) return goOnUnrecorded({ facts, played, answer, prepared }, 'notice_failed');
  const { consent } = script;
  const objected = objection(consent.mode, answer.kind);
  if (objected === undefined) return goOn({ facts, told, answer, holding: [] }, prepared);

  return consent.mode === 'optIn'
    ? ask(facts, told, consent.waitMs)
    : goOnUnrecorded({ facts, played, answer, prepared }, objected);
}

type Confirming = In<'confirming'>;
type Announcing = In<'announcing'>;
type Fault = Exclude<Verdict, 'verified' | 'answered'>;

function unheard({ current, currentStartedAt }: Announcing, verdict: Fault): Played {
  return { sentence: current, startedAt: currentStartedAt, finishedAt: undefined, verdict };
}

function giveUp(state: Announcing, verdict: Fault, reason: UnrecordedReason): Step {
  return goOnUnrecorded({ ...state, played: [...state.played, unheard(state, verdict)] }, reason);
}

function keyWhileAnnouncing(state: Announcing, digit: string, at: number): Step {
  const { current, played, answer } = state;
  const begun = isQuestion(current) && state.currentStartedAt !== undefined;
  const asked = begun || isAskedIn(played);
  const given = answerOf(orderOf(state.facts).script.consent, digit, at, asked);
  const silence: Effect = { type: 'stopPlayback', playbackId: current.playbackId };
  if (given.kind === 'refused') {
    const soFar = { ...state, played: [...played, unheard(state, 'notice_cut_short')], answer: given };
    return acknowledge(soFar, 'refused', [silence]);
  }
  if (given.kind === 'none' || answer.kind !== 'none') return stay(state);
  // They have heard the notice in a language, and answered its question: that need not be heard to its end, nor the other language.
  const next = { ...state, answer: given, waiting: [] };
  if (state.prepared || !willDial(next)) return { state: next, effects: [silence] };

  return {
    state: { ...next, prepared: true },
    effects: [silence, ...preparation(state.facts)],
  };
}

/** Whether the notice was heard whole in a language, with its question: a sentence that fails ends the notice. */
const isAskedIn = (played: readonly Played[]): boolean => played.some(({ sentence }) => isQuestion(sentence));

/**
 * A question that was answered with yes has done what it is for, however much of it was heard. So have sentences in another language than the
 * one whose question was answered.
 */
function judgeAnswered(played: Played, { answer, played: before }: Announcing): Played {
  if (answer.kind !== 'accepted' || played.verdict === 'verified') return played;
  const isAnswered = isQuestion(played.sentence) && played.startedAt !== undefined;

  return isAnswered || isAskedIn(before) ? { ...played, verdict: 'answered' } : played;
}

const untoldParty = (state: Announcing | Confirming): Step => goOnUnrecorded(state, 'untold_party');

/** Of bridge and destination, which may have been made while the last sentence plays. */
function ofWhatIsPrepared<State extends Announcing | Confirming>() {
  const failed = (state: State): Step => (state.prepared ? goOnUnrecorded(state, 'prepare_failed') : stay(state));

  return {
    destinationRinging: ignored,
    destinationAnswered: ignored,
    // P1: who waits in the bridge before the destination does was not told.
    thirdPartyJoined: (state: State): Step => (state.prepared ? untoldParty(state) : stay(state)),
    thirdPartyLeft: ignored,
    partyReplaced: ignored,
    farEndLeft: leftDuringTheNotice<State>(untoldParty, stay),
    farEndLost: untoldParty,
    destinationLeft: failed,
    bridgeGone: failed,
  } as const;
}

export const whileAnnouncing: Handlers<Announcing> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresRecorder,
  ...ignoresHold,
  ...ofWhatIsPrepared<Announcing>(),
  ...endingAs<Announcing>((state) => ({ ...state, played: [...state.played, unheard(state, 'notice_cut_short')] })),
  farEndSeen: (state, event) => {
    const { facts, played, current, currentStartedAt } = state;
    const hearsAll = played.length === 0 && heardFrom(event.at, currentStartedAt, current.prompt.lengthMs);
    if (event.party === 'caller' && hearsAll) return stay({ ...state, facts: withFarEnd(facts, event) });

    return seenAfterwards<Announcing>(untoldParty)(state, event);
  },
  playbackStarted: (state, { playbackId, at }) => {
    if (playbackId !== state.current.playbackId) return stay(state);
    // Should Asterisk report it twice, the later time is the one that proves less.
    return stay({ ...state, currentStartedAt: Math.max(state.currentStartedAt ?? at, at) });
  },
  playbackFinished: (state, { playbackId, at, outcome, sinceAskedMs }) => {
    const { current, currentStartedAt, played, waiting } = state;
    if (playbackId !== current.playbackId) return stay(state);
    const judged = judgeAnswered(judge(current, currentStartedAt, at, outcome, sinceAskedMs), state);
    const soFar = { ...state, played: [...played, judged] };
    const { verdict } = judged;

    return wasHeard(verdict) ? announce(soFar, waiting) : goOnUnrecorded(soFar, verdict);
  },
  digit: (state, { digit, at }) => keyWhileAnnouncing(state, digit, at),
  callerHeld: (state) => giveUp(state, 'notice_on_hold', 'notice_on_hold'),
  stepFailed: (state, { step }) => {
    if (step === 'play') return giveUp(state, 'notice_failed', 'notice_failed');
    return step === 'prepare' ? goOnUnrecorded(state, 'prepare_failed') : stay(state);
  },
  timeUp: (state, { timer }) =>
    timer === 'playback' ? giveUp(state, 'notice_timeout', 'notice_timeout') : stay(state),
  // A refusal may be among what was missed, and a hold, in which nothing is heard.
  eventsMissed: (state) => giveUp(state, 'notice_failed', 'interrupted'),
  interrupted: (state) => giveUp(state, 'notice_failed', 'interrupted'),
};

/** The last sentence was played whole, and does not count all the same. */
const deny = (state: Confirming, verdict: Fault, reason: UnrecordedReason): Step =>
  goOnUnrecorded(withLast(state, verdict), reason);

function withLast(state: Confirming, verdict: Fault): Confirming {
  const last = state.played.at(-1);

  return { ...state, played: last === undefined ? [] : [...state.played.slice(0, -1), { ...last, verdict }] };
}

function keyWhileConfirming(state: Confirming, digit: string, at: number): Step {
  const given = answerOf(orderOf(state.facts).script.consent, digit, at, true);
  if (given.kind === 'refused') return acknowledge({ ...state, answer: given }, 'refused');

  return state.answer.kind === 'none' ? stay({ ...state, answer: given }) : stay(state);
}

export const whileConfirming: Handlers<Confirming> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresPlayback,
  ...ignoresRecorder,
  ...ignoresHold,
  ...ofWhatIsPrepared<Confirming>(),
  farEndSeen: seenAfterwards<Confirming>(untoldParty),
  noticeConfirmed: confirmed,
  noticeDenied: (state, { why }) => deny(state, why, why),
  callerHeld: (state) => deny(state, 'notice_on_hold', 'notice_on_hold'),
  digit: (state, { digit, at }) => keyWhileConfirming(state, digit, at),
  stepFailed: (state, { step }) => {
    if (step === 'confirmNotice') return deny(state, 'notice_failed', 'notice_failed');
    return step === 'prepare' ? goOnUnrecorded(state, 'prepare_failed') : stay(state);
  },
  timeUp: (state, { timer }) =>
    timer === 'confirmation' ? deny(state, 'notice_timeout', 'notice_timeout') : stay(state),
  callerLeft: (state, { at }) => abandon(state, at),
  callerSentOn: (state, { at }) => sentOn(withLast(state, 'notice_failed'), at),
  eventsMissed: (state) => deny(state, 'notice_failed', 'interrupted'),
  interrupted: (state) => deny(state, 'notice_failed', 'interrupted'),
};

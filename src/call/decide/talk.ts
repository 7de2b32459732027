import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import { answerOf } from './answer.ts';
import { close } from './closing.ts';
import { channelOf, orderOf, partyOf } from './parties.ts';
import { eraseSaid, eraseTalk, mayHaveRecorded } from './erase.ts';
import type { CallEvent } from './events.ts';
import { leftDuringTheNotice, newcomers, seenTogether, withoutTold } from './farEnd.ts';
import { ignored, ignoresFollowing, ignoresSetUp, saved, stay, type Handlers } from './handlers.ts';
import { markTalk } from './marks.ts';
import { music, musicHoldEffect, type MusicHoldEvent } from './musicHold.ts';
import {
  andSave,
  interrupt,
  isAware,
  isSilent,
  meetNewcomers,
  notAwaited,
  pause,
  newcomersMissed,
  newcomerTold,
  newcomerUntold,
  renewed,
  savedFirst,
  stopForGood,
  stopOf,
  unpaused,
  withAware,
  withoutTelling,
  type Going,
} from './newcomers.ts';
import {
  awaitsRequest,
  pauseMissed,
  pauseSaid,
  pauseTalk,
  pauseUnsaid,
  recordTalk,
  resumeTalk,
  untilAsked,
  withoutWish,
} from './pause.ts';
import type { Effect, Facts, In, Recorder, Step, WithheldReason } from './state.ts';
import { isBridged, recorderOf, type Party } from './order.ts';
import { askedBy, isActive, isEarlier, recorderAfter, withoutAwaited, type RecorderEvent } from './recorder.ts';
import { beginAgain, recordAfterHold, recordAnew } from './recordAnew.ts';
import { endForRoom } from './recordedTime.ts';
import type { Sentence } from './sentence.ts';

/** From the answer of the destination to the end of the talk. */

/**
 * For so long after the answer the refusing key counts by itself, as before it: it is reported when it is let go, and who
 * presses it at the end of the ringing does not know that they are answered. Longer, and it would be one that they press for
 * whom they talk to.
 */
const lateRefusalMs = 3_000;

/** The caller's last keys. */
export function typedWith({ typed }: { typed: string }, digit: string, featureCode: string): string {
  return (typed + digit).slice(-featureCode.length);
}

/**
 * They are connected. With somebody who was not told nothing is recorded; nor without the caller's keys, since nobody knows
 * whether they have refused.
 */
export function talk(
  { facts, told: proof, answer, ringing, keysMissed, untold, others, holding, typed }: In<'dialling'>,
  answeredAt?: number,
): { state: Talking; effects: Effect[] } {
  const asked = untilAsked(facts);
  const cause = untold ? 'untold_party' : keysMissed ? 'interrupted' : undefined;
  const why = cause ?? (awaitsRequest(asked) ? 'not_requested' : undefined);
  const recorder = recorderAtFirst(why);
  const now: Effect[] = [
    { type: 'stopTimer' },
    ...(ringing ? [{ type: 'ringStop' as const }] : []),
    ...music(facts, holding),
  ];

  return {
    state: {
      kind: 'talking',
      facts,
      told: proof,
      answer,
      recorder,
      answeredAt,
      telling: [],
      untold,
      others,
      holding,
      typed,
      ...(cause === undefined ? asked : {}),
    },
    effects:
      why === undefined
        ? [{ type: 'startRecorder', order: orderOf(facts), told: proof }, ...now]
        : [...now, { type: 'save' }, { type: 'tellUnrecorded', reason: why }],
  };
}

/** One that is not requested yet may be. */
function recorderAtFirst(why: WithheldReason | undefined): Recorder {
  if (why === undefined) return { kind: 'requested' };

  return why === 'not_requested' ? { kind: 'awaited' } : { kind: 'withheld', why };
}

type Talking = In<'talking'>;

function recorderWhileTalking(state: Talking, event: RecorderEvent): Step {
  const order = orderOf(state.facts);
  const recorder = recorderAfter(state.recorder, event, order);
  // A request that failed for us may have reached Asterisk all the same, and be carried out late.
  const starts = event.type === 'recorderStarted';
  const asked = askedBy(event, order);
  if (starts && (recorder.kind === 'discarded' || recorder.kind === 'withheld'))
    return { state, effects: [{ type: 'discardRecorder', ...asked }] };
  const stop: Effect[] =
    starts && (state.untold || recorder.kind === 'awaited' || isEarlier(event, order))
      ? [{ type: 'stopRecorder', ...asked }]
      : [];
  if (recorder === state.recorder) return { state, effects: stop };
  const isStill = state.telling.length > 0 || state.paused !== undefined;
  if (recorder.kind === 'running' && isStill && !isBridged(order)) {
    return andSave(interrupt({ ...state, recorder }, recorder.startedAt));
  }
  const waits = recorder.kind === 'running' && isSilent(state) && !state.untold;
  // A channel that the dialplan has takes no variables from us: it was told before.
  const tell: Effect[] =
    recorder.kind === 'running' && isBridged(order) ? [{ type: 'tellRecorded', recording: order.recording }] : [];

  return {
    state: { ...state, recorder },
    effects: [...stop, ...(waits ? [pause(order, true, recorder.startedAt)] : []), { type: 'save' }, ...tell],
  };
}

/**
 * Somebody else is that side of the call from here on. Who was not told is a newcomer (P1); in the caller's place nobody is told. They talk
 * on in our bridge (P3).
 */
function succeed(state: Talking, party: Party, channel: ChannelId, at: number | undefined): Going {
  const isNew = !state.others.includes(channel);
  const met =
    party === 'caller' ? stopForGood(state) : isNew ? meetNewcomers(state, [channel], at) : { state, effects: [] };
  const now = factsWith(met.state.facts, party, channel);
  // Whom they had on hold talks to the other now, who may wait themselves.
  const holding = state.holding.filter((each) => each !== party);
  const back = state.holding.filter((each) => each === party);

  return {
    state: { ...met.state, facts: now, others: without(met.state, channel), holding },
    effects: [...met.effects, ...music(now, holding, back)],
  };
}

/** A transfer: the call ends when one of the two who are left in it leaves. */
export function replace(state: Talking, { party, channel, at }: Extract<CallEvent, { type: 'partyReplaced' }>): Step {
  const { facts } = state;
  const replaced = channelOf(party, facts);
  if (partyOf(channel, facts) !== undefined) return stay(state);
  const { state: now, effects } = succeed(state, party, channel, at);

  return { state: now, effects: [...effects, { type: 'hangUpReplaced', channel: replaced }, { type: 'save' }] };
}

export function without({ others }: Pick<Talking, 'others'>, channel: ChannelId): readonly ChannelId[] {
  return others.includes(channel) ? others.filter((each) => each !== channel) : others;
}

export function withOther(
  { facts, others }: Pick<Talking, 'facts' | 'others'>,
  channel: ChannelId,
): readonly ChannelId[] {
  return others.includes(channel) || partyOf(channel, facts) !== undefined ? others : [...others, channel];
}

/** The facts of a call in which this channel is that side from now on. */
export function factsWith(facts: Facts, party: Party, channel: ChannelId): Facts {
  return party === 'caller'
    ? { ...facts, callerChannel: channel, toldChannel: facts.toldChannel ?? facts.callerChannel }
    : { ...facts, order: { ...orderOf(facts), destination: channel } };
}

/** P1: somebody who was not told is behind this party. */
function meetFarEnd(before: Talking, state: Talking, seen: Seen): Step {
  const isTold = seen.party === 'destination' && seen.unwatched !== true;

  return andSave(isTold ? meetNewcomers(state, newcomers(before.facts, seen), seen.at) : stopForGood(state));
}

type Seen = Extract<CallEvent, { type: 'farEndSeen' }>;

/** A Local/ channel that was to be told is nobody: whoever is behind it is told in its place, or knows. */
function toldInItsPlace({ state, effects }: Step, { party, channels, at }: Seen): Step {
  if (state.kind !== 'talking' || state.untold || party === 'caller' || channels.length === 0)
    return { state, effects };
  const { destination } = orderOf(state.facts);
  if (!state.telling.includes(destination)) return { state, effects };
  const now = withoutTelling({ ...state, facts: withAware(state.facts, [destination]) }, destination, at);

  return { state: now.state, effects: [...effects, { type: 'save' }, ...now.effects] };
}

/** Behind whom they called is somebody whose number is never recorded. What was only asked for is not kept either. */
function neverRecord(state: Talking): Step {
  const { recorder, facts } = state;
  if (recorder.kind !== 'requested' || recorder.resumes !== undefined) return andSave(stopForGood(state));
  const order = orderOf(facts);

  return {
    state: { ...unpaused(state), untold: true, telling: [], recorder: { kind: 'withheld', why: 'never_recorded' } },
    effects: [
      { type: 'discardRecorder', ...recorderOf(order) },
      { type: 'save' },
      ...(isBridged(order) ? [{ type: 'tellUnrecorded' as const, reason: 'never_recorded' as const }] : []),
    ],
  };
}

const loseFarEnd = (state: Talking, party: Party): Step =>
  andSave(stopForGood({ ...state, facts: withoutTold(state.facts, party) }));

type Coming = { channel: ChannelId; at?: number; never?: true };

/** P1: whoever comes in was not told. What was recorded until now stays. */
function join(state: Talking, { channel, at, never }: Coming): Step {
  const others = withOther(state, channel);
  if (others === state.others) return { state, effects: state.untold ? stopOf(state) : [] };
  const joined = { ...state, others };
  if (state.untold) return andSave({ state: joined, effects: stopOf(state) });
  if (never === true) return andSave(stopForGood(joined));

  // A later process must know it too, should this one not live to see the recorder stop.
  return andSave(isAware(state.facts, channel) ? renewed(joined, at) : meetNewcomers(joined, [channel], at));
}

/** Who else was there leaves. */
function leaveOthers(state: Talking, channel: ChannelId, at: number | undefined): Step {
  const others = without(state, channel);
  if (others === state.others) return stay(state);
  const left = { ...state, others };
  if (state.telling.includes(channel)) return savedFirst(withoutTelling(left, channel, at));
  const { state: now, effects } = state.telling.length > 0 ? { state: left, effects: [] } : renewed(left, at);

  return { state: now, effects: effects.length > 0 ? [...effects, { type: 'save' }] : [] };
}

/** A followed caller talks to nobody any more, or is in no bridge: the dialplan goes on with them. */
function part(state: Talking): Step {
  const { told: proof, answer, untold, typed, paused } = state;
  const { facts, recorder } = notAwaited(state);
  // Nothing was asked for yet, and whom they meet next may be somebody who knows.
  const isOpen = state.recorder.kind === 'awaited' && recorder.kind === 'withheld';

  return {
    state: {
      kind: 'following',
      facts,
      told: proof,
      answer,
      recorder: isOpen ? { kind: 'none' } : recorder,
      untold,
      typed,
      ...(paused === undefined ? {} : { paused: withoutWish(paused) }),
    },
    effects: [...stopOf(state), { type: 'save' }],
  };
}

/** One of the two left. While others are there it is their talk (P3): one of them is that side of it now. */
function leave(state: Talking, party: Party, at: number | undefined): Step {
  const [next] = state.others;
  if (!isBridged(orderOf(state.facts))) {
    if (party === 'caller') return close(state, at, []);
    if (next === undefined) return part(state);
  }
  // A destination may live on elsewhere, transferred: it is not ours to hang up.
  if (next === undefined) return close(state, at, [party === 'caller' ? 'destination' : 'caller']);
  if (party === 'caller') return andSave(succeed(state, party, next, at));
  const left = withoutTelling(state, orderOf(state.facts).destination, at);
  const { state: now, effects } = succeed(left.state, party, next, at);
  const fresh = now.telling.length > 0 || left.effects.length > 0 ? { state: now, effects: [] } : renewed(now, at);

  // Where somebody was not told it was asked to stop, which may have been missed.
  const again = now.untold ? stopOf(now) : [];

  return {
    state: fresh.state,
    effects: [...again, ...effects, ...fresh.effects, { type: 'save' }, ...left.effects, ...watchOf(fresh.state)],
  };
}

/** Of who is the party from now on, in a talk that is recorded. One that is yet to be is told of later. */
function watchOf({ facts, recorder, untold, paused }: Talking): Effect[] {
  const { destination } = orderOf(facts);
  // Their keys end a pause.
  const isConcerned = isActive(recorder) || paused !== undefined;
  const asks = !isBridged(orderOf(facts)) && isConcerned && !untold;

  return asks ? [{ type: 'watchHolds', channel: destination }] : [];
}

/** The key that was meant for before the answer. */
function earlyRefusal({ facts, answeredAt }: Talking, digit: string, at: number): string | undefined {
  if (answeredAt === undefined || at - answeredAt > lateRefusalMs) return undefined;

  return answerOf(orderOf(facts).script.consent, digit, at, true).kind === 'refused' ? digit : undefined;
}

/**
 * Stops the recorder and removes what it has, at once; the talk goes on.
 *
 * The sentence is begun before the recorder goes, so that the bridge never has the two parties alone in between: Debian's Asterisk
 * 22.10.1 may send the caller nothing more after such a change, until the sentence is over. The refusal is saved before both, since
 * who is told that it is erased must not be kept by a process that dies here.
 */
function keyWhileTalking(state: Talking, digit: string, at: number): Step {
  const { facts, recorder } = state;
  const order = orderOf(facts);
  const { consent } = order.script;
  if (consent.mode === 'announce') return stay(state);
  const { featureCode, acknowledgement, erasure } = consent.refusal;
  const typed = typedWith(state, digit, featureCode);
  const refusing = typed === featureCode ? featureCode : earlyRefusal(state, digit, at);
  if (refusing === undefined || state.answer.kind === 'refused') return stay({ ...state, typed });
  const runs = mayHaveRecorded(state);
  const startedAt = recorder.kind === 'running' || recorder.kind === 'finished' ? recorder.startedAt : undefined;

  const said = (runs ? erasure : acknowledgement).map((sentence) => saying(sentence, facts));
  const removed: Effect[] = runs ? [{ type: 'discardRecorder', ...recorderOf(order) }] : [];

  return {
    state: {
      ...unpaused(state),
      typed: '',
      telling: [],
      answer: { kind: 'refused', digits: refusing, at },
      recorder: runs ? { kind: 'discarded', startedAt } : withoutAwaited(recorder, state.paused),
    },
    effects: [
      { type: 'save' },
      // Music would be all that who waits on hold hears.
      ...music(facts, [], state.holding),
      ...(isBridged(order) ? [...said, ...removed] : [...removed, ...said]),
      ...(isBridged(order) ? [{ type: 'tellUnrecorded' as const, reason: 'refused' as const }] : []),
    ],
  };
}

/** To both in a bridge of ours, to the caller alone in another. */
function saying(sentence: Sentence, facts: Facts): Effect {
  const order = orderOf(facts);

  return isBridged(order)
    ? { type: 'sayToBoth', bridge: order.bridge, sentence }
    : { type: 'whisper', channel: facts.callerChannel, sentence };
}

/** Kept, so that a later process knows who may still hear music. */
function holdWhileTalking(state: Talking, event: MusicHoldEvent): Step {
  const hold = musicHoldEffect(event, state);
  if (hold === undefined) return stay(state);
  const { effect, holding, changes } = hold;
  const anew = changes ? recordAfterHold({ ...state, holding }) : undefined;
  if (anew !== undefined) return anew;

  return changes ? { state: { ...state, holding }, effects: [effect, { type: 'save' }] } : { state, effects: [effect] };
}

/** What was being said to a newcomer, and of a pause, may not have been. */
const missed = (state: Talking): Step => pauseMissed(newcomersMissed(state));

/** They were told of the refusal: who is on hold hears music again. */
function toldOfRefusal(state: Talking, { playbackId }: { playbackId: PlaybackId }): Step {
  const { facts, holding } = state;
  const { consent } = orderOf(facts).script;
  const said = consent.mode === 'announce' ? [] : [consent.refusal.erasure, consent.refusal.acknowledgement];
  const isLast = said.some((sentences) => sentences.at(-1)?.playbackId === playbackId);

  return isLast ? { state, effects: music(facts, holding) } : stay(state);
}

export const whileTalking: Handlers<Talking> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  playbackStarted: ignored,
  playbackFinished: toldOfRefusal,
  destinationRinging: ignored,
  destinationAnswered: ignored,
  callerHeld: holdWhileTalking,
  callerResumed: holdWhileTalking,
  destinationHeld: holdWhileTalking,
  destinationResumed: holdWhileTalking,
  holdsFound: holdWhileTalking,
  interrupted: ignored,
  // They had their choice; who wants to refuse now and is not heard, presses again.
  eventsMissed: missed,
  newcomerTold,
  newcomerUntold,
  pauseAsked: pauseTalk,
  resumeAsked: resumeTalk,
  pauseSaid,
  recordAsked: recordTalk,
  eraseAsked: eraseTalk,
  eraseSaid,
  markAsked: markTalk,
  timeUp: ignored,
  recorderStarted: recorderWhileTalking,
  recorderFinished: recorderWhileTalking,
  recorderFailed: recorderWhileTalking,
  recorderUnbegun: beginAgain,
  stepFailed: (state, event) => {
    const { holding, facts } = state;
    // Who is on hold heard nothing of the refusal, and would hear nothing more.
    if (event.step === 'sayToBoth') return { state, effects: music(facts, holding) };
    // What follows a save that failed is left out: what was refused goes all the same.
    if (event.step === 'save' && state.recorder.kind === 'discarded')
      return { state, effects: [{ type: 'discardRecorder', ...recorderOf(orderOf(facts)) }] };
    return recorderWhileTalking(event.step === 'save' ? pauseUnsaid(state) : state, event);
  },
  digit: (state, { digit, at }) => keyWhileTalking(state, digit, at),
  thirdPartyJoined: join,
  thirdPartyLeft: (state, { channel, at }) => leaveOthers(state, channel, at),
  // In the bridges of others it is told as a coming and a going.
  partyReplaced: (state, event) => (isBridged(orderOf(state.facts)) ? replace(state, event) : join(state, event)),
  farEndSeen: (before, event) =>
    toldInItsPlace(
      seenTogether<Talking>((state, seen) =>
        seen.never === true ? neverRecord(state) : meetFarEnd(before, state, seen),
      )(before, event),
      event,
    ),
  farEndLeft: leftDuringTheNotice<Talking>((state) => loseFarEnd(state, 'caller'), saved),
  farEndLost: (state, { party }) => loseFarEnd(state, party),
  // P3: what was recorded until now stays; a bridge of two without a recorder lets them hear each other as Dial() would. In the bridges of
  // others they hear each other all the time.
  partyUnheard: (state) => (isBridged(orderOf(state.facts)) ? { state, effects: stopOf(state) } : stay(state)),
  sourceChanged: recordAnew,
  roomSpent: endForRoom,
  callerLeft: (state, { at }) => leave(state, 'caller', at),
  // It is in the dialplan's hands where the dialplan dialled.
  callerSentOn: (state, { at }) => (isBridged(orderOf(state.facts)) ? leave(state, 'caller', at) : stay(state)),
  parted: part,
  destinationLeft: (state, { at }) => leave(state, 'destination', at),
  bridgeGone: (state, { alone }) => (isBridged(orderOf(state.facts)) ? close(state, undefined, alone) : part(state)),
};

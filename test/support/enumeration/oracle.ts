/**
 * The oracle of the enumeration: what the events of a call tell by themselves, never what the state of the call says. What
 * was heard, which keys were pressed and who is in the bridge are judged here a second time, apart from `decide`.
 */
import type { CallEvent, Timer } from '../../../src/call/decide/events.ts';
import type { Effect, Facts, HoldEffect } from '../../../src/call/decide/state.ts';
import type { Order, PauseWord, Script } from '../../../src/call/decide/order.ts';
import type { ChannelId } from '../../../src/core/ids.ts';
import { countingIds, keys, someFacts } from '../call/calls.ts';
import {
  witnessBehind,
  witnessChange,
  witnessJoining,
  witnessNever,
  witnessParting,
  witnessRelease,
  witnessRoom,
  witnessSilence,
  witnessStranger,
  witnessTime,
  type TimeUsed,
} from './followedOracle.ts';
import { isLeftOut, witnessTelling } from './newcomerOracle.ts';
import { witnessErasure } from './codesOracle.ts';
import { witnessPause, type Pausing } from './pauseOracle.ts';

export type CallFacts = Facts & { order: Order };
export type CallShape = NonNullable<Parameters<typeof someFacts>[1]>;

/** What is known of a call of this shape, with the same ids in each run. */
export function factsWith(shape: CallShape): CallFacts {
  return someFacts(countingIds(), shape);
}

/** What the events alone say, and which effects were asked for. All of it is plain data. */
export type Monitor = {
  /** 0 nothing, 1 planned, 2 ready, 3 answered: only then can a sentence be heard or a key be pressed. */
  phase: number;
  /** Of the languages that are offered: `offered` while a key may choose one, then which script is said. */
  script: 'offered' | 'default' | number;
  /** How many sentences of the script were heard whole, in their order. */
  heard: number;
  /** When the sentence after those began; the latest time that was reported, which is the strictest. */
  startedAt: number | undefined;
  /** A yes spares the questions behind it: so many sentences are to be heard. */
  enough: number | undefined;
  /** Asterisk said that the caller could hear what was played. */
  confirmed: boolean;
  /** A sentence was not heard whole, or events were missed: never again told. */
  spoilt: boolean;
  /** A valid key, or the feature code while they talk. */
  refused: 'no' | 'before' | 'talking';
  /** Of a followed call: the disk is nearly full, or the time of its recording is over. */
  spent: { room: boolean; time: TimeUsed };
  /** Asterisk's time of the answer. */
  answeredAt: number | undefined;
  /** The last key since the destination is dialled. */
  lastKey: string;
  /** Somebody who was not told is in the bridge, or was. */
  stranger: boolean;
  /** Somebody whose number is never recorded is, or was. */
  never: boolean;
  /** Who was seen behind each, where it is a Local/ channel; behind the destination since it is dialled. */
  farEnds: { caller: readonly ChannelId[]; destination: readonly ChannelId[] };
  /** Where newcomers are told: who is there and was not told yet, and who was told. */
  untoldHere: readonly ChannelId[];
  toldLater: readonly ChannelId[];
  /** Somebody wants nothing to be recorded. */
  pausing: Pausing | undefined;
  /** Somebody asked that what was recorded be removed. */
  erased: boolean;
  /** Of a line that records on request: both have heard that it records, or it was asked for while they were apart. */
  isRequested: boolean;
  /** Who else is in the bridge since the destination is dialled. */
  others: readonly ChannelId[];
  /** Whose channel took the place of the caller's or the destination's while they talked. */
  replaced: { caller?: ChannelId; destination?: ChannelId };
  /** Of a followed call: what became of it since the caller was let go on in the dialplan; undefined before. */
  followed: { met: readonly ChannelId[]; isTogether: boolean; talks: number; hasChanged: boolean } | undefined;
  callerLeft: boolean;
  /** The dialplan has gone on with the caller by itself. */
  sentOn: boolean;
  /** Keys were missed while the caller could still refuse. */
  deaf: boolean;
  /** They are connected. */
  talks: boolean;
  /** The destination left while they talked: by itself, or transferred to live on elsewhere. */
  destinationLeft: boolean;
  /** Asterisk refused to start it (then it may have started all the same), or it has ended. */
  recorder: 'unknown' | 'refused' | 'ended';
  timer: Timer | undefined;
  /** Who has put the other on hold since they are in the bridge. */
  holding: { caller: boolean; destination: boolean };
  /** The recorder was asked to pause, and not to go on. */
  paused: boolean;
  /** The channels that have music, as was asked for. */
  music: readonly ChannelId[];
  asked: {
    save: number;
    prepare: number;
    dial: number;
    release: number;
    startRecorder: number;
    stopRecorder: number;
    discardRecorder: number;
    returnToDialplan: number;
    hangUpCaller: number;
    hangUpDestination: number;
    destroyBridge: number;
  };
};

export const fresh: Monitor = {
  phase: 0,
  script: 'offered',
  heard: 0,
  startedAt: undefined,
  enough: undefined,
  confirmed: false,
  spoilt: false,
  refused: 'no',
  spent: { room: false, time: { seconds: 0, open: undefined } },
  answeredAt: undefined,
  lastKey: '',
  stranger: false,
  never: false,
  farEnds: { caller: [], destination: [] },
  untoldHere: [],
  toldLater: [],
  pausing: undefined,
  erased: false,
  isRequested: false,
  others: [],
  replaced: {},
  followed: undefined,
  callerLeft: false,
  sentOn: false,
  deaf: false,
  talks: false,
  destinationLeft: false,
  recorder: 'unknown',
  timer: undefined,
  holding: { caller: false, destination: false },
  paused: false,
  music: [],
  asked: {
    save: 0,
    prepare: 0,
    dial: 0,
    release: 0,
    startRecorder: 0,
    stopRecorder: 0,
    discardRecorder: 0,
    returnToDialplan: 0,
    hangUpCaller: 0,
    hangUpDestination: 0,
    destroyBridge: 0,
  },
};

/** The script that is said, as far as the events tell. */
export function scriptOf({ order }: CallFacts, { script }: Pick<Monitor, 'script'>): Script {
  return (typeof script === 'number' ? order.menu?.options[script]?.script : undefined) ?? order.script;
}

const isQuestion = (script: Script, index: number): boolean => script.sentences[index]?.prompt.kind === 'optIn';

/** Whether a question was heard among the first so many sentences. */
const wasAsked = (script: Script, heard: number): boolean =>
  script.sentences.slice(0, heard).some((_, index) => isQuestion(script, index));

function witnessKey(monitor: Monitor, { digit, at }: { digit: string; at: number }, facts: CallFacts): Monitor {
  const { asked, callerLeft, phase, spoilt, refused } = monitor;
  if (phase < 3 || callerLeft) return monitor;
  const script = scriptOf(facts, monitor);
  const { consent } = script;
  if (monitor.script === 'offered') {
    const option = facts.order.menu?.options.findIndex((each) => each.digit === digit) ?? -1;
    if (option >= 0) return { ...monitor, script: option };
  }
  if (consent.mode === 'announce') return monitor;
  if (monitor.talks) {
    if (refused !== 'no' || asked.destroyBridge > 0) return monitor;
    // Let go in the first three seconds, the key of before was meant.
    const late = digit === keys.refuse && monitor.answeredAt !== undefined && at - monitor.answeredAt <= 3_000;
    if (late || monitor.lastKey + digit === keys.featureCode) return { ...monitor, refused: 'talking', lastKey: '' };
    return monitor.lastKey === digit ? monitor : { ...monitor, lastKey: digit };
  }
  if (spoilt || refused !== 'no') return monitor;
  if (digit === keys.refuse) return { ...monitor, refused: 'before' };
  if (asked.dial > 0 && asked.destroyBridge === 0) {
    return monitor.lastKey === digit ? monitor : { ...monitor, lastKey: digit };
  }
  if (consent.mode !== 'optIn' || digit !== keys.accept || monitor.enough !== undefined) return monitor;
  const { heard, startedAt } = monitor;
  const begun = isQuestion(script, heard) && startedAt !== undefined;
  if (!begun && !wasAsked(script, heard)) return monitor;

  return { ...monitor, enough: Math.min(heard + 1, script.sentences.length) };
}

/** How many sentences of the script must be heard whole. */
export const wantedOf = (monitor: Monitor, facts: CallFacts): number =>
  monitor.enough ?? scriptOf(facts, monitor).sentences.length;

/** Every sentence was played whole. */
const wasPlayed = (monitor: Monitor, facts: CallFacts): boolean =>
  monitor.phase === 3 && monitor.heard >= wantedOf(monitor, facts);

/** Every sentence was heard, and nothing speaks against going on. */
export function isTold(monitor: Monitor, facts: CallFacts): boolean {
  const { refused, callerLeft, spoilt, confirmed } = monitor;

  return confirmed && wasPlayed(monitor, facts) && refused !== 'before' && !callerLeft && !spoilt;
}

function holdWith(monitor: Monitor, party: 'caller' | 'destination', holds: boolean): Monitor {
  const together = monitor.asked.destroyBridge === 0 && monitor.followed?.isTogether !== false;

  return !together || monitor.holding[party] === holds
    ? monitor
    : { ...monitor, holding: { ...monitor.holding, [party]: holds } };
}

/** In the bridge, from the dialling on. */
const isTogether = ({ asked, callerLeft }: Monitor): boolean =>
  asked.dial > 0 && asked.destroyBridge === 0 && !callerLeft;

const isParty = (channel: ChannelId, { replaced }: Monitor): boolean =>
  channel === replaced.caller || channel === replaced.destination;

/** Somebody who was not told is that side of the call from here on. */
function replacedBy(monitor: Monitor, party: 'caller' | 'destination', channel: ChannelId, facts: CallFacts): Monitor {
  const before = monitor.replaced[party] ?? (party === 'caller' ? facts.callerChannel : facts.order.destination);

  return {
    ...monitor,
    stranger: true,
    others: monitor.others.filter((each) => each !== channel),
    replaced: { ...monitor.replaced, [party]: channel },
    holding: { ...monitor.holding, [party]: false },
    // Who has left hears nothing of the call.
    music: monitor.music.filter((each) => each !== before),
  };
}

function witnessFarEnd(
  monitor: Monitor,
  { party, channels, at, unwatched }: Extract<CallEvent, { type: 'farEndSeen' }>,
  facts: CallFacts,
): Monitor {
  const known = monitor.farEnds[party];
  const lengthMs = scriptOf(facts, monitor).sentences[0]?.prompt.lengthMs ?? 0;
  const { startedAt } = monitor;
  const hearsAll =
    party === 'caller' &&
    monitor.heard === 0 &&
    (startedAt === undefined || (at !== undefined && (at - startedAt) * 20 <= lengthMs));
  if (hearsAll) return { ...monitor, farEnds: { ...monitor.farEnds, caller: channels } };
  if (party === 'destination' && monitor.asked.dial === 0) return monitor;
  const all = [...known, ...channels.filter((each) => !known.includes(each))];
  if (all.length === known.length) return monitor;
  const stranger = monitor.stranger || party === 'caller' || known.length > 0 || unwatched === true;

  return { ...monitor, stranger, farEnds: { ...monitor.farEnds, [party]: all } };
}

function witnessFarEndLeft(monitor: Monitor, channels: readonly ChannelId[]): Monitor {
  const { farEnds, stranger } = monitor;
  const caller = farEnds.caller.filter((each) => !channels.includes(each));
  if (caller.length === farEnds.caller.length) return monitor;
  // A notice that nobody hears tells nobody.
  const isBegun = monitor.phase === 3 && monitor.script !== 'offered';

  return { ...monitor, farEnds: { ...farEnds, caller }, stranger: stranger || (isBegun && caller.length === 0) };
}

/** The oracle: what one more event tells, seen without the state of the call. */
export function witness(monitor: Monitor, event: CallEvent, facts: CallFacts): Monitor {
  const tells = facts.order.newcomers === 'tell';
  if (tells && isLeftOut(monitor, event)) return monitor;
  const seen = witnessed(monitor, event, facts);
  const told = tells ? witnessTelling(monitor, seen, event) : seen;

  return witnessTime(witnessErasure(witnessPause(monitor, told, event, facts), event), event, facts);
}

function witnessed(monitor: Monitor, event: CallEvent, facts: CallFacts): Monitor {
  const sentence = scriptOf(facts, monitor).sentences[monitor.heard];
  const audible =
    monitor.phase === 3 &&
    monitor.script !== 'offered' &&
    monitor.heard < wantedOf(monitor, facts) &&
    monitor.refused === 'no' &&
    !monitor.callerLeft &&
    !monitor.spoilt;
  switch (event.type) {
    case 'planned':
      return monitor.phase === 0 ? { ...monitor, phase: 1 } : monitor;
    case 'ready':
      return monitor.phase === 1 ? { ...monitor, phase: 2 } : monitor;
    case 'callerAnswered':
      if (monitor.phase !== 2) return monitor;
      return { ...monitor, phase: 3, script: facts.order.menu === undefined ? 'default' : 'offered' };
    case 'playbackStarted':
      if (!audible || event.playbackId !== sentence?.playbackId) return monitor;
      return { ...monitor, startedAt: Math.max(monitor.startedAt ?? -Infinity, event.at) };
    case 'playbackFinished': {
      if (!audible || event.playbackId !== sentence?.playbackId) return monitor;
      const { startedAt } = monitor;
      // Of a question that is answered with yes, only that it began counts.
      const said = scriptOf(facts, monitor);
      const answered = monitor.enough !== undefined && isQuestion(said, monitor.heard);
      // Nor does a sentence of the other language, once the question of the first is answered.
      const spared = monitor.enough !== undefined && wasAsked(said, monitor.heard);
      const whole =
        spared ||
        (startedAt !== undefined &&
          (answered || (event.outcome === 'done' && (event.at - startedAt) * 100 >= sentence.prompt.lengthMs * 95)));
      return whole
        ? { ...monitor, heard: monitor.heard + 1, startedAt: undefined }
        : { ...monitor, spoilt: true, startedAt: undefined };
    }
    case 'noticeConfirmed': {
      const open = monitor.refused === 'no' && !monitor.callerLeft && !monitor.spoilt && !monitor.confirmed;
      const played = monitor.script !== 'offered' && wasPlayed(monitor, facts);
      return open && played ? { ...monitor, confirmed: true } : monitor;
    }
    case 'noticeDenied': {
      const open = monitor.refused === 'no' && !monitor.callerLeft && !monitor.spoilt && !monitor.confirmed;
      // Asked when the caller is answered, and when all was played.
      const asked = monitor.phase < 3 || (monitor.script !== 'offered' && wasPlayed(monitor, facts));
      return open && asked ? { ...monitor, spoilt: true } : monitor;
    }
    case 'digit':
      return witnessKey(monitor, event, facts);
    case 'holdsFound':
      if (!isTold(monitor, facts)) return monitor;
      return (['caller', 'destination'] as const).reduce(
        (now, party) => holdWith(now, party, event.holding.includes(party)),
        monitor,
      );
    case 'callerResumed':
      return isTold(monitor, facts) ? holdWith(monitor, 'caller', false) : monitor;
    case 'destinationHeld':
      return isTold(monitor, facts) ? holdWith(monitor, 'destination', true) : monitor;
    case 'destinationResumed':
      return isTold(monitor, facts) ? holdWith(monitor, 'destination', false) : monitor;
    case 'callerHeld':
      if (isTold(monitor, facts)) return holdWith(monitor, 'caller', true);
      // Nobody tells when they are back: from before the answer on, until they were told.
      return !monitor.confirmed && monitor.refused === 'no' && !monitor.callerLeft && !monitor.spoilt
        ? { ...monitor, spoilt: true }
        : monitor;
    case 'callerReleased':
      return witnessRelease(monitor);
    case 'joined':
      return witnessNever(monitor, witnessJoining(monitor, event.bridge, event.others), event);
    case 'parted':
      return witnessParting(monitor);
    case 'farEndSeen':
      return witnessNever(
        monitor,
        monitor.followed === undefined ? witnessFarEnd(monitor, event, facts) : witnessBehind(monitor, event),
        event,
      );
    case 'farEndLeft':
      return witnessFarEndLeft(monitor, event.channels);
    case 'farEndLost': {
      // Between their talks nobody is the destination of a followed caller.
      const isNobody = event.party === 'destination' && monitor.followed?.isTogether === false;
      return monitor.stranger || isNobody ? monitor : { ...monitor, stranger: true };
    }
    case 'thirdPartyJoined': {
      const { asked, others, followed } = monitor;
      if (followed !== undefined) return witnessNever(monitor, witnessStranger(monitor, event.channel), event);
      if (asked.prepare === 0 || asked.destroyBridge > 0) return monitor;
      const isNew = asked.dial > 0 && !others.includes(event.channel) && !isParty(event.channel, monitor);
      if (monitor.stranger && !isNew) return monitor;
      return { ...monitor, stranger: true, others: isNew ? [...others, event.channel] : others };
    }
    case 'thirdPartyLeft':
      return monitor.others.includes(event.channel) && monitor.asked.destroyBridge === 0
        ? { ...monitor, others: monitor.others.filter((each) => each !== event.channel) }
        : monitor;
    case 'partyReplaced': {
      if (monitor.followed !== undefined) return witnessStranger(monitor, event.channel);
      if (!isTogether(monitor) || isParty(event.channel, monitor)) return monitor;
      const now = replacedBy(monitor, event.party, event.channel, facts);
      // Only who has answered can be transferred.
      return event.party === 'destination' && !now.talks ? { ...now, talks: true, answeredAt: undefined } : now;
    }
    case 'callerSentOn':
    case 'callerLeft': {
      if (monitor.callerLeft) return monitor;
      if (event.type === 'callerSentOn' && monitor.asked.release > 0) return witnessRelease(monitor);
      if (monitor.followed !== undefined) return { ...witnessParting(monitor), callerLeft: true };
      const [next] = monitor.others;
      return isTogether(monitor) && next !== undefined
        ? replacedBy(monitor, 'caller', next, facts)
        : { ...monitor, callerLeft: true, sentOn: event.type === 'callerSentOn' };
    }
    case 'interrupted':
      return monitor.spoilt || monitor.talks ? monitor : { ...monitor, spoilt: true };
    case 'eventsMissed': {
      const { consent } = scriptOf(facts, monitor);
      if (monitor.followed !== undefined) return witnessSilence(monitor, consent.mode !== 'announce');
      const over = monitor.talks || monitor.callerLeft || monitor.refused !== 'no' || monitor.asked.destroyBridge > 0;
      if (monitor.phase < 3 || over) return monitor;
      const deaf = monitor.deaf || consent.mode !== 'announce';
      // A hold may be among them.
      const spoilt = monitor.spoilt || (monitor.script !== 'offered' && !monitor.confirmed);
      return deaf === monitor.deaf && spoilt === monitor.spoilt ? monitor : { ...monitor, deaf, spoilt };
    }
    // It ends the recorder, and that shows.
    case 'partyUnheard':
      return monitor;
    case 'roomSpent':
      return witnessRoom(monitor);
    case 'sourceChanged':
      return witnessChange(monitor);
    case 'recorderFinished':
    case 'recorderFailed':
    case 'recorderUnbegun':
      if (event.part !== undefined && event.part !== monitor.asked.startRecorder) return monitor;
      return monitor.recorder === 'ended' ? monitor : { ...monitor, recorder: 'ended' };
    case 'recorderStarted':
      if (event.part !== undefined && event.part !== monitor.asked.startRecorder) return monitor;
      return monitor.recorder === 'refused' ? { ...monitor, recorder: 'unknown' } : monitor;
    case 'stepFailed':
      if (event.step === 'play' && monitor.phase === 3 && monitor.script === 'offered') {
        return { ...monitor, script: 'default' };
      }
      return event.step === 'startRecorder' && monitor.recorder === 'unknown'
        ? { ...monitor, recorder: 'refused' }
        : monitor;
    case 'destinationLeft': {
      const [next] = monitor.others;
      if (monitor.followed !== undefined) {
        if (!monitor.followed.isTogether) return monitor;
        return next === undefined ? witnessParting(monitor) : replacedBy(monitor, 'destination', next, facts);
      }
      if (monitor.talks && isTogether(monitor) && next !== undefined)
        return replacedBy(monitor, 'destination', next, facts);
      return monitor.talks && monitor.asked.hangUpDestination === 0 && !monitor.destinationLeft
        ? { ...monitor, destinationLeft: true }
        : monitor;
    }
    case 'timeUp':
      return monitor.phase === 3 &&
        monitor.script === 'offered' &&
        (event.timer === 'choice' || event.timer === 'playback')
        ? { ...monitor, script: 'default' }
        : monitor;
    case 'destinationAnswered':
      return monitor.asked.dial > 0 && monitor.asked.destroyBridge === 0 && !monitor.talks
        ? { ...monitor, talks: true, answeredAt: event.at }
        : monitor;
    case 'notReady':
    case 'widebandSeen':
    case 'destinationRinging':
    case 'newcomerTold':
    case 'newcomerUntold':
    // By an oracle of their own.
    case 'pauseAsked':
    case 'resumeAsked':
    case 'pauseSaid':
    case 'recordAsked':
    case 'eraseAsked':
    case 'eraseSaid':
    case 'markAsked':
      return monitor;
    case 'bridgeGone':
      return witnessParting(monitor);
  }
}

const isCounted = (type: Effect['type']): type is keyof Monitor['asked'] => type in fresh.asked;

/** More of these tell nothing new, and would make the pairs many. */
const onceIsEnough: readonly Effect['type'][] = ['save', 'stopRecorder', 'discardRecorder'];

/** As much of an effect as is noted. */
export type Noted =
  | { type: Exclude<Effect['type'], 'startTimer' | 'hold' | 'sayPause'> }
  | { type: 'startTimer'; timer: Timer }
  | { type: 'sayPause'; word: PauseWord }
  | HoldEffect;

export function note(monitor: Monitor, effects: readonly Noted[]): Monitor {
  if (effects.length === 0) return monitor;
  const asked = { ...monitor.asked };
  let { timer, paused, music, recorder, pausing } = monitor;
  for (const effect of effects) {
    // Each talk of a followed call has one of its own.
    if (effect.type === 'startRecorder' && monitor.followed !== undefined) recorder = 'unknown';
    if (effect.type === 'startTimer') ({ timer } = effect);
    else if (effect.type === 'stopTimer') timer = undefined;
    else if (effect.type === 'sayPause') pausing = pausing && { ...pausing, saying: effect.word };
    else if (effect.type === 'hold') {
      if (effect.recorder !== undefined) ({ paused } = effect.recorder);
      const before = music;
      music = [
        ...before.filter((id) => !effect.back.includes(id)),
        ...effect.waiting.filter((id) => !before.includes(id)),
      ].sort();
    } else if (isCounted(effect.type) && (asked[effect.type] === 0 || !onceIsEnough.includes(effect.type))) {
      asked[effect.type] += 1;
    }
  }

  return { ...monitor, timer, paused, music, recorder, pausing, asked };
}

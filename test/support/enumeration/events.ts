/** What the enumeration lets happen to a call. */
import type { CallEvent, FallibleStep, Timer } from '../../../src/call/decide/events.ts';
import type { Order, Script } from '../../../src/call/decide/order.ts';
import type { NoticeProof } from '../../../src/call/decide/verification.ts';
import type { ChannelId, PlaybackId } from '../../../src/core/ids.ts';
import { keys, stranger } from '../call/calls.ts';
import { bridgesOfFollowed } from './followedOracle.ts';
import type { CallFacts } from './oracle.ts';

const fallibleSteps: readonly FallibleStep[] = [
  'save',
  'plan',
  'answer',
  'prepare',
  'play',
  'confirmNotice',
  'dial',
  'release',
  'startRecorder',
  'sayToBoth',
];
const timers: readonly Timer[] = [
  'answer',
  'playback',
  'confirmation',
  'choice',
  'consent',
  'dial',
  'release',
  'recorderFinish',
];

export type Alphabet = {
  /** Of sentences. */
  starts: readonly number[];
  finishes: readonly number[];
  /**
   * Who puts the other on hold once they were told. It multiplies the states, and has little to do with what was said before.
   * both: also as it is found after events were missed.
   */
  holds: 'nobody' | 'caller' | 'both';
  /**
   * Who joins them. transfers: who takes the place of one of them; stay: also as a stranger, which gives fewer states than leave: also
   * somebody else, who leaves again.
   */
  others: 'nobody' | 'transfers' | 'stay' | 'leave';
  /**
   * Which of the two are Local/ channels, with people behind them who change. stranger: one comes behind the caller, too late for the
   * notice, which gives fewer states.
   */
  farEnds?: 'nobody' | 'stranger' | 'caller' | 'destination' | 'both';
  /** Whether some of those who come have a number that is never recorded. */
  never?: true;
  /** Whether the disk of a followed call gets full. */
  room?: true;
  /** Whether somebody asks for a pause, and for its end. */
  pauses?: true;
  /** Whether somebody asks for what codes ask for beside pauses. */
  codes?: true;
};

const anotherCaller = 'another-caller' as ChannelId;
const anotherDestination = 'another-destination' as ChannelId;

/** Sentences are 1000 ms long: 949 is too short, 950 just long enough. Only differences count, so times may repeat. */
export const exactTimes: Alphabet = { starts: [0, 100], finishes: [949, 950, 1_050], holds: 'nobody', others: 'stay' };
/** Where keys are pressed and not times compared: a sentence is whole, or fails. */
export const plainTimes: Alphabet = { starts: [0], finishes: [950], holds: 'nobody', others: 'stay' };
/** For what is asked before they talk: who joins a talk has nothing to do with it, and multiplies the states by eight. */
export const untilTheyTalk: Alphabet = { ...plainTimes, others: 'nobody' };
export const withOthers: Alphabet = { ...plainTimes, others: 'leave' };
export const withHolds: Alphabet = { ...plainTimes, holds: 'both' };
export const withHoldsOfCaller: Alphabet = { ...plainTimes, holds: 'caller', others: 'transfers' };
export const withPauses: Alphabet = { ...plainTimes, holds: 'caller', others: 'transfers', pauses: true };
export const withPausesAndOthers: Alphabet = { ...withOthers, pauses: true };
export const withPausesAlone: Alphabet = { ...untilTheyTalk, pauses: true };
export const withCodes: Alphabet = { ...untilTheyTalk, codes: true };
export const withCodesAndPauses: Alphabet = { ...withCodes, pauses: true };
export const withNever: Alphabet = { ...plainTimes, others: 'stay', never: true };
export const withFarEnds: Alphabet = { ...untilTheyTalk, farEnds: 'both' };
export const withFarEndOfCaller: Alphabet = { ...plainTimes, others: 'transfers', farEnds: 'caller' };
export const withLittleRoom: Alphabet = { ...untilTheyTalk, room: true };
export const withFarEndOfDestination: Alphabet = { ...untilTheyTalk, farEnds: 'destination' };
export const withStrangerBehindCaller: Alphabet = { ...withFarEnds, farEnds: 'stranger' };

/** Sentences are 1000 ms long and begin at 0: who comes at 50 hears 95 of 100 parts. */
const lateBehindCaller: CallEvent = {
  type: 'farEndSeen',
  party: 'caller',
  channels: ['behind-2' as ChannelId],
  at: 51,
};
const behindCaller: readonly CallEvent[] = [
  { type: 'farEndSeen', party: 'caller', channels: ['behind-1' as ChannelId], at: 50 },
  { type: 'farEndLeft', channels: ['behind-1' as ChannelId] },
  { type: 'farEndLost', party: 'caller' },
];
const behindDestination: readonly CallEvent[] = [
  { type: 'farEndSeen', party: 'destination', channels: ['behind-3' as ChannelId], at: undefined },
  { type: 'farEndSeen', party: 'destination', channels: ['behind-3' as ChannelId, 'behind-4' as ChannelId], at: 200 },
  { type: 'farEndSeen', party: 'destination', channels: ['behind-3' as ChannelId], at: undefined, unwatched: true },
  { type: 'farEndLost', party: 'destination' },
];

/** A followed caller meets whoever was behind the first without that Local/ channel: it has optimised itself away, or they are called back. */
const withoutLocal: readonly CallEvent[] = bridgesOfFollowed.map((bridge) => ({
  type: 'joined',
  bridge,
  others: ['behind-3' as ChannelId],
  at: 5_500,
}));

const neverBehindDestination: CallEvent = {
  type: 'farEndSeen',
  party: 'destination',
  channels: ['behind-5' as ChannelId],
  at: 200,
  never: true,
};

/** A question's keys, the key before them in the feature code, and one that means nothing. */
export const digits = [keys.accept, keys.refuse, '*', '5'];

function playbackIds({ menu, script }: Order): PlaybackId[] {
  const said = ({ sentences, consent }: Script): PlaybackId[] => {
    const refusal = consent.mode === 'announce' ? [] : [consent.refusal.acknowledgement, consent.refusal.erasure];
    const answers = consent.mode === 'optIn' ? [...refusal, consent.acceptance, consent.silence] : refusal;

    return [...sentences, ...answers.flat()].map((each) => each.playbackId);
  };

  return [
    ...(menu?.prompts ?? []).map((each) => each.playbackId),
    ...[script, ...(menu?.options ?? []).map((option) => option.script)].flatMap(said),
    'preavis-another' as PlaybackId,
  ];
}

/** Seen when they happen, or found after events were missed. */
const holdsOfBoth: readonly CallEvent[] = [
  { type: 'callerResumed', at: 4_100 },
  { type: 'destinationHeld', at: 4_000 },
  { type: 'destinationResumed', at: 4_100 },
  { type: 'holdsFound', holding: [] },
  { type: 'holdsFound', holding: ['caller'] },
  { type: 'holdsFound', holding: ['destination'] },
  { type: 'holdsFound', holding: ['caller', 'destination'] },
];

const comingAndGoing: readonly CallEvent[] = [
  { type: 'thirdPartyJoined', channel: stranger, at: 6_500 },
  { type: 'thirdPartyLeft', channel: stranger, at: 6_700 },
];

const transfers: readonly CallEvent[] = [
  { type: 'partyReplaced', party: 'caller', channel: anotherCaller },
  { type: 'partyReplaced', party: 'destination', channel: anotherDestination },
];

const ofBridged: readonly CallEvent[] = [
  { type: 'recorderStarted', at: 6_000 },
  { type: 'recorderStarted', at: undefined },
  { type: 'recorderFinished', at: 7_000 },
  { type: 'recorderFailed' },
];

const ofFollowed: readonly CallEvent[] = [
  { type: 'callerReleased' },
  ...bridgesOfFollowed.flatMap((bridge) =>
    [[stranger], [anotherCaller], [stranger, anotherCaller]].map((others): CallEvent => ({
      type: 'joined',
      bridge,
      others,
      at: 5_500,
    })),
  ),
  { type: 'parted', at: 7_500 },
  { type: 'sourceChanged' },
  ...[1, 2, 3].flatMap((part): CallEvent[] => [
    { type: 'recorderStarted', at: 6_000, part },
    { type: 'recorderFinished', at: 7_000, part },
    { type: 'recorderFailed', part },
  ]),
];

const someProof = { sentences: [], finishedAt: 6_600 } as unknown as NoticeProof;
const ofNewcomers = [stranger, anotherCaller, anotherDestination].flatMap((channel): CallEvent[] => [
  { type: 'newcomerTold', channel, told: someProof },
  { type: 'newcomerUntold', channel },
]);

const ofPauses: readonly CallEvent[] = [
  { type: 'pauseAsked', by: 'destination', at: 6_800, since: 6_500, until: undefined },
  { type: 'resumeAsked', by: 'caller', at: 6_900 },
  { type: 'pauseSaid', word: 'paused', at: 7_000 },
  { type: 'pauseSaid', word: 'resumed', at: 7_100 },
  { type: 'pauseSaid', word: 'resumed', at: undefined },
];

const ofCodes: readonly CallEvent[] = [
  { type: 'recordAsked', by: 'destination', at: 6_850 },
  { type: 'eraseAsked', by: 'destination', at: 7_200 },
  { type: 'eraseSaid' },
  { type: 'markAsked', mark: 'exemplary', by: 'caller', at: 7_300 },
];

const neverOfFollowed: readonly CallEvent[] = [
  ...bridgesOfFollowed.map((bridge): CallEvent => ({
    type: 'joined',
    bridge,
    others: [stranger],
    at: 5_500,
    never: true,
  })),
  { type: 'thirdPartyJoined', channel: 'never-recorded' as ChannelId, never: true },
];

/** Every event that can be told of a call, fitting or not. */
export function everyEvent({ order }: CallFacts, alphabet: Alphabet): CallEvent[] {
  const { starts, finishes, holds, others, farEnds = 'nobody', never, room, pauses, codes } = alphabet;
  const pressed = order.script.consent.mode === 'announce' && order.menu === undefined ? [keys.refuse] : digits;

  return [
    { type: 'planned', order },
    { type: 'ready' },
    { type: 'notReady', reason: 'prompts_missing' },
    { type: 'callerAnswered' },
    ...playbackIds(order).flatMap((playbackId): CallEvent[] => [
      ...starts.map((at): CallEvent => ({ type: 'playbackStarted', playbackId, at })),
      ...finishes.map((at): CallEvent => ({ type: 'playbackFinished', playbackId, at, outcome: 'done' })),
      { type: 'playbackFinished', playbackId, at: Math.max(...finishes), outcome: 'failed' },
    ]),
    { type: 'noticeConfirmed' },
    { type: 'noticeDenied', why: 'notice_not_received' },
    ...pressed.map((digit): CallEvent => ({ type: 'digit', digit, at: 3_000 })),
    // The destination answers at 0: this is just too late to be meant for before the answer.
    { type: 'digit', digit: keys.refuse, at: 3_001 },
    { type: 'callerHeld', at: 4_000 },
    ...(holds === 'both' ? holdsOfBoth : []),
    ...(holds === 'caller' ? [{ type: 'callerResumed', at: 4_100 } as const] : []),
    { type: 'destinationRinging' },
    { type: 'destinationAnswered', at: 0 },
    { type: 'destinationAnswered', at: undefined },
    { type: 'destinationLeft', at: 5_000, cause: 17 },
    { type: 'destinationLeft', at: undefined, cause: undefined },
    ...(others === 'stay' ? [{ type: 'thirdPartyJoined', channel: anotherCaller } as const] : []),
    ...(others === 'leave' ? comingAndGoing : []),
    ...(others === 'nobody' ? [] : transfers),
    ...(farEnds === 'nobody' || farEnds === 'destination' ? [] : [lateBehindCaller]),
    ...(farEnds === 'caller' || farEnds === 'both' ? behindCaller : []),
    ...(farEnds === 'destination' || farEnds === 'both' ? behindDestination : []),
    ...(farEnds === 'destination' && order.request.way === 'follow' ? withoutLocal : []),
    ...(room === true ? [{ type: 'roomSpent' } as const] : []),
    ...(order.request.way === 'follow' ? ofFollowed : ofBridged),
    ...(order.newcomers === 'tell' ? ofNewcomers : []),
    ...(never === true ? [neverBehindDestination] : []),
    ...(pauses === true ? ofPauses : []),
    ...(codes === true ? ofCodes : []),
    // Whoever asks for a pause would start more recorders of a followed call.
    ...(codes === true && pauses !== true ? ofPauses.filter(({ type }) => type !== 'pauseAsked') : []),
    ...(never === true && order.request.way === 'follow' ? neverOfFollowed : []),
    { type: 'partyUnheard' },
    { type: 'callerLeft', at: 8_000 },
    { type: 'callerLeft', at: undefined },
    { type: 'callerSentOn', at: 8_000 },
    { type: 'interrupted' },
    { type: 'eventsMissed' },
    { type: 'bridgeGone', alone: ['caller', 'destination'] },
    ...fallibleSteps.map((step): CallEvent => ({ type: 'stepFailed', step })),
    ...timers.map((timer): CallEvent => ({ type: 'timeUp', timer })),
  ];
}

/** What the enumeration lets happen to a call. */
import type { CallEvent, FallibleStep, Timer } from '../../../src/call/events.ts';
import type { Order, Script } from '../../../src/call/state.ts';
import type { ChannelId, PlaybackId } from '../../../src/core/ids.ts';
import { keys } from '../calls.ts';
import type { CallFacts } from './oracle.ts';

const fallibleSteps: readonly FallibleStep[] = ['save', 'plan', 'answer', 'prepare', 'play', 'dial', 'startRecorder'];
const timers: readonly Timer[] = ['answer', 'playback', 'choice', 'consent', 'dial', 'recorderFinish'];

export type Times = { starts: readonly number[]; finishes: readonly number[] };

/** Sentences are 1000 ms long: 949 is too short, 950 just long enough. Only differences count, so times may repeat. */
export const exactTimes: Times = { starts: [0, 100], finishes: [949, 950, 1_050] };
/** Where keys are pressed and not times compared. */
export const plainTimes: Times = { starts: [0], finishes: [949, 950] };

/** A question's keys, the key before them in the feature code, and one that means nothing. */
export const digits = [keys.accept, keys.refuse, '*', '5'];

function playbackIds({ menu, script }: Order): PlaybackId[] {
  const said = ({ sentences, consent }: Script): PlaybackId[] =>
    [...sentences, ...(consent.mode === 'announce' ? [] : consent.refusal.acknowledgement)].map(
      (each) => each.playbackId,
    );

  return [
    ...(menu?.prompts ?? []).map((each) => each.playbackId),
    ...[script, ...(menu?.options ?? []).map((option) => option.script)].flatMap(said),
    'preavis-another' as PlaybackId,
  ];
}

/** Every event that can be told of a call, fitting or not. */
export function everyEvent({ order }: CallFacts, { starts, finishes }: Times): CallEvent[] {
  const pressed = order.script.consent.mode === 'announce' && order.menu === undefined ? [keys.refuse] : digits;

  return [
    { type: 'planned', order },
    { type: 'ready' },
    { type: 'notReady', reason: 'prompts_missing' },
    { type: 'callerAnswered' },
    ...playbackIds(order).flatMap((playbackId): CallEvent[] => [
      ...starts.map((at): CallEvent => ({ type: 'playbackStarted', playbackId, at })),
      ...finishes.map((at): CallEvent => ({ type: 'playbackFinished', playbackId, at, outcome: 'done' })),
      { type: 'playbackFinished', playbackId, at: 1_050, outcome: 'failed' },
    ]),
    // The destination answers at 0.
    ...pressed.flatMap((digit): CallEvent[] => [
      { type: 'digit', digit, at: 3_000 },
      { type: 'digit', digit, at: 3_001 },
    ]),
    { type: 'callerHeld' },
    { type: 'destinationRinging' },
    { type: 'destinationAnswered', at: 0 },
    { type: 'destinationAnswered', at: undefined },
    { type: 'destinationLeft', at: 5_000, cause: 17 },
    { type: 'destinationLeft', at: undefined, cause: undefined },
    { type: 'strangerJoined' },
    { type: 'partyReplaced', party: 'caller', channel: 'another-caller' as ChannelId },
    { type: 'partyReplaced', party: 'destination', channel: 'another-destination' as ChannelId },
    { type: 'recorderStarted', at: 6_000 },
    { type: 'recorderStarted', at: undefined },
    { type: 'recorderFinished', at: 7_000 },
    { type: 'recorderFailed' },
    { type: 'callerLeft', at: 8_000 },
    { type: 'callerLeft', at: undefined },
    { type: 'interrupted' },
    { type: 'keysMissed' },
    { type: 'bridgeGone' },
    ...fallibleSteps.map((step): CallEvent => ({ type: 'stepFailed', step })),
    ...timers.map((timer): CallEvent => ({ type: 'timeUp', timer })),
  ];
}

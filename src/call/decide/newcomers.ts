import type { ChannelId } from '../../core/ids.ts';
import type { CallEvent } from './events.ts';
import { stay } from './handlers.ts';
import { isBridged, nextPart, recorderOf, type Order } from './order.ts';
import { orderOf } from './parties.ts';
import { askedFor, isActive, requestedAfter, withoutAwaited } from './recorder.ts';
import type { CallState, Effect, Facts, In, Step } from './state.ts';

/**
 * Whoever comes into a talk was not told (P1). What becomes of the recording is for the line to say (`Order.newcomers`): it ends, or it goes
 * on with staff, or it pauses until the newcomer was told.
 */

type Talking = In<'talking'>;
export type Going = { state: Talking; effects: Effect[] };

export const andSave = ({ state, effects }: Going): Going => ({ state, effects: [...effects, { type: 'save' }] });

/** Before a recorder is begun that a later process would not look for, since the state of before says that it waits. */
export const savedFirst = ({ state, effects }: Going): Step => ({ state, effects: [{ type: 'save' }, ...effects] });

export const isAware = ({ aware = [] }: Facts, channel: ChannelId): boolean => aware.includes(channel);

export const withAware = (facts: Facts, channels: readonly ChannelId[]): Facts => ({
  ...facts,
  aware: [...new Set([...(facts.aware ?? []), ...channels])],
});

/** The call in which the staff of this event know that calls are recorded. */
export function withStaff(state: CallState, event: CallEvent): CallState {
  const staff = ('staff' in event ? event.staff : undefined) ?? [];

  return staff.every((each) => isAware(state.facts, each)) ? state : { ...state, facts: withAware(state.facts, staff) };
}

export const stopOf = ({ recorder, facts }: Pick<Talking, 'recorder' | 'facts'>): Effect[] =>
  isActive(recorder) ? [{ type: 'stopRecorder', ...recorderOf(orderOf(facts)) }] : [];

/** The same without a pause. */
export function unpaused<State extends Talking | In<'following'>>(state: State): State {
  if (state.paused === undefined) return state;
  const now = { ...state };
  delete now.paused;

  return now;
}

/** Somebody is there who is not going to be told: what was recorded until now stays, and they talk on unrecorded. */
export function stopForGood(state: Talking): Going {
  return { state: { ...unpaused(state), ...notAwaited(state), untold: true, telling: [] }, effects: stopOf(state) };
}

/** The talk without a recorder that was to be asked for, and without the part that was to be its own. */
export function notAwaited({
  facts,
  recorder,
  paused,
}: Pick<Talking, 'facts' | 'recorder' | 'paused'>): Pick<Talking, 'facts' | 'recorder'> {
  if (recorder.kind !== 'awaited') return { facts, recorder };
  const order = orderOf(facts);
  const now = withoutAwaited(recorder, paused);
  if (isBridged(order)) return { facts, recorder: now };

  return { facts: { ...facts, order: { ...order, part: (order.part ?? 1) - 1 } }, recorder: now };
}

/**
 * Nobody is told of a recording that will never be. One that failed for us may run all the same, and of a followed call a later talk may be
 * recorded.
 */
const isToBeTold = (state: Talking): boolean => orderOf(state.facts).newcomers === 'tell' && mayRecord(state);

/** Whether it is recorded, was until now, or is going to be. */
export const mayRecord = ({ untold, answer, recorder }: Talking): boolean =>
  !untold && answer.kind !== 'refused' && !['none', 'withheld', 'discarded'].includes(recorder.kind);

/**
 * Nothing is recorded while somebody is there who was not told. In a bridge of ours the recorder pauses; a followed caller gets a fresh one
 * afterwards (`Snoops`). `at` is Asterisk's time of the coming, ms.
 */
export function interrupt(state: Talking, at: number | undefined): Going {
  const { facts, recorder } = state;
  const order = orderOf(facts);
  if (isBridged(order)) {
    const runs = recorder.kind === 'running' && !isSilent(state);
    return { state, effects: runs ? [pause(order, true, at)] : [] };
  }
  if (!isActive(recorder)) return { state, effects: [] };
  const awaited: Talking['recorder'] = { ...requestedAfter(recorder, at), kind: 'awaited' };

  return {
    state: { ...state, facts: { ...facts, order: nextPart(order) }, recorder: awaited },
    effects: stopOf(state),
  };
}

/** Whether nothing is recorded for now: somebody is on hold, or is being told, or it is paused. */
export const isSilent = ({ holding, telling, paused }: Talking): boolean =>
  holding.length + telling.length > 0 || paused !== undefined;

/** Pauses the recorder, or lets it go on, since this time of Asterisk's, ms; who waits hears what they heard. */
export const pause = (order: Order, paused: boolean, at: number | undefined): Effect => ({
  type: 'hold',
  waiting: [],
  back: [],
  recorder: { ...recorderOf(order), paused, at },
});

/** These came in, at this time of Asterisk's, ms. */
export function meetNewcomers(state: Talking, channels: readonly ChannelId[], at: number | undefined): Going {
  const { facts, telling } = state;
  if (state.untold) return { state, effects: stopOf(state) };
  const strangers = channels.filter((each) => !isAware(facts, each) && !telling.includes(each));
  if (strangers.length === 0) return { state, effects: [] };
  if (!isToBeTold(state)) return stopForGood(state);
  const { state: silent, effects } = interrupt(state, at);

  return {
    state: { ...silent, telling: [...telling, ...strangers] },
    effects: [
      ...effects,
      ...strangers.map((channel): Effect => ({ type: 'tellNewcomer', channel, order: orderOf(silent.facts) })),
    ],
  };
}

/** Everybody who is there knows, since this time of Asterisk's, ms. Without it, what is to be silent in the file would not be known. */
function goOn(state: Talking, at: number | undefined): Going {
  const { recorder, facts, holding, told, untold, paused } = state;
  if (untold) return { state, effects: [] };
  if (at === undefined) return stopForGood(state);
  if (paused !== undefined) return { state, effects: [] };
  const order = orderOf(facts);
  if (recorder.kind === 'awaited') {
    return {
      state: { ...state, recorder: askedFor({ ...recorder, kind: 'requested' }, at) },
      effects: [
        { type: 'startRecorder', order, told },
        // In a bridge of ours both are heard of all the time.
        ...(isBridged(order) ? [] : [{ type: 'watchHolds' as const, channel: order.destination }]),
      ],
    };
  }
  const resumes = recorder.kind === 'running' && holding.length === 0;

  return { state, effects: resumes ? [pause(order, false, at)] : [] };
}

/** A pause is over, since this time of Asterisk's, ms. Who is being told is waited for still. */
export const afterPause = (state: Talking, at: number): Going =>
  state.telling.length > 0 ? { state, effects: [] } : goOn(state, at);

/** The talk without this channel among those who are being told. */
export function withoutTelling(state: Talking, channel: ChannelId, at: number | undefined): Going {
  if (!state.telling.includes(channel)) return { state, effects: [] };
  const telling = state.telling.filter((each) => each !== channel);
  const now = { ...state, telling };

  return telling.length > 0 ? { state: now, effects: [] } : goOn(now, at);
}

/**
 * Others than before are heard by a followed caller. The recorder that is kept then may lose them (`Snoops`), so a fresh one goes on. A later
 * process looks for one part that nobody wrote down: before a second one it is saved.
 */
export function renewed(state: Talking, at: number | undefined): Going {
  const { facts, recorder, told } = state;
  const order = orderOf(facts);
  if (isBridged(order) || state.untold || !isActive(recorder)) return { state, effects: [] };
  const next = nextPart(order);

  return {
    state: { ...state, facts: { ...facts, order: next }, recorder: requestedAfter(recorder, at) },
    effects: [
      ...stopOf(state),
      ...(recorder.kind === 'requested' ? [{ type: 'save' as const }] : []),
      { type: 'startRecorder', order: next, told },
    ],
  };
}

/** A newcomer was told: they know from here on. It is saved before anything of them is recorded. */
export function newcomerTold(state: Talking, { channel, told }: Extract<CallEvent, { type: 'newcomerTold' }>): Step {
  if (!state.telling.includes(channel)) return stay(state);
  const aware = { ...state, facts: withAware(state.facts, [channel]) };

  return savedFirst(withoutTelling(aware, channel, told.finishedAt));
}

export function newcomerUntold(state: Talking, { channel }: { channel: ChannelId }): Step {
  if (!state.telling.includes(channel)) return stay(state);

  return andSave(stopForGood(state));
}

/** Whether they have heard it to its end nobody knows now. */
export function newcomersMissed(state: Talking): Going {
  return state.telling.length === 0 ? { state, effects: [] } : andSave(stopForGood(state));
}

import type { ChannelId } from '../../core/ids.ts';
import type { CallEvent } from './events.ts';
import { stay } from './handlers.ts';
import { isAware } from './newcomers.ts';
import type { CallState, Facts, Step } from './state.ts';

/**
 * A party that is a Local/ channel is nobody: who talks is behind its other half, in a bridge of the dialplan, perhaps behind further
 * Local/ channels. The first who come there are the party. Whoever comes after them was not told (P1), by whatever way: a transfer, a
 * pickup, a queue that gives the call to the next.
 */

type Seen = Extract<CallEvent, { type: 'farEndSeen' }>;
type Left = Extract<CallEvent, { type: 'farEndLeft' }>;

/** Who of those behind this party was not there before. */
export function newcomers({ farEnds }: Facts, { party, channels }: Seen): readonly ChannelId[] {
  const known = farEnds?.[party] ?? [];

  return channels.filter((channel) => !known.includes(channel));
}

/**
 * Whether the destination is whom the caller has called, so that the first who come behind it are the party. Whoever came later, and is a
 * Local/ channel, has nobody behind it who was told. A followed caller has met whom they called first, and nobody else.
 */
function isWhomTheyCalled(state: CallState): boolean {
  const { order, met } = state.facts;
  if (order === undefined) return true;
  const { destination } = order;
  if (isAware(state.facts, destination) || (state.kind === 'talking' && state.telling.includes(destination)))
    return false;

  return met === undefined || (met.length === 1 && met[0] === destination);
}

/**
 * What it means that these are there. `first`: they are the destination, or know of the recording. Behind a caller whom nobody was seen
 * behind during the notice there was nobody to hear it. Who is never recorded is no party of a talk that is.
 */
export function judgeFarEnd(state: CallState, seen: Seen): 'known' | 'first' | 'stranger' {
  const { facts } = state;
  const came = newcomers(facts, seen);
  if (came.length === 0) return 'known';
  if (seen.party === 'caller' || seen.never === true) return 'stranger';
  if (came.every((each) => isAware(facts, each))) return 'first';
  const nobodyYet = (facts.farEnds?.destination ?? []).length === 0;

  return nobodyYet && seen.unwatched !== true && isWhomTheyCalled(state) ? 'first' : 'stranger';
}

/** These are the party, whoever was there before. */
export function withFarEnd(facts: Facts, { party, channels }: Pick<Seen, 'party' | 'channels'>): Facts {
  return { ...facts, farEnds: { ...facts.farEnds, [party]: channels } };
}

/** The facts of a call in which these are behind a party as well, or instead: it is one of theirs only where nobody was there before. */
function withNewcomers(facts: Facts, seen: Seen): Facts {
  const known = facts.farEnds?.[seen.party] ?? [];

  return withFarEnd(facts, { ...seen, channels: [...known, ...newcomers(facts, seen)] });
}

/** The first who are behind whom a followed caller has called are whom they have met, wherever they come again. */
function withMet(facts: Facts, { channels }: Seen): Facts {
  return facts.met === undefined ? facts : { ...facts, met: [...new Set([...facts.met, ...channels])] };
}

/** Whoever is behind the caller's channel now was not told: their keys are not for them to press. */
export function withoutTold(facts: Facts, party: Seen['party']): Facts {
  return party === 'caller' ? { ...facts, toldChannel: facts.toldChannel ?? facts.callerChannel } : facts;
}

/** How late in a sentence somebody may come to have heard it, of 100 parts: at least 95 are to be heard (P2). */
const missedParts = 5;

/** Whether who came then has heard this sentence, which began at `startedAt`; both are Asterisk's times, ms. */
export function heardFrom(at: number | undefined, startedAt: number | undefined, lengthMs: number): boolean {
  if (startedAt === undefined) return true;

  return at !== undefined && (at - startedAt) * 100 <= lengthMs * missedParts;
}

type Handler<State, Event = Seen> = (state: State, event: Event) => Step;

/** Before the notice: whoever is there when it begins hears it. */
export const seenBeforeTheNotice = (state: CallState, seen: Seen): Step =>
  seen.party === 'caller' ? stay({ ...state, facts: withFarEnd(state.facts, seen) }) : stay(state);

/** From the notice to the dialling. Until then nobody is the destination. */
export const seenAfterwards =
  <State extends CallState>(onStranger: (state: State) => Step): Handler<State> =>
  (state, seen) => {
    const isStranger = seen.party === 'caller' && judgeFarEnd(state, seen) === 'stranger';

    return isStranger ? onStranger(state) : stay(state);
  };

/** Who left before the end of the notice was not told: back again, they are a stranger. `onNobody`: it plays to nobody. */
export const leftDuringTheNotice =
  <State extends CallState>(onNobody: (state: State) => Step, onFewer: (state: State) => Step): Handler<State, Left> =>
  (state, { channels }) => {
    const known = state.facts.farEnds?.caller ?? [];
    const left = known.filter((each) => !channels.includes(each));
    if (left.length === known.length) return stay(state);
    const next = { ...state, facts: withFarEnd(state.facts, { party: 'caller', channels: left }) };

    return left.length === 0 ? onNobody(next) : onFewer(next);
  };

type Together = Extract<CallState, { kind: 'dialling' | 'talking' }>;

/** In the bridge. Kept, so that a later process knows who was there first. `onStranger` makes the talk an unrecorded one. */
export const seenTogether =
  <State extends Together>(onStranger: (state: State, seen: Seen) => Step): Handler<State> =>
  (state, seen) => {
    const { facts } = state;
    switch (judgeFarEnd(state, seen)) {
      case 'known':
        if (facts.farEnds?.[seen.party] !== undefined) return stay(state);
        return { state: { ...state, facts: withFarEnd(facts, seen) }, effects: [{ type: 'save' }] };
      case 'first':
        return { state: { ...state, facts: withMet(withNewcomers(facts, seen), seen) }, effects: [{ type: 'save' }] };
      case 'stranger':
        return onStranger({ ...state, facts: withoutTold(withNewcomers(facts, seen), seen.party) }, seen);
    }
  };

import type { ChannelId } from '../../core/ids.ts';
import { orderOf, waitsFor } from './parties.ts';
import type { CallEvent } from './events.ts';
import type { Effect, Facts, HoldEffect, In } from './state.ts';
import { isBridged, parties, recorderOf, type Party } from './order.ts';

/** Holds: while one has put the other on hold, who waits hears music, and nothing is recorded. */

export type MusicHoldEvent = Extract<
  CallEvent,
  { type: 'callerHeld' | 'callerResumed' | 'destinationHeld' | 'destinationResumed' | 'holdsFound' }
>;

/** Who holds after this event. */
function holdingAfter(event: MusicHoldEvent, holding: readonly Party[]): readonly Party[] {
  const now = (party: Party, holds: boolean): readonly Party[] =>
    parties.filter((each) => (each === party ? holds : holding.includes(each)));
  switch (event.type) {
    case 'callerHeld':
      return now('caller', true);
    case 'callerResumed':
      return now('caller', false);
    case 'destinationHeld':
      return now('destination', true);
    case 'destinationResumed':
      return now('destination', false);
    case 'holdsFound':
      return event.holding;
  }
}

const isSame = (one: readonly Party[], other: readonly Party[]): boolean => one.join() === other.join();

/** Handlers of a state that only remembers who holds. */
export function remembersHolds<State extends { holding: readonly Party[] }>() {
  const remember = (state: State, event: MusicHoldEvent): { state: State; effects: [] } => {
    const holding = holdingAfter(event, state.holding);

    return { state: isSame(holding, state.holding) ? state : { ...state, holding }, effects: [] };
  };

  return {
    callerHeld: remember,
    callerResumed: remember,
    destinationHeld: remember,
    destinationResumed: remember,
    holdsFound: remember,
  } as const;
}

/**
 * Music for those whom `holding` keep waiting, and its end for those whom `back` did; the recorder stays as it is. In the bridges of
 * others Asterisk plays it by itself.
 */
export function music(facts: Facts, holding: readonly Party[], back: readonly Party[] = []): Effect[] {
  if (!isBridged(orderOf(facts)) || holding.length + back.length === 0) return [];
  const waits = (party: Party): ChannelId => waitsFor(party, facts);

  return [{ type: 'hold', waiting: holding.map(waits), back: back.map(waits), recorder: undefined }];
}

/** What a hold in the talk asks for; undefined where it is no news. After missed events all of it is asked for again. */
export function musicHoldEffect(
  event: MusicHoldEvent,
  { facts, recorder, untold, holding: before, telling, paused: asked }: In<'talking'>,
): { effect: HoldEffect; holding: readonly Party[]; changes: boolean } | undefined {
  const holding = holdingAfter(event, before);
  const changes = !isSame(holding, before);
  const isFound = event.type === 'holdsFound';
  if (!changes && !isFound) return undefined;
  const concerned = isFound ? parties : parties.filter((party) => holding.includes(party) !== before.includes(party));
  const channels = (holds: boolean): ChannelId[] =>
    isBridged(orderOf(facts))
      ? concerned.filter((party) => holding.includes(party) === holds).map((party) => waitsFor(party, facts))
      : [];
  // So it is while a newcomer is being told, and while somebody wants nothing to be recorded.
  const isSilent = telling.length > 0 || asked !== undefined;
  const paused = holding.length > 0 || isSilent;
  const isNews = paused !== (before.length > 0 || isSilent);
  // One that is being stopped is not to go on.
  const obeys = (isNews || isFound) && recorder.kind === 'running' && !untold;

  return {
    effect: {
      type: 'hold',
      waiting: channels(true),
      back: channels(false),
      recorder: obeys ? { ...recorderOf(orderOf(facts)), paused, at: isFound ? undefined : event.at } : undefined,
    },
    holding,
    changes,
  };
}

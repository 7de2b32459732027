import type { AriEvent } from '../../ari/events.ts';
import type { BridgeId, ChannelId } from '../../core/ids.ts';
import { isBridged } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';
import type { BridgeMap } from './bridgeMap.ts';
import type { FollowedCall } from './farEndWatch.ts';

export type FollowPorts = {
  /** Who is in which bridge, this event included. */
  map: Pick<BridgeMap, 'membersOf' | 'isHolding' | 'farEndOf'>;
  /** Whether this one has a number that is never recorded. */
  isNeverRecorded: (channel: ChannelId) => boolean;
  /** The call that this channel belongs to. */
  sessionOf: (channel: ChannelId) => FollowedCall | undefined;
  /** A followed caller has met others: who is behind them may be known already. */
  met: (session: FollowedCall) => void;
  /** These are in a talk of the call: what is heard of their channels is heard by it. */
  areIn: (session: FollowedCall, channels: readonly ChannelId[]) => void;
};

/** A call that the dialplan has, and that we follow. */
const isFollowed = ({ kind, facts: { order } }: CallState): boolean =>
  (kind === 'following' || kind === 'talking') && order !== undefined && !isBridged(order);

/** Whether somebody who was not told is in the talk that has begun. A recorder of the talk before may not have stopped in time for them. */
function hasStrangers(before: CallState, after: CallState): boolean {
  // Nothing was recorded that could have them.
  if (after.kind !== 'talking' || after.recorder.kind === 'withheld') return false;
  const wasUntold = 'untold' in before && before.untold;

  return after.telling.length > 0 || (after.untold && !wasUntold);
}

/** Tells followed calls who comes into a bridge with their caller, whoever made that bridge. */
export class FollowWatch {
  readonly #ports: FollowPorts;

  constructor(ports: FollowPorts) {
    this.#ports = ports;
  }

  /** To be told of every event of bridges, after the map. */
  handle(event: AriEvent): void {
    if (event.type === 'bridgeEntered') this.#entered(event.bridgeId, event.channelId, event.at);
    else if (event.type === 'bridgeLeft') this.#left(event.bridgeId, event.channelId, event.at);
  }

  /** For the call, whether one of these has a number that is never recorded, or is a Local/ channel with such a one behind it. */
  #never(channels: readonly ChannelId[]): { never?: true } {
    const { isNeverRecorded, map } = this.#ports;
    const isNever = channels.some(
      (each) => isNeverRecorded(each) || map.farEndOf(each)?.channels.some(isNeverRecorded) === true,
    );

    return isNever ? { never: true } : {};
  }

  /** Followed calls whose caller is in this bridge. */
  #callersIn(bridge: BridgeId): { session: FollowedCall; caller: ChannelId }[] {
    return [...this.#ports.map.membersOf(bridge)].flatMap((caller) => {
      const session = this.#callOf(caller);

      return session === undefined ? [] : [{ session, caller }];
    });
  }

  #callOf(caller: ChannelId): FollowedCall | undefined {
    const session = this.#ports.sessionOf(caller);
    const isTheirs = session?.state.facts.callerChannel === caller && isFollowed(session.state);

    return isTheirs && !session.isAbandoned ? session : undefined;
  }

  #entered(bridge: BridgeId, channel: ChannelId, at: number): void {
    // There everybody waits, and nobody hears another.
    if (this.#ports.map.isHolding(bridge)) return;
    for (const { session, caller } of this.#callersIn(bridge)) {
      const { state } = session;
      const isHere = state.kind === 'talking' && state.facts.order?.bridge === bridge;
      if (isHere && channel !== caller) {
        const never = this.#never([channel]);
        this.#ports.areIn(session, [channel]);
        session.handle({ type: 'thirdPartyJoined', channel, at, ...never });
        session.note({ kind: 'change', change: 'joined', at, who: [channel] });
        if (never.never === true) session.note({ kind: 'change', change: 'neverRecorded', at });
        continue;
      }
      const others = [...this.#ports.map.membersOf(bridge)].filter((each) => each !== caller);
      if (isHere || others.length === 0) continue;
      if (state.kind === 'talking') session.handle({ type: 'parted', at });
      const never = this.#never(others);
      this.#ports.areIn(session, others);
      session.handle({ type: 'joined', bridge, others, at, ...never });
      if (hasStrangers(state, session.state)) {
        session.note({ kind: 'change', change: 'transferred', at, party: 'destination', who: others });
      }
      if (never.never === true) session.note({ kind: 'change', change: 'neverRecorded', at });
      this.#ports.met(session);
    }
  }

  #left(bridge: BridgeId, channel: ChannelId, at: number): void {
    const leaving = this.#callOf(channel);
    if (leaving?.state.kind === 'talking' && leaving.state.facts.order?.bridge === bridge) {
      leaving.handle({ type: 'parted', at });
    }
    for (const { session } of this.#callersIn(bridge)) {
      const { kind, facts } = session.state;
      if (kind !== 'talking' || facts.order?.bridge !== bridge) continue;
      session.handle(
        facts.order.destination === channel
          ? { type: 'destinationLeft', at, cause: undefined }
          : { type: 'thirdPartyLeft', channel, at },
      );
    }
  }
}

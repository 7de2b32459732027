import type { AriEvent } from '../../ari/events.ts';
import type { Owned } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';
import { swapMs, type BridgeMap } from './bridgeMap.ts';
import { judgeFarEnd, newcomers } from '../decide/farEnd.ts';
import { partyOf } from '../decide/parties.ts';
import type { TimelineEntry } from './timeline.ts';
import type { CallEvent } from '../decide/events.ts';
import type { CallState } from '../decide/state.ts';
import type { Party } from '../decide/order.ts';

/** A call, as far as it is told of. */
export type FollowedCall = {
  readonly state: CallState;
  /** Whether the call is left to another process. */
  readonly isAbandoned: boolean;
  handle(event: CallEvent): void;
  note(entry: TimelineEntry): void;
};

/** Tells calls whose party is a Local/ channel who talks behind it. */
export type FarEndPorts = {
  /** Filled here by every event. */
  map: BridgeMap;
  /** Whether this one has a number that is never recorded. */
  isNeverRecorded: (channel: ChannelId) => boolean;
  /** The call that this channel belongs to. */
  sessionOf: (channel: ChannelId) => FollowedCall | undefined;
  /** Whether the events of bridges come that others have made. */
  watchesBridges: () => boolean;
};

/** Who is away from the caller's Local/ channel for no longer only moves between bridges, and hears the notice, ms. */
const movingMs = 100;

/** It was not yet heard, or not yet known to be. */
const isBeforeItsEnd = ({ kind }: CallState): boolean =>
  ['planning', 'checking', 'answering', 'choosing', 'announcing', 'confirming'].includes(kind);

export class FarEndWatch {
  readonly #ports: FarEndPorts;
  readonly #map: BridgeMap;
  /** Looks whether who left a caller is back; to be done now where events are about to be missed. */
  readonly #leaving = new Set<() => void>();
  /** How often events were missed. */
  #losses = 0;

  constructor(ports: FarEndPorts) {
    this.#ports = ports;
    this.#map = ports.map;
  }

  /** To be told of every event, after the call that it belongs to. */
  handle(event: AriEvent): void {
    switch (event.type) {
      case 'channelArrived':
        this.#map.handle(event);
        this.#look(event.channelId, event.at);
        return;
      case 'bridgeEntered':
        this.#map.handle(event);
        for (const near of [event.channelId, ...this.#map.before(event.bridgeId)]) this.#look(near, event.at);
        return;
      case 'bridgeLeft':
      case 'bridgeGone': {
        const before = this.#map.before(event.bridgeId);
        this.#map.handle(event);
        for (const near of before) {
          if (this.#partyOf(near) === undefined) continue;
          this.#lookForLeft(near);
          this.#lookLater(near);
        }
        return;
      }
      case 'channelLeft':
      case 'channelGone':
        this.#map.forget(event.channelId);
        return;
      case 'blindTransfer':
      case 'channelHangingUp':
      case 'channelUp':
      case 'channelRinging':
      case 'channelForwarded':
      case 'channelDialled':
      case 'channelHeld':
      case 'channelResumed':
      case 'digit':
      case 'talk':
      case 'playbackStarted':
      case 'playbackFinished':
      case 'recorderStarted':
      case 'recorderFinished':
      case 'recorderFailed':
      case 'userEvent':
      case 'channelOffered':
      case 'applicationReplaced':
        return;
    }
  }

  forget(channels: readonly ChannelId[]): void {
    for (const each of channels) this.#map.forget(each);
  }

  /** Events are missed from now on. */
  connectionLost(): void {
    this.#losses += 1;
    for (const look of this.#leaving) look();
    this.#map.clear();
  }

  /** What Asterisk has listed after its events began to come again. */
  fill(owned: Owned): void {
    this.#map.fill(owned);
  }

  /** Tells a call who is behind its parties now, after events were missed. `mayRecord`: its recorder may have run meanwhile. */
  compare(session: FollowedCall, mayRecord: boolean): void {
    const { callerChannel, order } = session.state.facts;
    for (const near of [callerChannel, order?.destination]) {
      if (near === undefined) continue;
      this.#look(near, undefined, mayRecord);
      this.#lookForNobody(near);
    }
  }

  #partyOf(near: ChannelId): { session: FollowedCall; party: Party } | undefined {
    if (!this.#map.isLocal(near)) return undefined;
    const session = this.#ports.sessionOf(near);
    const party = session === undefined || session.isAbandoned ? undefined : partyOf(near, session.state.facts);

    return session === undefined || party === undefined ? undefined : { session, party };
  }

  /** `at` is Asterisk's time of what has changed, ms. */
  #look(near: ChannelId, at: number | undefined, unwatched = false): void {
    const found = this.#partyOf(near);
    if (found === undefined) return;
    const { session, party } = found;
    if (!this.#ports.watchesBridges()) {
      session.handle({ type: 'farEndLost', party });
      return;
    }
    const { kind, facts } = session.state;
    const channels = this.#behind(near);
    if (channels.length === 0 && facts.farEnds?.[party] !== undefined) return;
    const never = channels.some(this.#ports.isNeverRecorded);
    const seen = {
      type: 'farEndSeen',
      party,
      channels,
      at,
      ...(unwatched ? { unwatched } : {}),
      ...(never ? { never } : {}),
    } as const;
    const known = facts.farEnds?.[party] ?? [];
    const isFirst = judgeFarEnd(session.state, seen) === 'first';
    const came = newcomers(facts, seen);
    session.handle(seen);
    const isTogether = kind === 'dialling' || kind === 'talking';
    if (!isTogether || came.length === 0 || isFirst) return;
    const change = channels.some((each) => known.includes(each)) ? 'joined' : 'transferred';
    session.note({ kind: 'change', change, at, party, who: came });
  }

  #behind(near: ChannelId): readonly ChannelId[] {
    return this.#map.farEndOf(near)?.channels ?? [];
  }

  /** Whether anybody leaves a caller before the notice is known to be heard: they are no party, and a stranger when they are back. */
  #lookForLeft(near: ChannelId): void {
    const { session, party } = this.#partyOf(near) ?? {};
    if (session === undefined || party !== 'caller' || !isBeforeItsEnd(session.state)) return;
    const gone = (channels: readonly ChannelId[]): ChannelId[] => {
      const there = this.#behind(near);
      return channels.filter((channel) => !there.includes(channel));
    };
    const left = gone(session.state.facts.farEnds?.caller ?? []);
    if (left.length === 0) return;
    const look = (): void => {
      clearTimeout(timer);
      this.#leaving.delete(look);
      const channels = gone(left);
      if (channels.length > 0 && !session.isAbandoned) session.handle({ type: 'farEndLeft', channels });
    };
    const timer = setTimeout(look, movingMs).unref();
    this.#leaving.add(look);
  }

  /** Where Asterisk puts one into the place of another, nobody is there for a moment. */
  #lookLater(near: ChannelId): void {
    const losses = this.#losses;
    setTimeout(() => {
      if (this.#losses === losses) this.#lookForNobody(near);
    }, swapMs).unref();
  }

  /** Those who were there have gone, and the call goes on elsewhere: in the dialplan, to whomever that leads. */
  #lookForNobody(near: ChannelId): void {
    const found = this.#partyOf(near);
    const farEnd = this.#map.farEndOf(near);
    if (found === undefined || farEnd === undefined || farEnd.channels.length > 0 || farEnd.isWaiting) return;
    const { session, party } = found;
    const known = session.state.facts.farEnds?.[party] ?? [];
    if (known.length > 0) session.handle({ type: 'farEndLost', party });
  }
}

import { otherHalf, type AriEvent, type LocalName } from '../../ari/events.ts';
import type { Owned } from '../../ari/port.ts';
import type { BridgeId, ChannelId } from '../../core/ids.ts';

/**
 * Who is in which bridge of Asterisk, by the events of all bridges, and so who talks behind a Local/ channel. Asterisk's own channels,
 * such as recorders, send no such events.
 */

/** In a transfer Asterisk takes one channel out of a bridge before it tells of the other: it is over within this time, ms. */
export const swapMs = 500;

/** Who is behind the other half of a Local/ channel. */
export type FarEnd = {
  /** Those that are no Local/ channels themselves, and are not in a holding bridge: there everybody waits, and nobody hears another. */
  channels: readonly ChannelId[];
  /** Whether the last half waits: in a bridge by itself, since its partner is asked about something elsewhere, or in a holding bridge. */
  isWaiting: boolean;
};

export class BridgeMap {
  readonly #members = new Map<BridgeId, Set<ChannelId>>();
  readonly #bridgeOf = new Map<ChannelId, BridgeId>();
  readonly #names = new Map<ChannelId, LocalName>();
  readonly #byName = new Map<LocalName, ChannelId>();
  readonly #holding = new Set<BridgeId>();
  /** Until what Asterisk lists is filled in: whose place is known by an event, and so better. */
  #seen: Set<ChannelId> | undefined = new Set();

  handle(event: AriEvent): void {
    if (event.type === 'channelArrived') this.#name(event.channelId, event.localName);
    else if (event.type === 'bridgeEntered') {
      this.#seen?.add(event.channelId);
      this.#enter(event.bridgeId, event.channelId, event.localName);
      if (event.isHolding === true) this.#holding.add(event.bridgeId);
    } else if (event.type === 'bridgeLeft') {
      this.#seen?.add(event.channelId);
      if (this.#bridgeOf.get(event.channelId) === event.bridgeId) this.#leave(event.channelId);
    } else if (event.type === 'bridgeGone') {
      for (const channel of this.#members.get(event.bridgeId) ?? []) {
        this.#seen?.add(channel);
        this.#leave(channel);
      }
    }
  }

  /** How much is remembered. */
  get size(): number {
    return this.#bridgeOf.size + this.#names.size + this.#holding.size + (this.#seen?.size ?? 0);
  }

  /** Its call has ended, or it is a party no more. */
  forget(channel: ChannelId): void {
    if (!this.#bridgeOf.has(channel)) this.#unname(channel);
  }

  /** Events are missed from now on. */
  clear(): void {
    for (const each of [this.#members, this.#bridgeOf, this.#names, this.#byName, this.#holding]) each.clear();
    this.#seen = new Set();
  }

  /** What Asterisk has listed after its events began to come again. Listed a second time, it is older than the events since. */
  fill({ bridges, localNames }: Owned): void {
    const seen = this.#seen;
    if (seen === undefined) return;
    for (const [channel, name] of localNames) if (!seen.has(channel)) this.#name(channel, name);
    for (const { id, isHolding, members } of bridges) {
      for (const channel of members) if (!seen.has(channel)) this.#enter(id, channel, localNames.get(channel));
      if (isHolding === true && this.#members.has(id)) this.#holding.add(id);
    }
    this.#seen = undefined;
  }

  /** Who is in this bridge, without Asterisk's own. */
  membersOf(bridge: BridgeId): ReadonlySet<ChannelId> {
    return this.#members.get(bridge) ?? new Set();
  }

  /** Whether everybody in it waits, and nobody hears another. */
  isHolding(bridge: BridgeId): boolean {
    return this.#holding.has(bridge);
  }

  isLocal(channel: ChannelId): boolean {
    return this.#names.has(channel);
  }

  /** undefined for a channel that is no Local/ channel. */
  farEndOf(channel: ChannelId): FarEnd | undefined {
    const near = this.#names.get(channel);
    if (near === undefined) return undefined;
    const channels = new Set<ChannelId>();
    let isWaiting = false;
    const halves = [otherHalf(near)];
    const walked = new Set<LocalName>([near]);
    // It grows while it is walked: behind one Local/ channel may be another.
    for (const name of halves) {
      if (walked.has(name)) continue;
      walked.add(name);
      const half = this.#byName.get(name);
      const bridge = half === undefined ? undefined : this.#bridgeOf.get(half);
      if (bridge === undefined) continue;
      const isHolding = this.#holding.has(bridge);
      const others = isHolding ? [] : [...(this.#members.get(bridge) ?? [])].filter((each) => each !== half);
      if (others.length === 0) isWaiting = true;
      for (const other of others) {
        const local = this.#names.get(other);
        if (local === undefined) channels.add(other);
        else if (!walked.has(local)) {
          walked.add(local);
          halves.push(otherHalf(local));
        }
      }
    }

    return { channels: [...channels], isWaiting };
  }

  /** The Local/ halves before whose far ends this bridge lies; others that lead to the same are among them. */
  before(bridge: BridgeId): ReadonlySet<ChannelId> {
    const found = new Set<ChannelId>();
    const walked = new Set<BridgeId>([bridge]);
    for (const each of walked) {
      for (const member of this.#members.get(each) ?? []) {
        const name = this.#names.get(member);
        const other = name === undefined ? undefined : this.#byName.get(otherHalf(name));
        if (other === undefined) continue;
        found.add(other);
        const next = this.#bridgeOf.get(other);
        if (next !== undefined) walked.add(next);
      }
    }

    return found;
  }

  /** This bridge and those that Local/ channels join to it: whoever is in them hears the others. Nobody does in a holding bridge. */
  joinedTo(bridge: BridgeId): ReadonlySet<BridgeId> {
    const joined = new Set<BridgeId>();
    const near = [bridge];
    // It grows while it is walked: behind one Local/ channel may be another.
    for (const each of near) {
      if (joined.has(each) || this.#holding.has(each)) continue;
      joined.add(each);
      for (const member of this.membersOf(each)) {
        const name = this.#names.get(member);
        const half = name === undefined ? undefined : this.#byName.get(otherHalf(name));
        const beyond = half === undefined ? undefined : this.#bridgeOf.get(half);
        if (beyond !== undefined) near.push(beyond);
      }
    }

    return joined;
  }

  #enter(bridge: BridgeId, channel: ChannelId, name: LocalName | undefined): void {
    this.#leave(channel);
    this.#name(channel, name);
    this.#bridgeOf.set(channel, bridge);
    const members = this.#members.get(bridge) ?? new Set();
    this.#members.set(bridge, members.add(channel));
  }

  #leave(channel: ChannelId): void {
    const bridge = this.#bridgeOf.get(channel);
    if (bridge === undefined) return;
    this.#bridgeOf.delete(channel);
    this.#unname(channel);
    const members = this.#members.get(bridge);
    members?.delete(channel);
    if (members?.size !== 0) return;
    this.#members.delete(bridge);
    this.#holding.delete(bridge);
  }

  #name(channel: ChannelId, name: LocalName | undefined): void {
    this.#unname(channel);
    if (name === undefined) return;
    this.#names.set(channel, name);
    this.#byName.set(name, channel);
  }

  #unname(channel: ChannelId): void {
    const name = this.#names.get(channel);
    if (name === undefined) return;
    this.#names.delete(channel);
    if (this.#byName.get(name) === channel) this.#byName.delete(name);
  }
}

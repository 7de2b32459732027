import { isBridged } from '../decide/order.ts';
import type { Facts } from '../decide/state.ts';
import { keysOf } from '../session/eventRouting.ts';
import { callKey } from '../session/orphans.ts';
import type { CallSession } from '../session/session.ts';

/** `isOwn`: the id is of this call alone; else it is a channel of somebody who is in a bridge with it. */
type Owner = { session: CallSession; isOwn: boolean };

/**
 * Whom a followed call has talked with is elsewhere once that talk is over. One who has a call of their own is in another's talk only.
 */
function isConcerned({ isOwn, session: { state } }: Owner, hasOwn: boolean): boolean {
  const { order } = state.facts;
  if (isOwn || order === undefined || isBridged(order)) return true;

  return hasOwn ? state.kind === 'talking' : state.kind !== 'following';
}

/** Which calls an id of Asterisk's belongs to: a channel, a playback, a bridge or the name of a recorder. */
export class Owners {
  readonly #owners = new Map<string, readonly Owner[]>();
  readonly #keys = new WeakMap<CallSession, Set<string>>();

  /** The call whose own it is, or else the first that heard of it. */
  of(key: string): CallSession | undefined {
    return this.#owners.get(callKey(key))?.[0]?.session;
  }

  /** All calls that what is heard of this id concerns: a channel may be in several at once. The one whose own it is comes first. */
  all(key: string): readonly CallSession[] {
    const owners = this.#owners.get(callKey(key)) ?? [];
    const hasOwn = owners.some(({ isOwn }) => isOwn);

    return owners.filter((each) => isConcerned(each, hasOwn)).map(({ session }) => session);
  }

  /** All ids of these facts are this call's own from now on, whosever they were. Whom a followed caller talks with may be another's caller. */
  assign(facts: Facts, session: CallSession): void {
    for (const key of keysOf(facts)) {
      const others = (this.#owners.get(key) ?? []).filter((each) => !each.isOwn && each.session !== session);
      this.#set(key, session, [{ session, isOwn: true }, ...others]);
    }
    if (facts.order !== undefined) this.add(facts.order.destination, session);
  }

  /** What is heard of this id is heard by this call as well. */
  add(key: string, session: CallSession): void {
    const owners = this.#owners.get(key) ?? [];
    if (!owners.some((each) => each.session === session))
      this.#set(key, session, [...owners, { session, isOwn: false }]);
  }

  /** It is this call's no more. */
  remove(key: string, session: CallSession): void {
    const left = (this.#owners.get(key) ?? []).filter((each) => each.session !== session);
    if (left.length === 0) this.#owners.delete(key);
    else this.#owners.set(key, left);
  }

  /** The call has ended. */
  release(session: CallSession): void {
    for (const key of this.#keys.get(session) ?? []) this.remove(key, session);
  }

  #set(key: string, session: CallSession, owners: readonly Owner[]): void {
    this.#owners.set(key, owners);
    const keys = this.#keys.get(session) ?? new Set();
    this.#keys.set(session, keys.add(key));
  }
}

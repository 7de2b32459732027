import type { Facts } from '../decide/state.ts';
import { keysOf } from '../session/eventRouting.ts';
import { callKey } from '../session/orphans.ts';
import type { CallSession } from '../session/session.ts';

/** Which call an id of Asterisk's belongs to: a channel, a playback, a bridge or the name of a recorder. */
export class Owners {
  readonly #owners = new Map<string, CallSession>();
  readonly #keys = new WeakMap<CallSession, string[]>();

  of(key: string): CallSession | undefined {
    return this.#owners.get(callKey(key));
  }

  /** All ids of these facts are this call's from now on, whosever they were. Whom a followed caller talks with may be another's caller. */
  assign(facts: Facts, session: CallSession): void {
    for (const key of keysOf(facts)) this.#set(key, session);
    if (facts.order !== undefined) this.add(facts.order.destination, session);
  }

  /** What is another call's stays so. */
  add(key: string, session: CallSession): void {
    if (!this.#owners.has(key)) this.#set(key, session);
  }

  remove(key: string): void {
    this.#owners.delete(key);
  }

  /** The call has ended. */
  release(session: CallSession): void {
    for (const key of this.#keys.get(session) ?? []) {
      if (this.#owners.get(key) === session) this.#owners.delete(key);
    }
  }

  #set(key: string, session: CallSession): void {
    this.#owners.set(key, session);
    this.#keys.set(session, [...(this.#keys.get(session) ?? []), key]);
  }
}

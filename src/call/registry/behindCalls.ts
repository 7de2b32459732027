import type { AriEvent } from '../../ari/events.ts';
import type { CallId, ChannelId } from '../../core/ids.ts';
import { partyOf } from '../decide/parties.ts';
import type { CallState } from '../decide/state.ts';
import { leaves } from '../session/eventRouting.ts';
import type { CallSession } from '../session/session.ts';
import type { Whereabouts } from '../session/whereabouts.ts';

/**
 * `leaving`: events since by which it would be over; it does not know who is there. `gone`: others who have left its bridge since, and when, ms:
 * a comparison that had asked before takes them for being there.
 */
type Behind = { session: CallSession; leaving: AriEvent[]; gone: Map<ChannelId, number> };

/** Hands calls their events, and knows which of them may have missed some. */
export class BehindCalls {
  readonly #behind = new Map<CallId, Behind>();
  readonly #whereabouts: Whereabouts;

  constructor(whereabouts: Whereabouts) {
    this.#whereabouts = whereabouts;
  }

  has(id: CallId): boolean {
    return this.#behind.has(id);
  }

  get sessions(): [CallId, CallSession][] {
    return [...this.#behind].map(([id, { session }]) => [id, session]);
  }

  /** It may have missed events from now on. */
  add(id: CallId, session: CallSession): void {
    const behind = this.#behind.get(id);
    if (behind === undefined) this.#behind.set(id, { session, leaving: [], gone: new Map() });
    // They may have come back since.
    else behind.gone.clear();
  }

  /** It has ended. */
  forget(id: CallId): void {
    this.#behind.delete(id);
  }

  /** It knows who is there, so it is given what ends it since. */
  upToDate(id: CallId): void {
    const behind = this.#behind.get(id);
    this.#behind.delete(id);
    if (behind === undefined) return;
    const { session, leaving, gone } = behind;
    for (const [channel, at] of gone) {
      if (othersIn(session.state).includes(channel)) session.handle({ type: 'thirdPartyLeft', channel, at });
    }
    for (const event of leaving) this.#give(session, event);
  }

  /** Gives a call that somebody has left its bridge. */
  left(session: CallSession, event: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>): void {
    this.#behind.get(session.state.facts.id)?.gone.set(event.channelId, event.at);
    session.take(event);
  }

  /** Gives a call its event. One that would end a call which is behind waits until that knows who is there. */
  dispatch(session: CallSession, event: AriEvent): void {
    const behind = this.#behind.get(session.state.facts.id);
    if (event.type === 'bridgeEntered') behind?.gone.delete(event.channelId);
    if (behind === undefined || !wouldEnd(event, session.state)) {
      this.#give(session, event);
      return;
    }
    behind.leaving.push(event);
    if (behind.leaving.length > 1) return;
    this.#whereabouts.leftBehind(session, () => {
      for (const each of behind.leaving.splice(0)) this.#give(session, each);
    });
  }

  #give(session: CallSession, event: AriEvent): void {
    if (event.type === 'bridgeGone') this.#whereabouts.lostBridge(session);
    else session.take(event);
  }
}

const othersIn = (state: CallState): readonly ChannelId[] =>
  state.kind === 'dialling' || state.kind === 'talking' ? state.others : [];

/** Whether a call that knows nobody else in its bridge would be over by this. */
function wouldEnd(event: AriEvent, { kind, facts }: CallState): boolean {
  if (kind !== 'dialling' && kind !== 'talking') return false;
  if (event.type === 'bridgeGone') return true;

  return leaves(event) && partyOf(event.channelId, facts) !== undefined;
}

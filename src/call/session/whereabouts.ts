import type { AriQueries } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { swapMs } from '../watch/bridgeMap.ts';
import { strandedParties } from './resync.ts';
import { partyOf } from '../decide/parties.ts';
import type { FollowedCall } from '../watch/farEndWatch.ts';
import type { Party } from '../decide/order.ts';

/** Asks Asterisk where the parties of a call are, where an event does not tell. */
export type WhereaboutsPorts = {
  ari: Pick<AriQueries, 'owned'>;
  log: Logger;
  /** How often the connection was lost: what was missed since is told by the comparison after the next one. */
  losses: () => number;
  /** Whether it may have others in its bridge whom it does not know yet. */
  isBehind: (session: FollowedCall) => boolean;
};

/** How often Asterisk is asked, after the first time. */
const mostLooks = 3;
/** How long the comparison of a call that somebody has left is waited for, ms. */
const comparedWithinMs = 2_000;

export class Whereabouts {
  readonly #ports: WhereaboutsPorts;
  /** When parties left whom nobody has seen since, Asterisk's time, ms. */
  readonly #away = new Map<ChannelId, number>();

  constructor(ports: WhereaboutsPorts) {
    this.#ports = ports;
  }

  /**
   * A party has left the bridge: hung up, transferred, or for a while, which Asterisk tells a little later.
   *
   * @param at Asterisk's time of the leaving, ms
   */
  leftBridge(session: FollowedCall, channel: ChannelId, at: number): void {
    this.#away.set(channel, at);
    this.#lookFor(session, channel, at);
  }

  /** A party is in the bridge again. */
  cameBack(channel: ChannelId): void {
    this.#away.delete(channel);
  }

  #lookFor(session: FollowedCall, channel: ChannelId, at: number, tries = 0): void {
    const isLost = this.#overFrom(session);
    const isOver = (): boolean => isLost() || this.#away.get(channel) !== at;
    const party = (): Party | undefined => {
      const { kind, facts } = session.state;

      return !isOver() && (kind === 'dialling' || kind === 'talking') ? partyOf(channel, facts) : undefined;
    };
    const forget = (): void => {
      if (this.#away.get(channel) === at) this.#away.delete(channel);
    };
    const look = async (): Promise<void> => {
      const isHere = party() === undefined || (await this.#ports.ari.owned()).listed.has(channel);
      const left = isHere ? undefined : party();
      forget();
      if (left === 'caller') session.handle({ type: 'callerLeft', at });
      if (left === 'destination') session.handle({ type: 'destinationLeft', at, cause: undefined });
    };
    const again = (): void => {
      this.#lookFor(session, channel, at, tries + 1);
    };
    setTimeout(() => {
      if (!isOver() && this.#ports.isBehind(session)) this.#lookFor(session, channel, at, tries);
      else this.#try(session, look, tries, again, forget);
    }, swapMs).unref();
  }

  /** The bridge of a talk was destroyed, by somebody else: the two may be in another one by now. */
  lostBridge(session: FollowedCall, tries = 0): void {
    if (session.state.kind !== 'talking') {
      session.handle({ type: 'bridgeGone', alone: [] });
      return;
    }
    const isOver = this.#overFrom(session);
    const look = async (): Promise<void> => {
      const scene = await this.#ports.ari.owned();
      if (!isOver()) session.handle({ type: 'bridgeGone', alone: strandedParties(session.state, scene) });
    };
    const again = (): void => {
      setTimeout(() => {
        if (!isOver()) this.lostBridge(session, tries + 1);
      }, swapMs).unref();
    };
    this.#try(session, look, tries, again, () => {
      if (!isOver()) session.handle({ type: 'bridgeGone', alone: [] });
    });
  }

  /**
   * Somebody has left a call that is behind. It is over by that, unless others are in its bridge, which its comparison would tell. Where
   * that does not come, Asterisk is asked for it alone: nobody is left in silence for it.
   *
   * @param goOn gives it what it was not told yet
   */
  leftBehind(session: FollowedCall, goOn: () => void): void {
    const isOver = this.#overFrom(session);
    const isCompared = (): boolean => isOver() || !this.#ports.isBehind(session);
    const look = async (): Promise<void> => {
      const { bridges, listed } = await this.#ports.ari.owned();
      if (isCompared()) return;
      const { facts } = session.state;
      const members = bridges.find(({ id }) => id === facts.order?.bridge)?.members ?? [];
      const others = members.filter((each) => listed.has(each) && partyOf(each, facts) === undefined);
      if (others.length > 0) this.leftBehind(session, goOn);
      else goOn();
    };
    setTimeout(() => {
      if (isCompared()) return;
      const again = (): void => {
        this.leftBehind(session, goOn);
      };
      this.#try(session, look, 0, again);
    }, comparedWithinMs).unref();
  }

  #overFrom(session: FollowedCall): () => boolean {
    const losses = this.#ports.losses();

    return () => session.isAbandoned || this.#ports.losses() !== losses;
  }

  #try(session: FollowedCall, look: () => Promise<void>, tries: number, again: () => void, giveUp?: () => void): void {
    look().catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      const call = session.state.facts.id;
      this.#ports.log.warn({ call, code: error.code, err: error }, 'hang-up of party unknown');
      if (error.retryable && tries < mostLooks) again();
      else giveUp?.();
    });
  }
}

import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries, Owned } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import type { BridgeId, ChannelId } from '../../core/ids.ts';

/** How long it is waited for that Asterisk tells of a leg coming in, once it has answered, ms: it takes a few. */
const enteredWithinMs = 500;
/** It tells so also where it throws everybody out at once, since it cannot mix them: how long until that is seen, ms. */
const settledMs = 100;

/**
 * - cameIn: it is in the bridge, since this time of Asterisk's if it is known; `askedAt` is when Asterisk was asked, monotonic, ms.
 * - notIn: Asterisk says to have moved it, and it is not in the bridge.
 * - elsewhere: others have taken it out.
 * - isHere: it is in the bridge, and nobody knows since when.
 * - dissolved: all legs are in no bridge. Asterisk does so where it cannot mix them, and tells nobody.
 * - unwanted: meanwhile it should not be moved any more.
 */
export type MoveEnd =
  | { kind: 'cameIn'; at: number | undefined; askedAt: number }
  | { kind: 'notIn' | 'elsewhere' | 'isHere' | 'dissolved' | 'unwanted' };

export type Move = {
  bridge: BridgeId;
  channel: ChannelId;
  /** All legs of the call. */
  legs: readonly ChannelId[];
  /** Asked once more right before: while Asterisk answered, the call may have moved on. */
  isWanted: () => boolean;
};

type Ari = Pick<AriCommands, 'addToBridge'> & Pick<AriQueries, 'channelsIn' | 'owned'>;

/** Whether a channel that is not in its call's bridge is nowhere else either, and waits for us. */
export const isStray = (id: ChannelId, { channels, bridges }: Owned): boolean =>
  channels.includes(id) && !bridges.some(({ members }) => members.includes(id));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Takes legs of a call out of their bridge and in again, and knows which of them may be out because of it. */
export class LegMover {
  readonly #ari: Ari;
  /** Legs that may be out of the bridge by our doing, and how often each was sought in vain. */
  readonly #out = new Map<ChannelId, number>();
  /** What waits for them to come in. */
  readonly #awaited = new Map<ChannelId, { askedAt: number; came: (at: number) => void }>();

  constructor(ari: Ari) {
    this.#ari = ari;
  }

  get isAnyOut(): boolean {
    return this.#out.size > 0;
  }

  isOut(channel: ChannelId): boolean {
    return this.#out.has(channel);
  }

  /** How often a leg that is out did not come in again. */
  misses(channel: ChannelId): number {
    return this.#out.get(channel) ?? 0;
  }

  /** Legs that are none of these are not ours to fetch back any more. */
  keepOnly(legs: readonly ChannelId[]): void {
    for (const channel of this.#out.keys()) if (!legs.includes(channel)) this.#out.delete(channel);
  }

  /**
   * Takes a leg out and in. Who was taken elsewhere by others is not ours to move.
   *
   * @throws PreavisError as Asterisk's answers do; the leg may be out then
   */
  async renew({ bridge, channel, isWanted }: Move): Promise<MoveEnd> {
    if (!(await this.#ari.channelsIn(bridge)).includes(channel)) return { kind: 'elsewhere' };
    if (!isWanted()) return { kind: 'unwanted' };

    return this.#add(bridge, channel);
  }

  /**
   * Looks for a leg that may be out by our doing, and puts it in again if it is in no bridge.
   *
   * @throws PreavisError as Asterisk's answers do; the leg counts as out still
   */
  async fetchBack({ bridge, channel, legs, isWanted }: Move): Promise<MoveEnd> {
    const scene = await this.#ari.owned();
    if (legs.every((each) => isStray(each, scene))) return { kind: 'dissolved' };
    if (!isStray(channel, scene)) {
      this.#out.delete(channel);
      const isHere = scene.bridges.some(({ id, members }) => id === bridge && members.includes(channel));

      return { kind: isHere ? 'isHere' : 'elsewhere' };
    }
    if (!isWanted()) return { kind: 'unwanted' };
    try {
      const end = await this.#add(bridge, channel);
      if (end.kind === 'notIn') this.#missed(channel);

      return end;
    } catch (thrown) {
      // Whether Asterisk does it is not known where it does not answer.
      if (asPreavisError(thrown).code !== 'ari_unreachable') this.#missed(channel);
      throw thrown;
    }
  }

  #missed(channel: ChannelId): void {
    if (this.#out.has(channel)) this.#out.set(channel, this.misses(channel) + 1);
  }

  /**
   * Whether a leg came in by this, and nobody waits for it: Asterisk begins anew with it. One that is out may be thrown out again at once,
   * so it is looked for a little later.
   *
   * @param moment when that was, by our monotonic clock, ms
   */
  async cameInUnawaited(
    { channelId, bridgeId, at }: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>,
    moment: number,
  ): Promise<boolean> {
    const awaited = this.#awaited.get(channelId);
    // One of a move before this one may come late.
    if (awaited !== undefined && moment >= awaited.askedAt) awaited.came(at);
    if (awaited !== undefined) return false;
    if (!this.#out.has(channelId)) return true;
    await pause(settledMs);
    const isIn = (await this.#ari.channelsIn(bridgeId)).includes(channelId);
    if (isIn) this.#out.delete(channelId);

    return isIn;
  }

  /**
   * One request, so that no end of ours can come between: Asterisk itself takes it out first. It says that it has done it also where the
   * leg did not come in again, or not for long, so that is looked for.
   */
  async #add(bridge: BridgeId, channel: ChannelId): Promise<MoveEnd> {
    this.#out.set(channel, this.misses(channel));
    const askedAt = performance.now();
    const entered = new Promise<number>((came) => this.#awaited.set(channel, { askedAt, came }));
    try {
      await this.#ari.addToBridge(bridge, [channel]);
      const at = await settleInTime(enteredWithinMs, entered, () => undefined);
      await pause(settledMs);
      if (!(await this.#ari.channelsIn(bridge)).includes(channel)) return { kind: 'notIn' };
      this.#out.delete(channel);

      return { kind: 'cameIn', at, askedAt };
    } finally {
      this.#awaited.delete(channel);
    }
  }
}

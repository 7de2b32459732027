import type { ChannelId } from '../../core/ids.ts';

/** Time talked so far, ms, and since when they talk now. */
type Talk = { totalMs: number; since: number | undefined };

/** How long each channel was heard, by Asterisk's talk detection. Times are Asterisk's, ms. */
export class TalkMeter {
  readonly #talks = new Map<ChannelId, Talk>();
  readonly #lost = new Set<ChannelId>();

  hear(channelId: ChannelId, talking: boolean, at: number): void {
    const { totalMs = 0, since } = this.#talks.get(channelId) ?? {};
    const heard = since === undefined ? 0 : Math.max(0, at - since);
    this.#talks.set(channelId, { totalMs: totalMs + heard, since: talking ? at : undefined });
  }

  /** Leaves out what was heard of these before, or not; who talks now, does so from then on. */
  startAt(at: number | undefined, channelIds: readonly ChannelId[]): void {
    for (const channelId of channelIds) {
      const talks = this.#talks.get(channelId)?.since !== undefined;
      this.#talks.set(channelId, { totalMs: 0, since: talks ? at : undefined });
    }
  }

  /** From now on Asterisk tells nothing of it. */
  lose(channelId: ChannelId): void {
    this.#lost.add(channelId);
  }

  /** undefined for a channel that was never heard of, or that was lost. */
  until(end: number | undefined, channelId: ChannelId): number | undefined {
    if (this.#lost.has(channelId)) return undefined;
    const talk = this.#talks.get(channelId);
    if (talk?.since === undefined || end === undefined) return talk?.totalMs;

    return talk.totalMs + Math.max(0, end - talk.since);
  }
}

import type { AriEvent } from '../../ari/events.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { NeverRecordedRules } from '../../policy/neverRecorded.ts';

/** Of so many it is remembered at most; those that were not answered tell nothing of their end. */
const remembered = 1_000;

/** Knows which channels have a number that is never recorded: by what was dialled for them, and by their own number in a bridge. */
export class NeverRecordedWatch {
  readonly #rules: NeverRecordedRules;
  readonly #channels = new Set<ChannelId>();

  constructor(rules: NeverRecordedRules) {
    this.#rules = rules;
  }

  /** To be told of every event, before those who ask. */
  handle(event: AriEvent): void {
    if (event.type === 'channelGone') this.#channels.delete(event.channelId);
    const isNever =
      (event.type === 'channelDialled' && this.#rules.isDialString(event.dialString)) ||
      (event.type === 'bridgeEntered' && this.#rules.isNumber(event.number ?? ''));
    if (!isNever) return;
    this.#channels.add(event.channelId);
    const [oldest] = this.#channels;
    if (oldest !== undefined && this.#channels.size > remembered) this.#channels.delete(oldest);
  }

  has(channel: ChannelId): boolean {
    return this.#channels.has(channel);
  }
}

import type { AriEvent } from '../../ari/events.ts';
import type { ChannelId } from '../../core/ids.ts';

/**
 * Which channels in bridges are telephones of the house, by the name of their endpoint. That name is the PBX's own: who calls cannot choose
 * it, as they can their number.
 */
export class Staff {
  readonly #isExtension: (endpoint: string) => boolean;
  readonly #channels = new Set<ChannelId>();

  /** @param isExtension whether this endpoint is one of the house */
  constructor(isExtension: (endpoint: string) => boolean) {
    this.#isExtension = isExtension;
  }

  has(channel: ChannelId): boolean {
    return this.#channels.has(channel);
  }

  /** To be told of every event, before the calls. */
  handle(event: AriEvent): void {
    if (event.type === 'channelArrived' || event.type === 'bridgeEntered') {
      if (event.endpoint !== undefined && this.#isExtension(event.endpoint)) this.#channels.add(event.channelId);
    } else if (['bridgeLeft', 'channelLeft', 'channelGone'].includes(event.type) && 'channelId' in event) {
      this.#channels.delete(event.channelId);
    }
  }

  /** Events are missed from now on. */
  clear(): void {
    this.#channels.clear();
  }
}

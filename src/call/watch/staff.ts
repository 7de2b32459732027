import type { AriEvent } from '../../ari/events.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Staff } from '../../policy/policy.ts';

/**
 * Which channels in bridges are telephones of the house, by the name of their endpoint. That name is the PBX's own: who calls cannot choose
 * it, as they can their number.
 */
export class StaffWatch {
  readonly #endpoints = new Map<ChannelId, string>();

  /** undefined for one that is in no bridge, and for a Local/ channel. */
  endpointOf(channel: ChannelId): string | undefined {
    return this.#endpoints.get(channel);
  }

  /** Whether this channel is a telephone of these. */
  has(channel: ChannelId, staff: Pick<Staff, 'has'>): boolean {
    const endpoint = this.endpointOf(channel);

    return endpoint !== undefined && staff.has(endpoint);
  }

  /** To be told of every event, before the calls. */
  handle(event: AriEvent): void {
    if (event.type === 'channelArrived' || event.type === 'bridgeEntered') {
      if (event.endpoint !== undefined) this.#endpoints.set(event.channelId, event.endpoint);
    } else if (['bridgeLeft', 'channelLeft', 'channelGone'].includes(event.type) && 'channelId' in event) {
      this.#endpoints.delete(event.channelId);
    }
  }

  /** Events are missed from now on. */
  clear(): void {
    this.#endpoints.clear();
  }
}

import type { AriEvent } from '../../ari/events.ts';
import type { CallId } from '../../core/ids.ts';

/** Where it is kept which telephone of the house was in a call. */
export type ExtensionKeeper = { keep(call: CallId, extension: string): Promise<void> };

/** A call, and the telephones of the house that are in its talk: of several, the one that has just come is the first. */
type Present = { call: CallId; telephones: readonly string[] };

type ExtensionPorts = {
  /** The calls that this concerns, each with the telephones that the staff of its line have. */
  presentIn: (event: Extract<AriEvent, { type: 'bridgeEntered' }>) => readonly Present[];
  keeper: ExtensionKeeper;
  failed: (call: CallId, thrown: unknown) => void;
};

/**
 * Keeps, once for each call, the first telephone of the house that is in its talk: who answered an incoming call, or who dialled an
 * outgoing one. By the name of its endpoint, which is the PBX's own.
 */
export class ExtensionWatch {
  readonly #ports: ExtensionPorts;
  readonly #kept = new Set<CallId>();

  constructor(ports: ExtensionPorts) {
    this.#ports = ports;
  }

  /** To be told of every event, behind the calls and the map of bridges. */
  handle(event: AriEvent): void {
    if (event.type !== 'bridgeEntered') return;
    const { presentIn, keeper, failed } = this.#ports;
    for (const { call, telephones } of presentIn(event)) {
      const [first] = telephones;
      if (first === undefined || this.#kept.has(call)) continue;
      this.#kept.add(call);
      keeper.keep(call, first).catch((thrown: unknown) => {
        failed(call, thrown);
      });
    }
  }

  ended(call: CallId): void {
    this.#kept.delete(call);
  }
}

import type { AriEvent } from '../../ari/events.ts';
import type { CallId } from '../../core/ids.ts';

/** Where it is kept which telephone of the house was in a call. */
export type ExtensionKeeper = { keep(call: CallId, extension: string): Promise<void> };

type ExtensionPorts = {
  /** The calls that whoever enters this bridge takes part in as a telephone of the house, by the line of each. */
  callsOf: (event: Extract<AriEvent, { type: 'bridgeEntered' }>) => readonly CallId[];
  keeper: ExtensionKeeper;
  failed: (call: CallId, thrown: unknown) => void;
};

/**
 * Keeps, once for each call, the first telephone of the house that is in its bridge: who answered an incoming call, or who dialled an
 * outgoing one. By the name of its endpoint, which is the PBX's own.
 */
export class ExtensionWatch {
  readonly #ports: ExtensionPorts;
  readonly #kept = new Set<CallId>();

  constructor(ports: ExtensionPorts) {
    this.#ports = ports;
  }

  /** To be told of every event, behind the calls. */
  handle(event: AriEvent): void {
    if (event.type !== 'bridgeEntered' || event.endpoint === undefined) return;
    const { callsOf, keeper, failed } = this.#ports;
    const { endpoint } = event;
    for (const call of callsOf(event)) {
      if (this.#kept.has(call)) continue;
      this.#kept.add(call);
      keeper.keep(call, endpoint).catch((thrown: unknown) => {
        failed(call, thrown);
      });
    }
  }

  ended(call: CallId): void {
    this.#kept.delete(call);
  }
}

import { HeldKeys } from '../store/heldKeys.ts';

/** How often it is asked whether they may still hear it, ms. */
const askAgainMs = 1_000;
/** Nobody has asked for a part for so long, ms. */
const quietMs = 30_000;
/** After so long a key is unwrapped anew in any case, ms: whoever runs a KMS may have withdrawn it. */
const longestMs = 10 * 60_000;

type Session = { keys: HeldKeys; timer: NodeJS.Timeout; since: number; askedAt: number; order: KeyOrder };

export type KeyOrder = {
  /** When the decision by which they hear it ends, ms since 1970 UTC. */
  until: number;
  isAllowed: () => Promise<boolean>;
};

/** The keys of what somebody is listening to. Each is held no longer than they may hear it. */
export class SessionKeys {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  readonly #open = new Map<string, Session>();

  /**
   * @param now by which decisions end
   * @param monotonic a clock that nobody can set, ms
   */
  constructor(now: () => number, monotonic: () => number = () => performance.now()) {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  /** How many keys are held. */
  get size(): number {
    return [...this.#open.values()].reduce((sum, { keys }) => sum + keys.size, 0);
  }

  /** @param name of who listens to what */
  of(name: string, order: KeyOrder): HeldKeys {
    const at = this.#monotonic();
    const known = this.#open.get(name);
    if (known !== undefined && !this.#isOver(known)) {
      known.askedAt = at;
      known.order = order;

      return known.keys;
    }
    this.#end(name);
    const keys = new HeldKeys();
    const timer = setInterval(() => void this.#look(name), askAgainMs).unref();
    this.#open.set(name, { keys, timer, since: at, askedAt: at, order });

    return keys;
  }

  stop(): void {
    for (const name of [...this.#open.keys()]) this.#end(name);
  }

  #isOver({ since, askedAt, order }: Session): boolean {
    const at = this.#monotonic();

    return at - askedAt >= quietMs || at - since >= longestMs || this.#now() >= order.until;
  }

  async #look(name: string): Promise<void> {
    const session = this.#open.get(name);
    if (session === undefined) return;
    const may = !this.#isOver(session) && (await session.order.isAllowed().catch(() => false));
    // Another one may have begun meanwhile.
    if (!may && this.#open.get(name) === session) this.#end(name);
  }

  #end(name: string): void {
    const session = this.#open.get(name);
    if (session === undefined) return;
    clearInterval(session.timer);
    session.keys.forget();
    this.#open.delete(name);
  }
}

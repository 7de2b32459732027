import type { AriRequest } from '../ari/httpClient.ts';
import { PreavisError } from '../core/errors.ts';

/** How often it is seen that this process goes on, ms. */
const tickMs = 500;
/**
 * Longer than a loaded machine keeps a process from its turn, and shorter than from its last renewal to the end of a lease of two workers: whoever
 * stood still for less has lost none, ms.
 */
const standstillMs = 5_000;

/**
 * What this process asks of Asterisk about its calls, as far as they are its own. Asterisk does as any client asks: who was stopped for a while, and goes
 * on where it was, would act in calls that the other worker has by now. So whoever stood still, or whose application somebody else has opened, sees
 * first whose they are. What it writes is refused by the catalogue itself (boundTo).
 */
export class Fence {
  readonly #verify: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #lastAt = performance.now();
  /** What was asked before the last one is no answer to it. */
  #doubts = 0;
  #isShut = false;
  #verifying: Promise<boolean> | undefined;

  /** @param verify whether every application that this process serves is its own, asked now */
  constructor(verify: () => Promise<boolean>) {
    this.#verify = verify;
  }

  start(): void {
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => {
      if (this.#stoodStill) void this.#prove();
      else if (this.#verifying === undefined) this.#lastAt = performance.now();
    }, tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Another process may have what this one had. */
  doubt(): void {
    this.#lastAt = -Infinity;
    this.#doubts += 1;
  }

  /** Another process has what this one had. */
  shut(): void {
    this.#isShut = true;
  }

  /** The same request; one that changes something is not sent, and throws lease_lost, where it is not this process's to ask. */
  guard(request: AriRequest): AriRequest {
    return async (...args) => {
      if (args[0] !== 'GET') await this.#pass();

      return request(...args);
    };
  }

  get #stoodStill(): boolean {
    return performance.now() - this.#lastAt > standstillMs;
  }

  async #pass(): Promise<void> {
    const isOwn = !this.#isShut && (!this.#stoodStill || (await this.#prove()));
    if (!isOwn) throw new PreavisError('lease_lost', 'another process has the calls of this one');
  }

  /** Until it is known, nothing is sent. */
  #prove(): Promise<boolean> {
    const doubts = this.#doubts;
    this.#verifying ??= this.#verify()
      .then(
        (isOwn) => {
          if (isOwn && doubts === this.#doubts) this.#lastAt = performance.now();

          return isOwn && doubts === this.#doubts;
        },
        // It is asked again at the next turn.
        () => false,
      )
      .finally(() => {
        this.#verifying = undefined;
      });

    return this.#verifying;
  }
}

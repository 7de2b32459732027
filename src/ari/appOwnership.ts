import { setTimeout as sleep } from 'node:timers/promises';
import { doubledMs } from '../core/backoff.ts';
import { errorCodes } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { EventSocket } from './eventSocket.ts';

/**
 * What is done when another process opens a socket for our Stasis application. Asterisk gives it our calls from then on, says so
 * once (ApplicationReplaced), leaves our socket open without events, and gives them to nobody when the other closes.
 *
 * The other may be a tool that somebody tries out: then the application is taken back soon. Or it is a second serve, which does the
 * same: each change of hands costs calls, so the pauses double, up to an hour.
 */
const pauses = { firstMs: 2_000, longestMs: 3_600_000 };
/** How often it is looked whether the application is free again, ms. */
const lookMs = 2_000;

export class AppOwnership {
  readonly #isFree: () => Promise<boolean>;
  readonly #isAnothers: () => Promise<boolean>;
  readonly #log: Logger;
  /** How often it was lost since it was last kept for long. */
  #losses = 0;
  #lastAt = -Infinity;

  /** @param isAnothers whether the other process has the application by right: whoever has lost it tells so (lease_lost) */
  constructor(isFree: () => Promise<boolean>, isAnothers: () => Promise<boolean>, log: Logger) {
    this.#isFree = isFree;
    this.#isAnothers = isAnothers;
    this.#log = log;
  }

  /** Ends our socket after the pause, or as soon as nobody has the application: another is opened in its place. */
  async takeBack(socket: EventSocket): Promise<void> {
    const now = performance.now();
    // Kept for longer than the longest pause, it is not contested any more.
    if (now - this.#lastAt > 2 * pauses.longestMs) this.#losses = 0;
    const pauseMs = doubledMs(this.#losses, pauses);
    this.#losses += 1;
    this.#lastAt = now;
    const { remedy: hint } = errorCodes.application_taken;
    const fields = { code: 'application_taken', takenBackInMs: pauseMs, hint };
    if (!(await this.#isAnothers())) this.#log.error(fields, 'Stasis application taken over by another process');
    // To look may take as long as the pause between two looks.
    const leftMs = (): number => now + pauseMs - performance.now();
    while (leftMs() > 0) {
      await sleep(Math.min(lookMs, leftMs()), undefined, { ref: false });
      if (!socket.isOpen) return;
      if (leftMs() > 0 && (await this.#isFree())) break;
    }
    if (!socket.isOpen) return;
    this.#log.info('Stasis application reclaimed; reconnecting');
    socket.end();
  }
}

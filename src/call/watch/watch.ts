import { asPreavisError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

/** Why nobody listened to Asterisk's events. */
const deafReasons = ['connection_lost', 'application_taken', 'process_ended'] as const;
export type DeafReason = (typeof deafReasons)[number];

/** Why something was not watched. events_late: somebody had joined, and the recorder went on, as where this process was stopped for a while. */
export const unwatchedReasons = [...deafReasons, 'events_late'] as const;

export type WatchOptions = {
  /** What the process before has left, ms since 1970 UTC by Asterisk's clock. */
  before: number | undefined;
  save: (until: number) => Promise<void>;
  /** Whether the catalogue has what was seen. Until then the next process must not take it for seen. */
  isKept: () => boolean;
  log: Logger;
};

/** A mark is written down at most this often, ms. */
const saveEveryMs = 1_000;

/**
 * Knows until when every event of Asterisk was seen, by Asterisk's clock (P8). Events and the answers to pings come in one order over one
 * socket: each proves that all events from before it were seen, from before its own time or that of its ping. When it was read proves
 * nothing: what this process reads late, others may have followed whom it does not see. Between two it is not known, so an interval in
 * which nobody listened begins with the last one.
 */
export class Watch {
  readonly #options: WatchOptions;
  #until: number | undefined;
  #isDeaf = true;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#until = options.before;
  }

  /** An event of this time was read, or the answer to a ping that was sent then, ms by Asterisk's clock, which may have been set back. */
  seen(at: number): void {
    if (this.#isDeaf) return;
    this.#until = at;
    const { isKept, save, log } = this.#options;
    if (Math.abs(at - this.#savedAt) < saveEveryMs || !isKept()) return;
    this.#savedAt = at;
    save(at).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      log.warn({ code: error.code, err: error }, 'watch time not stored');
    });
  }

  /** From now on events are missed. */
  goDeaf(): void {
    this.#isDeaf = true;
  }

  /** Every call was compared with Asterisk, by what it was asked after `at`: what is not known is past. */
  listenAgain(at: number): void {
    this.#isDeaf = false;
    this.seen(at);
  }

  /** Whether this process would see who joins a call: the application is ours, and the calls were compared with Asterisk since. */
  get isListening(): boolean {
    return !this.#isDeaf;
  }

  /** Until when everything was seen, ms; undefined where nothing ever was. */
  get until(): number | undefined {
    return this.#until;
  }
}

import type { Clock } from '../core/clock.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** Why nobody listened to Asterisk's events. */
export const deafReasons = ['connection_lost', 'application_taken', 'process_ended'] as const;
export type DeafReason = (typeof deafReasons)[number];

/** Until when everything was seen, ms since 1970 UTC by Asterisk's clock; and how far that is ahead of ours, ms. */
export type WatchMark = { until: number; aheadMs: number };

export type WatchOptions = {
  clock: Clock;
  /** What the process before has left. */
  before: WatchMark | undefined;
  save: (mark: WatchMark) => Promise<void>;
  log: Logger;
};

/** More events than these say nothing more about the difference of the clocks. */
const mostDifferences = 20;
/** No event is read so late by a process that listens, ms. */
const latestReadMs = 60_000;
/** A mark is written down at most this often, ms. */
const saveEveryMs = 1_000;

/**
 * Knows until when every event of Asterisk was seen. Events and the answers to pings come in one order over one socket: an answer
 * proves that all events from before it were seen. Between two answers it is not known, so an interval in which nobody listened begins
 * with the last one.
 */
export class Watch {
  readonly #options: WatchOptions;
  /** How far Asterisk's clock was ahead at the last events. One that was read late says less, so the greatest counts. */
  readonly #differences: number[] = [];
  #mark: WatchMark | undefined;
  #isDeaf = true;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#mark = options.before;
  }

  /** An event with Asterisk's time was read, ms. */
  heard(at: number): void {
    this.#differences.push(at - this.#options.clock.now());
    if (this.#differences.length > mostDifferences) this.#differences.shift();
  }

  /** Asterisk has answered on the event socket. */
  answered(): void {
    if (this.#isDeaf) return;
    const { clock, save, log } = this.#options;
    this.#mark = { until: clock.now() + this.#leastAheadMs, aheadMs: this.#aheadMs };
    if (Math.abs(clock.now() - this.#savedAt) < saveEveryMs) return;
    this.#savedAt = clock.now();
    save(this.#mark).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      log.warn({ code: error.code, err: error }, 'until when calls were watched could not be kept');
    });
  }

  /** From now on events are missed. */
  goDeaf(): void {
    this.#isDeaf = true;
  }

  /** Every call was compared with Asterisk: what is not known is past. */
  listenAgain(): void {
    this.#isDeaf = false;
    this.answered();
  }

  /** Whether this process would see who joins a call: the application is ours, and the calls were compared with Asterisk since. */
  get isListening(): boolean {
    return !this.#isDeaf;
  }

  /** Until when everything was seen; undefined where nothing ever was. */
  get until(): number | undefined {
    return this.#mark?.until;
  }

  /** Asterisk's time, as far as its events tell, ms. */
  now(): number {
    return this.#options.clock.now() + this.#aheadMs;
  }

  /** Where events differ by more than latency, a clock was set: seen is what was seen by either. */
  get #leastAheadMs(): number {
    const least = Math.min(...this.#differences, this.#aheadMs);

    return this.#aheadMs - least > latestReadMs ? least : this.#aheadMs;
  }

  get #aheadMs(): number {
    return this.#differences.length === 0 ? (this.#options.before?.aheadMs ?? 0) : Math.max(...this.#differences);
  }
}

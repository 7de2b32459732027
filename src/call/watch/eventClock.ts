/** What the events of Asterisk tell of its clock, beside our monotonic one. All times are ms. */
export class EventClock {
  /** A time of Asterisk's, and when we heard of it. */
  #latest: { at: number; now: number } | undefined;
  /** How far its clock is ahead of ours, by the event that took the shortest time to come. */
  #ahead = -Infinity;

  /** An event of this time of Asterisk's has come. */
  hear(at: number, now: number): void {
    this.#latest = { at, now };
    this.#ahead = Math.max(this.#ahead, at - now);
  }

  /** Asterisk's time of a moment of ours, by the latest event; undefined before the first. */
  timeOf(moment: number): number | undefined {
    return this.#latest === undefined ? undefined : Math.floor(this.#latest.at - (this.#latest.now - moment));
  }

  /** Our time of an event: later than it really was by the shortest time that one took to come, some ms at most. */
  momentOf(at: number): number {
    return at - this.#ahead;
  }
}

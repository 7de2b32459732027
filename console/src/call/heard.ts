/** What somebody has really heard of a recording: what the player has played, and not what it fetched. */

/** ms from the beginning of the recording. */
export type Part = readonly [from: number, to: number];

/** A step from one position to the next that is longer than this was a jump, ms of the recording. */
const longestStepMs = 2_000;
/** Of one message to the API (src/web/routes/recordings.ts). */
const mostParts = 200;

export class HeardParts {
  #parts: [number, number][] = [];
  #at: number | undefined;

  /** It plays, and has come to this position, ms. */
  playedTo(position: number): void {
    const before = this.#at;
    this.#at = position;
    if (before === undefined || position <= before || position - before > longestStepMs) return;
    const last = this.#parts.at(-1);
    if (last?.[1] === before) last[1] = position;
    else this.#parts.push([before, position]);
  }

  /** It does not play, or goes on from elsewhere. */
  interrupted(): void {
    this.#at = undefined;
  }

  get seconds(): number {
    return this.#parts.reduce((sum, [from, to]) => sum + to - from, 0) / 1_000;
  }

  /** Gives what was heard since the last time, to be sent; what cannot be sent is given back by `putBack`. */
  take(): Part[] {
    const taken = this.#parts.slice(0, mostParts).map(([from, to]): Part => [Math.round(from), Math.round(to)]);
    this.#parts = this.#parts.slice(mostParts);

    return taken.filter(([from, to]) => to > from);
  }

  putBack(parts: readonly Part[]): void {
    this.#parts = [...parts.map(([from, to]): [number, number] => [from, to]), ...this.#parts];
  }
}

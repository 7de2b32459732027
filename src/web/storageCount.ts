import { setTimeout as sleep } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { isoTime, type Clock } from '../core/clock.ts';

/** Recordings that are counted at a time. */
const batch = 250;
/** Between two of them, ms: who asks for something else goes first. Nobody waits for the count. */
const pauseMs = 10;
/** One that took less is made anew whenever somebody asks, ms. */
const briefMs = 50;
/** Another one holds for so many times as long as it took, and for no longer than ten minutes. */
const heldTimes = 100;
const mostHeldMs = 10 * 60_000;

type Purpose = { purpose: string; recordings: number; bytes: number };
export type Counted = {
  /** null: it was never counted to its end. */
  countedAt: string | null;
  isCounting: boolean;
  purposes: Purpose[];
};
type Ports = { catalogue: CataloguePart<{ figures: 'storage' }>; clock: Clock };

/**
 * What is kept, by purpose. Among a million recordings a count takes a minute, since it lets everything else go first: so it is made beside
 * what is asked, and who asks is given the last one.
 */
export class StorageCount {
  readonly #ports: Ports;
  readonly #stopped = new AbortController();
  #last: { at: number; heldMs: number; purposes: Purpose[] } | undefined;
  #counting: Promise<void> | undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Begins a count, where none goes on. */
  begin(): Promise<void> {
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });

    return this.#counting;
  }

  /**
   * The last count, and a new one where it holds no longer and that is soon done.
   *
   * @param soonMs who asks waits for no longer than that
   * @throws PreavisError why it cannot be counted
   */
  async read(soonMs: number): Promise<Counted> {
    const at = this.#ports.clock.now();
    if (this.#last === undefined || Math.abs(at - this.#last.at) >= this.#last.heldMs) {
      const counting = this.begin();
      // It may fail when nobody waits any more: whoever asks then is told.
      counting.catch(() => undefined);
      await Promise.race([counting, sleep(soonMs, undefined, { ref: false })]);
    }

    return {
      countedAt: isoTime(this.#last?.at ?? null),
      isCounting: this.#counting !== undefined,
      purposes: this.#last?.purposes ?? [],
    };
  }

  /** A count that goes on ends here. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#counting?.catch(() => undefined);
  }

  async #count(): Promise<void> {
    const { catalogue, clock } = this.#ports;
    const at = clock.now();
    const began = performance.now();
    const sums = new Map<string, Purpose>();
    for (let after = ''; ;) {
      const part = await catalogue.figures.storage(after, batch);
      for (const { purpose, recordings, bytes } of part.purposes) {
        const sum = sums.get(purpose) ?? { purpose, recordings: 0, bytes: 0 };
        sums.set(purpose, { purpose, recordings: sum.recordings + recordings, bytes: sum.bytes + bytes });
      }
      if (part.next === undefined) break;
      after = part.next;
      await sleep(pauseMs, undefined, { signal: this.#stopped.signal, ref: false });
    }
    const tookMs = performance.now() - began;
    const heldMs = tookMs < briefMs ? 0 : Math.min(mostHeldMs, heldTimes * tookMs);
    this.#last = { at, heldMs, purposes: [...sums.values()] };
  }
}

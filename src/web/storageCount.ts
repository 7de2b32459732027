import { setTimeout as sleep } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** Recordings that are counted at a time. */
const batch = 250;
/** Between two of them, ms: who asks for something else goes first. Nobody waits for the count. */
const pauseMs = 10;
/** One that took less is made anew whenever somebody asks, ms. */
const briefMs = 50;
/** Another one holds for so many times as long as it took, and for no longer than ten minutes. */
const heldTimes = 100;
const mostHeldMs = 10 * 60_000;
/** One that failed is not made anew for so long, ms: it may be the catalogue that has too much to do. */
const failureHeldMs = 10_000;

type Purpose = { purpose: string; recordings: number; bytes: number };
export type Counted = {
  /** null: it was never counted to its end. */
  countedAt: string | null;
  isCounting: boolean;
  purposes: Purpose[];
};
type Ports = { catalogue: CataloguePart<{ figures: 'storage' }>; clock: Clock; log: Pick<Logger, 'error'> };
/** `at`: when it began or failed, ms since 1970 UTC; it holds for `heldMs`. */
type Held = { at: number; heldMs: number };

/** By the clock that nobody can set, where there is one. */
const elapsedMs = (clock: Clock): number => clock.sinceBoot?.().ms ?? clock.now();

/**
 * What is kept, by purpose. Among a million recordings a count takes a minute, since it lets everything else go first: so it is made beside
 * what is asked, and who asks is given the last one.
 */
export class StorageCount {
  readonly #ports: Ports;
  readonly #stopped = new AbortController();
  #last: (Held & { purposes: Purpose[] }) | undefined;
  #failed: (Held & { error: PreavisError }) | undefined;
  #counting: Promise<void> | undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Begins a count, where none goes on. */
  begin(): Promise<void> {
    this.#counting ??= this.#count()
      .then(() => {
        this.#failed = undefined;
      })
      .catch((thrown: unknown) => {
        this.#note(thrown);
        throw thrown;
      })
      .finally(() => {
        this.#counting = undefined;
      });

    return this.#counting;
  }

  /** Nobody may wait for it any more: it is told to who asks next. */
  #note(thrown: unknown): void {
    if (this.#stopped.signal.aborted) return;
    const { clock, log } = this.#ports;
    const error = asPreavisError(thrown);
    this.#failed = { at: clock.now(), heldMs: failureHeldMs, error };
    log.error({ code: error.code, err: error }, 'storage not counted');
  }

  #holds(kept: Held | undefined): boolean {
    return kept !== undefined && Math.abs(this.#ports.clock.now() - kept.at) < kept.heldMs;
  }

  /**
   * The last count, and a new one where it holds no longer and that is soon done.
   *
   * @param soonMs who asks waits for no longer than that
   * @throws PreavisError why it cannot be counted, or could not be a moment ago
   */
  async read(soonMs: number): Promise<Counted> {
    if (!this.#holds(this.#last)) {
      if (this.#counting === undefined && this.#failed !== undefined && this.#holds(this.#failed))
        throw this.#failed.error;
      const counting = this.begin();
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
    const began = elapsedMs(clock);
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
    const tookMs = elapsedMs(clock) - began;
    const heldMs = tookMs < briefMs ? 0 : Math.min(mostHeldMs, heldTimes * tookMs);
    this.#last = { at, heldMs, purposes: [...sums.values()] };
  }
}

import { asPreavisError, type PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** Tells that the catalogue takes nothing any more, and that it does again: once each. */
export class CatalogueOutageMonitor {
  readonly #log: Logger;
  readonly #failing: (fails: boolean) => void;
  #failure: PreavisError | undefined;

  /** @param failing called after each look, for the metrics */
  constructor(log: Logger, failing: (fails: boolean) => void) {
    this.#log = log;
    this.#failing = failing;
  }

  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  /** A step that writes; never rejects. */
  async look(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
      // Not from before it: of two looks at the same time, the other may have found that it fails.
      const before = this.#failure;
      this.#failure = undefined;
      if (before !== undefined) this.#log.info({ code: before.code }, 'catalogue available again');
    } catch (thrown) {
      const error = asPreavisError(thrown);
      const before = this.#failure;
      this.#failure = error;
      if (before === undefined) {
        this.#log.error({ code: error.code, err: error }, 'catalogue not writable; new calls not recorded');
      }
    }
    this.#failing(this.isFailing);
  }
}

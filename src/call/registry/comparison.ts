import { asPreavisError, type PreavisError } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';

/** A call that could not be compared so often, while others could, is given up. */
const mostFailures = 2;

/** One comparison of all calls with Asterisk. */
export type Comparison = {
  /** Does a step for one call, whose failure keeps no other; undefined then. */
  isolated: <T>(call: CallId, step: () => Promise<T>) => Promise<T | undefined>;
  /** Throws the first failure of what is not given up. Tells whether anything is. */
  end: () => 'whole' | 'partly';
};

/** Which calls could not be compared, and how often in turn: one that fails each time must not keep all others from being watched. */
export class Comparisons {
  readonly #log: Logger;
  readonly #failures = new Map<CallId, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param isOutOfDate whether the connection was lost since: then it is no failure of one call */
  begin(isOutOfDate: () => boolean): Comparison {
    const failures: PreavisError[] = [];
    let givenUp = 0;

    return {
      isolated: async (call, step) => {
        try {
          const done = await step();
          this.#failures.delete(call);

          return done;
        } catch (thrown) {
          const error = asPreavisError(thrown);
          this.#log.warn({ call, code: error.code, err: error }, 'call not compared with Asterisk');
          if (isOutOfDate()) return undefined;
          // That says nothing of this call: Asterisk does not answer.
          if (error.code === 'ari_unreachable') {
            failures.push(error);
            return undefined;
          }
          this.#failures.set(call, (this.#failures.get(call) ?? 0) + 1);
          if (this.isGivenUp(call)) givenUp += 1;
          else failures.push(error);

          return undefined;
        }
      },
      end: () => {
        const [failure] = failures;
        if (failure !== undefined) throw failure;

        return givenUp === 0 ? 'whole' : 'partly';
      },
    };
  }

  isGivenUp(call: CallId): boolean {
    return (this.#failures.get(call) ?? 0) >= mostFailures;
  }

  forget(call: CallId): void {
    this.#failures.delete(call);
  }

  /** The connection was lost. */
  forgetAll(): void {
    this.#failures.clear();
  }
}

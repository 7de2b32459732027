import { asPreavisError } from '../../core/errors.ts';
import type { Collector } from './collector.ts';
import { finishRecordings, sweepSpool, type FinishPorts } from './finish.ts';

/** Finishes recordings one pass after another, whoever asks for it, so that none is listened to twice at the same time. */
export class Finisher {
  readonly #ports: FinishPorts;
  readonly #collector: Pick<Collector, 'collect'> | undefined;
  readonly #alone: (pass: () => Promise<void>) => Promise<void>;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param collector brings recordings from an Asterisk on another machine before each pass
   * @param alone carries a pass out while no other process does the same; by default there is none
   */
  constructor(
    ports: FinishPorts,
    collector?: Pick<Collector, 'collect'>,
    alone: (pass: () => Promise<void>) => Promise<void> = (pass) => pass(),
  ) {
    this.#ports = ports;
    this.#collector = collector;
    this.#alone = alone;
  }

  /** Resolves after a pass that began after this was called; what goes wrong is logged. */
  finish(): Promise<void> {
    return this.#next(async () => {
      await this.#collector?.collect({ sweep: false });
      await finishRecordings(this.#ports);
    }).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      this.#ports.log.error({ code: error.code, err: error }, 'finish pass failed');
    });
  }

  /** The same, after a look for files that are not on their way. Throws spool_unusable. */
  sweepAndFinish(): Promise<void> {
    return this.#next(async () => {
      await this.#collector?.collect({ sweep: true });
      await sweepSpool(this.#ports);
      await finishRecordings(this.#ports);
    });
  }

  #next(pass: () => Promise<void>): Promise<void> {
    const run = this.#last.then(() => this.#alone(pass));
    this.#last = run.catch(() => undefined);

    return run;
  }
}

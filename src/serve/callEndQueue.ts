import { Collector, type CollectPorts } from '../archive/finish/collector.ts';
import type { FinishPorts } from '../archive/finish/finish.ts';
import { Finisher } from '../archive/finish/finisher.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { Workers } from '../config/workers.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import type { PromptLibrary } from '../prompts/library.ts';
import { makeFinishPorts, makeWitness } from '../services/finish.ts';
import type { Services } from '../services/services.ts';

/** What is to be done with calls that have ended. */
export type Finishing = {
  finishPorts: FinishPorts;
  finisher: Finisher;
  /** Compares them with the second witness. */
  witness: () => Promise<void>;
};

type FinishingParts = Pick<FinishPorts, 'check' | 'signal'> & {
  /** What has the recordings of an Asterisk on another machine. */
  asterisk: Pick<CollectPorts, 'stored' | 'ari' | 'ids'>;
  library: PromptLibrary;
  /** Where there are two, one of them finishes recordings at a time. */
  workers: Workers | undefined;
  metrics: Pick<Metrics, 'finding' | 'clockIsOff' | 'witness'>;
};

export function makeFinishing(
  services: Services,
  { library, metrics, asterisk, workers, ...own }: FinishingParts,
): Finishing {
  const isCollected = services.config.recording.spool === 'collected';
  const collector = isCollected ? new Collector({ ...services, ...asterisk, signal: own.signal }) : undefined;
  const finishPorts = makeFinishPorts(services, library, {
    ...own,
    collected: collector && { isWhole: (row) => collector.isWhole(row) },
    found: metrics.finding,
    clockIsOff: () => {
      metrics.clockIsOff('finish');
    },
  });

  return {
    finishPorts,
    finisher: new Finisher(finishPorts, collector, workers === undefined ? undefined : inTurns(services)),
    witness: makeWitness(services, metrics.witness),
  };
}

/** How long a worker waits for the other one to have finished what it found, ms; what is left is looked for again soon. */
const otherFinishesMs = 5_000;

/** Both would join the parts of one recording, and listen to it. */
const inTurns =
  ({ catalogue, config }: Services) =>
  async (pass: () => Promise<void>): Promise<void> => {
    try {
      await withLease(catalogue, `finish ${config.ari.pbx ?? ''}`, otherFinishesMs, pass);
    } catch (thrown) {
      if (asPreavisError(thrown).code !== 'job_busy') throw thrown;
    }
  };

export type CallEndPorts = Pick<Finishing, 'witness'> & { finisher: Pick<Finisher, 'finish'>; log: Logger };

/** How often the end of calls, and files that were not yet closed, are looked at again while stopping or serving, ms. */
const finishEveryMs = 10_000;
/** Calls that end within this time are compared with the second witness together. */
const witnessAfterMs = 2_000;

/** What is done when calls have ended: one pass at a time, while it serves and once more when it is drained. */
export class CallEndQueue {
  readonly #ports: CallEndPorts;
  #passes: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #witnessing: NodeJS.Timeout | undefined;

  constructor(ports: CallEndPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.callEnded();
    }, finishEveryMs);
  }

  /** No further passes by the clock; calls that end are still seen to. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** The second witness is asked a little later, for all calls that have ended until then. */
  callEnded(): void {
    this.#then(() => this.#ports.finisher.finish());
    this.#witnessing ??= setTimeout(() => {
      this.#witnessing = undefined;
      this.#then(this.#ports.witness);
    }, witnessAfterMs);
  }

  /** After the last call: resolves when both were done once more. */
  async drain(): Promise<void> {
    clearTimeout(this.#witnessing);
    this.#then(() => this.#ports.finisher.finish());
    this.#then(this.#ports.witness);
    await this.#passes;
  }

  #then(pass: () => Promise<void>): void {
    this.#passes = this.#passes.then(pass).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      this.#ports.log.error({ code: error.code, err: error }, 'ended calls not processed');
    });
  }
}

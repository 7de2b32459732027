import type { CataloguePart } from '../catalogue/catalogue.ts';
import { leaseHolder } from '../catalogue/jobs/lease.ts';
import { leaseMs, serveLease } from '../catalogue/jobs/leases.ts';
import { CatalogueOutageMonitor } from '../catalogue/outageMonitor.ts';
import { PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** How often a process says that it serves, ms. */
export const renewEveryMs = leaseMs / 12;

type Leases = CataloguePart<{ leases: 'take' | 'release' }>;

/** One serve on a catalogue at a time: a second one would take the calls of the first. */
export class ServeLease {
  readonly #catalogue: Leases;
  readonly #monitor: CatalogueOutageMonitor;
  #renewal: NodeJS.Timeout | undefined;

  /** @param failing called after each renewal, for the metrics */
  constructor(catalogue: Leases, log: Logger, failing: (fails: boolean) => void) {
    this.#catalogue = catalogue;
    this.#monitor = new CatalogueOutageMonitor(log, failing);
  }

  /** Whether the catalogue took nothing at the last renewal. */
  get isCatalogueFailing(): boolean {
    return this.#monitor.isFailing;
  }

  /** Throws job_busy. */
  async start(): Promise<void> {
    const me = leaseHolder();
    const other = await this.#catalogue.leases.take(serveLease, me);
    if (other !== undefined) {
      throw new PreavisError('job_busy', `another process (${other.pid} on ${other.host}) serves with this catalogue`, {
        hint: 'Stop the other serve: only one takes calls. One that crashed on another machine blocks the catalogue for a minute more. So does `preavis upload` for a moment, while it ends open calls.',
      });
    }
    // It is written to all the same: so a full or broken disk shows before the next call does.
    this.#renewal = setInterval(() => {
      void this.#monitor.look(() => this.#catalogue.leases.take(serveLease, me));
    }, renewEveryMs);
  }

  async stop(): Promise<void> {
    if (this.#renewal === undefined) return;
    clearInterval(this.#renewal);
    await this.#catalogue.leases.release(serveLease, leaseHolder());
  }
}

import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Turn } from '../catalogue/jobs/turns.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { thisProcess } from '../core/processes.ts';
import type { WebProcess } from './webProcess.ts';

/** Whoever starts `preavis web` must say that it is there within this time, or the other worker starts it, ms. */
const heldMs = 15_000;
const renewEveryMs = 3_000;

export type WebTurnPorts = {
  catalogue: CataloguePart<{ leases: 'take' | 'renew' | 'release' }>;
  pbx: string | undefined;
  make: () => Pick<WebProcess, 'start' | 'stop'>;
  log: Logger;
};

/** `preavis web` of two workers: one of them has it, and the other starts one when that one is no more. */
export class WebTurn {
  readonly #ports: WebTurnPorts;
  #had: { turn: Turn; web: Pick<WebProcess, 'start' | 'stop'> } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(ports: WebTurnPorts) {
    this.#ports = ports;
  }

  start(): void {
    const look = (): void => {
      this.#looking = this.#looking.then(() => this.#look());
    };
    this.#timer = setInterval(look, renewEveryMs);
    look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    const had = this.#had;
    if (had === undefined) return;
    await had.web.stop();
    // The other one sees it when its time is over.
    await this.#ports.catalogue.leases.release(had.turn).catch(() => undefined);
  }

  /** Never rejects; what fails is tried again. */
  async #look(): Promise<void> {
    const { catalogue, pbx, make, log } = this.#ports;
    try {
      if (this.#had !== undefined) {
        const renewal = await catalogue.leases.renew(this.#had.turn, thisProcess(), heldMs);
        if (renewal.kind === 'held') return;
        const { web } = this.#had;
        this.#had = undefined;
        await web.stop();
        return;
      }
      const taking = await catalogue.leases.take(`web ${pbx ?? ''}`, thisProcess(), heldMs);
      if (taking.kind === 'busy') return;
      const web = make();
      this.#had = { turn: taking.turn, web };
      web.start();
    } catch (thrown) {
      log.debug({ code: asPreavisError(thrown).code }, 'turn of preavis web not known; will retry');
    }
  }
}

import type { CataloguePart } from '../catalogue/catalogue.ts';
import { leaseMs, serveLease, type LeaseHolder, type ServeName } from '../catalogue/jobs/leases.ts';
import type { Turn } from '../catalogue/jobs/turns.ts';
import { CatalogueOutageMonitor } from '../catalogue/outageMonitor.ts';
import { PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { thisProcess } from '../core/processes.ts';

/** How often a process says that it serves, ms. */
export const renewEveryMs = leaseMs / 12;

type Leases = CataloguePart<{ leases: 'take' | 'renew' | 'release' }>;

export type ServeLeasePorts = {
  catalogue: Leases;
  /** Of which PBX, and which of its applications. */
  serve: ServeName;
  log: Logger;
  /** Called after each renewal, for the metrics. */
  failing: (fails: boolean) => void;
  /** Told once, when another serve has had the lease: nothing more is written by the turn. */
  lost: (error: PreavisError) => void;
};

/** One serve of each application of each PBX on a catalogue at a time: a second one would take the calls of the first. */
export class ServeLease {
  readonly #ports: ServeLeasePorts;
  readonly #monitor: CatalogueOutageMonitor;
  #turn: Turn | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(ports: ServeLeasePorts) {
    this.#ports = ports;
    this.#monitor = new CatalogueOutageMonitor(ports.log, ports.failing);
  }

  /** Whether the catalogue took nothing at the last renewal. */
  get isCatalogueFailing(): boolean {
    return this.#monitor.isFailing;
  }

  /** What the calls of this application are written by (boundTo). Throws before it is started. */
  get turn(): Turn {
    if (this.#turn === undefined) throw new Error('the lease of serve was not taken yet');

    return this.#turn;
  }

  /** Throws job_busy. */
  async start(): Promise<void> {
    const { catalogue, serve } = this.#ports;
    const taking = await catalogue.leases.take(serveLease(serve), thisProcess());
    if (taking.kind === 'busy') throw alreadyServed(serve, taking.other);
    const { turn } = taking;
    this.#turn = turn;
    // It is written to all the same: so a full or broken disk shows before the next call does.
    this.#renewal = setInterval(() => {
      this.#renewing = this.#monitor.look(() => this.#renew(turn));
    }, renewEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#renewal);
    const turn = this.#turn;
    this.#renewal = undefined;
    // Behind it, it would be taken again.
    await this.#renewing;
    if (turn !== undefined) await this.#ports.catalogue.leases.release(turn);
  }

  async #renew(turn: Turn): Promise<void> {
    const renewal = await this.#ports.catalogue.leases.renew(turn, thisProcess());
    if (renewal.kind === 'held' || this.#renewal === undefined) return;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
    this.#ports.lost(hasLost(this.#ports.serve, renewal.to));
  }
}

const processOf = ({ pid, host }: LeaseHolder): string => `another process (${pid} on ${host})`;
const nameOf = ({ pbx, application }: ServeName): string =>
  `the application ${application}${pbx === undefined ? '' : ` of the PBX ${pbx}`}`;

function alreadyServed(serve: ServeName, other: LeaseHolder): PreavisError {
  return new PreavisError(
    'job_busy',
    `two instances with one id: ${processOf(other)} serves ${nameOf(serve)} with this catalogue`,
    {
      hint: `Stop the other serve${serve.pbx === undefined ? '' : ', or give each PBX its own ari.pbx'}: only one takes the calls of an application. One that crashed where it cannot be seen from here keeps it for a minute more. So does \`preavis upload\` for a moment, while it ends open calls.`,
    },
  );
}

function hasLost(serve: ServeName, to: LeaseHolder | undefined): PreavisError {
  const by = to === undefined ? 'another process, which has ended since,' : processOf(to);

  return new PreavisError('lease_lost', `${by} has taken ${nameOf(serve)}, while this one stood still`);
}

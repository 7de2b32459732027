import { setTimeout as sleep } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { leaseMs, serveLease, type LeaseHolder, type ServeName, type Taking } from '../catalogue/jobs/leases.ts';
import type { Turn } from '../catalogue/jobs/turns.ts';
import { CatalogueOutageMonitor } from '../catalogue/outageMonitor.ts';
import { PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { thisProcess } from '../core/processes.ts';

/** How often a process says that it serves, ms. */
export const renewEveryMs = leaseMs / 12;
/** How often a lease is renewed within its time. */
const renewals = 12;

type Leases = CataloguePart<{ leases: 'take' | 'renew' | 'release' | 'otherHolder' | 'hasPassed' }>;

export type ServeLeasePorts = {
  catalogue: Leases;
  /** Of which PBX, and which of its applications. */
  serve: ServeName;
  log: Logger;
  /** Called after each renewal, for the metrics. */
  failing: (fails: boolean) => void;
  /** Told once, when another serve has had the lease: nothing more is written by the turn. */
  lost: (error: PreavisError) => void;
  /** Of one of two workers: the other one takes its calls up when it is not renewed within this time, ms. */
  heldMs?: number | undefined;
  /** Whether this process can do for callers what it has the lease for. While it cannot, the other worker may have it. */
  isOfUse?: () => boolean;
  /** How long the other worker is asked to give it back, ms; 0 where it is not asked. */
  askMs?: number;
  /** Ends whoever has let it run out and keeps everybody from taking it. */
  free?: () => Promise<void>;
};

/** How often the other worker is asked, ms. */
const askEveryMs = 300;

/** The lease of who waits for the other worker to give theirs back. */
export const wantedLease = (serve: ServeName): string => `wanted ${serveLease(serve)}`;

/** One serve of each application of each PBX on a catalogue at a time: a second one would take the calls of the first. */
export class ServeLease {
  readonly #ports: ServeLeasePorts;
  readonly #monitor: CatalogueOutageMonitor;
  #turn: Turn | undefined;
  /** That it was asked back. */
  #asked: Turn | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  /** When the last renewal that the catalogue took was begun; monotonic time, ms. */
  #renewedAt = -Infinity;

  constructor(ports: ServeLeasePorts) {
    this.#ports = ports;
    this.#monitor = new CatalogueOutageMonitor(ports.log, ports.failing);
  }

  /** Whether the catalogue took nothing at the last renewal. */
  get isCatalogueFailing(): boolean {
    return this.#monitor.isFailing;
  }

  /** Whether another process may have taken it since it was renewed last. */
  get hasRunOut(): boolean {
    return performance.now() - this.#renewedAt >= this.#heldMs;
  }

  /** What the calls of this application are written by (boundTo). Throws before it is started. */
  get turn(): Turn {
    if (this.#turn === undefined) throw new Error('the lease of serve was not taken yet');

    return this.#turn;
  }

  /** Throws job_busy. */
  async start(): Promise<void> {
    const { serve, askMs = 0 } = this.#ports;
    const until = performance.now() + askMs;
    let since = performance.now();
    let taking = await this.#take();
    for (; taking.kind === 'busy' && performance.now() < until; taking = await this.#take()) {
      await this.#ask(taking.other);
      since = performance.now();
    }
    if (taking.kind === 'busy') throw alreadyServed(serve, taking.other);
    await this.#askNoMore();
    const { turn } = taking;
    this.#turn = turn;
    this.#renewedAt = since;
    // It is written to all the same: so a full or broken disk shows before the next call does.
    this.#renewal = setInterval(() => {
      if (this.#ports.isOfUse?.() !== false) this.#renewing = this.#monitor.look(() => this.#renew(turn));
    }, this.#heldMs / renewals);
  }

  /**
   * Whether no other serve has had it, asked now, and for a while: it is renewed. While the catalogue does not answer nobody else can have taken
   * what has not run out. Throws what the catalogue throws once it may have.
   */
  async isOwn(): Promise<boolean> {
    const turn = this.#turn;
    // Renewed behind its release, it would be taken again.
    if (turn === undefined || this.#renewal === undefined) return false;
    const renewed = this.#renew(turn);
    this.#renewing = Promise.allSettled([this.#renewing, renewed]).then(() => undefined);
    try {
      await renewed;
    } catch (thrown) {
      if (this.hasRunOut) throw thrown;
    }

    return this.#isHeld();
  }

  /** The compiler's narrowing does not survive an await; this asks again. */
  #isHeld(): boolean {
    return this.#renewal !== undefined;
  }

  /** As isOwn, but not renewed: who is of no use lets it run out. */
  async isStillOwn(): Promise<boolean> {
    const turn = this.#turn;
    if (turn === undefined || !this.#isHeld()) return false;
    const { leases } = this.#ports.catalogue;
    const other = await leases.otherHolder(turn.job, thisProcess());
    const isAnothers = other !== undefined || (await leases.hasPassed(turn));

    // What another has, or has had since, is not taken by that, and `lost` is told.
    return isAnothers ? this.isOwn() : this.#isHeld();
  }

  get #heldMs(): number {
    return this.#ports.heldMs ?? leaseMs;
  }

  async #take(): Promise<Taking> {
    await this.#ports.free?.();

    return this.#ports.catalogue.leases.take(serveLease(this.#ports.serve), thisProcess(), this.#heldMs);
  }

  async #ask(other: LeaseHolder): Promise<void> {
    const { catalogue, serve, log } = this.#ports;
    if (this.#asked === undefined) log.info({ pid: other.pid }, 'calls asked back from the other worker');
    const taking = await catalogue.leases.take(wantedLease(serve), thisProcess(), this.#heldMs);
    if (taking.kind === 'taken') this.#asked = taking.turn;
    await sleep(askEveryMs);
  }

  async #askNoMore(): Promise<void> {
    if (this.#asked !== undefined) await this.#ports.catalogue.leases.release(this.#asked);
    this.#asked = undefined;
  }

  async stop(): Promise<void> {
    await this.#askNoMore();
    clearInterval(this.#renewal);
    const turn = this.#turn;
    this.#renewal = undefined;
    // Behind it, it would be taken again.
    await this.#renewing;
    if (turn !== undefined) await this.#ports.catalogue.leases.release(turn);
  }

  async #renew(turn: Turn): Promise<void> {
    const since = performance.now();
    const renewal = await this.#ports.catalogue.leases.renew(turn, thisProcess(), this.#heldMs);
    if (renewal.kind === 'held') this.#renewedAt = since;
    if (renewal.kind === 'held' || this.#renewal === undefined) return;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
    this.#ports.lost(hasLost(this.#ports.serve, renewal.to));
  }
}

/**
 * One serve and two workers of a PBX would take each other's calls, and end their recordings.
 *
 * @param others what may not be served beside this one
 * @throws PreavisError job_busy
 */
export async function refuseBeside(
  others: readonly ServeName[],
  catalogue: CataloguePart<{ leases: 'otherHolder' }>,
): Promise<void> {
  const found = await findHolder(others, catalogue);
  if (found === undefined) return;
  const { holder, serve } = found;
  throw new PreavisError('job_busy', `${processOf(holder)} serves ${nameOf(serve)} with this catalogue`, {
    hint: 'One serve and two workers do not go together: stop the one or the others, or give each PBX its own ari.pbx (docs/operations/workers.md).',
  });
}

/** The first of these that another process serves; undefined where none is. */
export async function findHolder(
  serves: readonly ServeName[],
  { leases }: CataloguePart<{ leases: 'otherHolder' }>,
): Promise<{ serve: ServeName; holder: LeaseHolder } | undefined> {
  for (const serve of serves) {
    const holder = await leases.otherHolder(serveLease(serve), thisProcess());
    if (holder !== undefined) return { serve, holder };
  }

  return undefined;
}

/** In words, for errors. */
export const processOf = ({ pid, host }: LeaseHolder): string => `another process (${pid} on ${host})`;
/** In words, for errors. */
export const nameOf = ({ pbx, application }: ServeName): string =>
  `the application ${application}${pbx === undefined ? '' : ` of the PBX ${pbx}`}`;

function alreadyServed(serve: ServeName, other: LeaseHolder): PreavisError {
  return new PreavisError(
    'job_busy',
    `two instances with one id: ${processOf(other)} serves ${nameOf(serve)} with this catalogue`,
    {
      hint: `Stop the other serve${serve.pbx === undefined ? '' : ', or give each PBX its own ari.pbx'} (and each of two workers its own ari.worker): only one takes the calls of an application. One that crashed where it cannot be seen from here keeps it for a minute more. So does \`preavis upload\` for a moment, while it ends open calls.`,
    },
  );
}

function hasLost(serve: ServeName, to: LeaseHolder | undefined): PreavisError {
  const by = to === undefined ? 'another process, which has ended since,' : processOf(to);

  return new PreavisError('lease_lost', `${by} has taken ${nameOf(serve)}, while this one stood still`);
}

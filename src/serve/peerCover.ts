import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectedIn } from '../call/session/session.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { serveLease, type ServeName } from '../catalogue/jobs/leases.ts';
import { whollyBoundTo, type Turn } from '../catalogue/jobs/turns.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { thisProcess } from '../core/processes.ts';
import { ReleaseStack } from './releaseStack.ts';
import type { ServedApplication } from './servedApplication.ts';
import { ServeLease, wantedLease } from './serveLease.ts';

/** How often it is seen whether the other worker is there, and whether it asks for its calls, ms. */
const lookEveryMs = 1_000;
/** After the start of both they are each for themselves; a worker that is not there then does not come, ms. */
const firstAfterMs = 5_000;
/**
 * After an outage of Asterisk, or of the catalogue, both workers have let their leases run out, and come back at the same time. Each renews its own meanwhile,
 * before anybody looks at the other's, ms.
 */
const connectedMs = 3_000;
/** An answer that took longer tells of an outage: a renewal of the other worker may be waiting behind it, ms. */
const outageMs = 2_000;
/** How long callers who hear the notice may take to be connected before their calls are given back, ms. */
const unconnectedMs = 30_000;
const pollMs = 100;

export type PeerCoverPorts = {
  /** Bound to no turn. */
  catalogue: Catalogue;
  /** Of this worker itself: once it has passed, nothing is taken from the other one. Both would end else, where both had stood still. */
  turn: Turn;
  /** The application of the other worker. */
  serve: ServeName;
  /** What has its calls, to be written by this catalogue; and what ends its connections. */
  make: (lease: ServeLease) => Promise<{ served: ServedApplication; close: () => void }>;
  /** Whether Asterisk is there: else this worker can do no more for their callers than the other one. */
  isConnected: () => boolean;
  heldMs: number;
  /** As of ServeLease. */
  free: () => Promise<void>;
  log: Logger;
  /** Told where this process stood still while it had them, and the other worker has them again. */
  lost: (error: PreavisError) => void;
};

type Covering = { served: ServedApplication; lease: ServeLease; parts: ReleaseStack };

/**
 * The calls of the other worker, while that one is not there: its application is opened here, and its calls are taken up as by a
 * restart. It is there no more when its lease is over, or is seen to have died. When it comes back, it asks for them.
 */
export class PeerCover {
  readonly #ports: PeerCoverPorts;
  readonly #stopping = new AbortController();
  #covering: Covering | undefined;
  /** Of the other worker, from when it is taken on. */
  #lease: ServeLease | undefined;
  /** Since when this worker has had Asterisk and the catalogue, as far as was seen; monotonic time, ms. */
  #connectedSince: number | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(ports: PeerCoverPorts) {
    this.#ports = { ...ports, catalogue: whollyBoundTo(ports.catalogue, ports.turn) };
  }

  /** How many calls of the other worker are had here. */
  get size(): number {
    return this.#covering?.served.registry.size ?? 0;
  }

  /** Of the other worker, while its calls are had here. */
  get covered(): ServedApplication | undefined {
    return this.#covering?.served;
  }

  /** Also while its calls are being taken up. */
  get lease(): ServeLease | undefined {
    return this.#lease;
  }

  start(): void {
    this.#looking = this.#keepLooking();
  }

  /** From now on callers of the other worker's application are sent on as well. */
  stopAccepting(): void {
    this.#covering?.served.registry.stopAccepting();
  }

  /** As of an own application: waits until the calls have ended, or `forced`. */
  async stop(forced: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    // They may have been taken up meanwhile.
    this.stopAccepting();
    await this.#giveUp(forced);
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#stopping;
    const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
    this.#noteConnected();
    await pause(firstAfterMs);
    let isFailing = false;
    while (!signal.aborted) {
      this.#noteConnected();
      try {
        await this.#look();
        isFailing = false;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        this.#connectedSince = undefined;
        if (!isFailing)
          this.#ports.log.warn(
            { code: error.code, err: error },
            'calls of the other worker not taken over; will retry',
          );
        isFailing = true;
      }
      await pause(lookEveryMs);
    }
  }

  #noteConnected(): void {
    this.#connectedSince = this.#ports.isConnected() ? (this.#connectedSince ?? performance.now()) : undefined;
  }

  get #isConnectedForLong(): boolean {
    return this.#connectedSince !== undefined && performance.now() - this.#connectedSince >= connectedMs;
  }

  async #look(): Promise<void> {
    const { catalogue, serve, log } = this.#ports;
    const askedAt = performance.now();
    const isWanted = (await catalogue.leases.otherHolder(wantedLease(serve), thisProcess())) !== undefined;
    if (this.#covering === undefined) {
      if (!isWanted) await this.#take(askedAt);
      return;
    }
    if (!isWanted) return;
    log.info({ application: serve.application }, 'giving calls back to the other worker');
    this.stopAccepting();
    await this.#giveUp(await this.#connected());
  }

  async #take(askedAt: number): Promise<void> {
    const { catalogue, serve, make, heldMs, free, log, lost, isConnected: isOfUse } = this.#ports;
    if (!this.#isConnectedForLong) return;
    // Most often the other one is there, and nothing is written.
    if ((await catalogue.leases.otherHolder(serveLease(serve), thisProcess())) !== undefined) return;
    if (performance.now() - askedAt > outageMs) {
      this.#connectedSince = undefined;
      return;
    }
    const parts = new ReleaseStack((thrown) => {
      const error = asPreavisError(thrown);
      log.error({ code: error.code, err: error }, 'component not stopped cleanly');
    });
    try {
      const lease = await parts.use(
        new ServeLease({ catalogue, serve, log, failing: () => undefined, lost, heldMs, free, isOfUse }),
      );
      // Once it is given back it says nothing of this process any more.
      await parts.use({
        stop: () => {
          this.#covering = undefined;
          this.#lease = undefined;
        },
      });
      this.#lease = lease;
      const { served, close } = await make(lease);
      await parts.use({ stop: close });
      await parts.use(served.spool);
      await parts.use(served.link);
      await parts.use(served.deadman);
      this.#covering = { served, lease, parts };
      log.warn({ application: serve.application }, 'other worker away; its calls taken over');
    } catch (thrown) {
      await parts.release();
      // It came in between.
      if (asPreavisError(thrown).code !== 'job_busy') throw thrown;
    }
  }

  /** Aborted as soon as nobody is on the way to being connected: who is connected talks on while the calls change hands. */
  async #connected(): Promise<AbortSignal> {
    const until = performance.now() + unconnectedMs;
    const isSomebodyTold = (): boolean =>
      // Who is being rung for is not in a talk yet: its recorder would be asked for by nobody.
      this.#covering?.served.registry.states.some((state) => !isConnectedIn(state) || state.kind === 'dialling') ===
      true;
    const isInVain = (): boolean => this.#stopping.signal.aborted || !this.#ports.isConnected();
    while (isSomebodyTold() && performance.now() < until && !isInVain()) await sleep(pollMs);

    return AbortSignal.abort();
  }

  async #giveUp(forced: AbortSignal): Promise<void> {
    const covering = this.#covering;
    if (covering === undefined) return;
    await covering.served.link.leave(forced);
    await covering.parts.release();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { AriConnection } from '../ari/connection.ts';
import type { Deadman } from '../ari/deadman.ts';
import type { AriEvent } from '../ari/events.ts';
import type { AriQueries, AsteriskIdentity } from '../ari/port.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import type { Watch } from '../call/watch/watch.ts';
import { backoffMs } from '../core/backoff.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { renewEveryMs } from './serveLease.ts';

export type AsteriskLinkPorts = {
  connection: Pick<AriConnection, 'isOpen' | 'answers' | 'listen' | 'start' | 'stop'>;
  registry: Pick<CallRegistry, 'size' | 'handle' | 'connectionLost' | 'resync' | 'abandon'>;
  watch: Pick<Watch, 'seen' | 'goDeaf' | 'listenAgain' | 'isListening'>;
  deadman: Pick<Deadman, 'callCame' | 'lookBack' | 'lookNow'>;
  asterisk: Pick<AriQueries, 'identity' | 'time'>;
  /** Who Asterisk was before the first call. */
  identity: AsteriskIdentity;
  /** Whether another client has the event socket; undefined to take the application from whoever has it. */
  isHeld: (() => Promise<boolean>) | undefined;
  /** Gives the dialplan what it decides by itself. */
  tellDialplan: () => Promise<void>;
  /** Says in the catalogue that this process sees who joins a call. */
  noteServing: () => Promise<void>;
  /** Whether the other one of two workers is there, and has the calls that go on when this process leaves. */
  hasHeir: () => Promise<boolean>;
  /** How long Asterisk may take to answer on the event socket, ms. */
  heartbeatMs: number;
  log: Logger;
};

const drainPollMs = 100;
/** Asterisk forgets them with `clearglobalvars`, when its dialplan is loaded again, ms. */
const tellAgainMs = 60_000;
/** Pauses before calls are compared with Asterisk again. */
const comparePauses = { firstMs: 500, longestMs: 30_000 };

/** What has come over the event socket goes to the calls; after each (re)connection they are compared with Asterisk. */
export class AsteriskLink {
  readonly #ports: AsteriskLinkPorts;
  #identity: AsteriskIdentity;
  #isReplaced = false;
  /** From now on calls belong to the next process. */
  #isLeaving = false;
  #comparing: Promise<void> = Promise.resolve();
  /** Aborted when the connection is lost or everything stops: comparing calls with Asterisk is not repeated then. */
  #comparable = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;

  constructor(ports: AsteriskLinkPorts) {
    this.#ports = ports;
    this.#identity = ports.identity;
    ports.connection.listen({
      event: (event) => {
        this.#handle(event);
      },
      answered: (at) => {
        ports.watch.seen(at);
      },
      connected: () => {
        this.#connected();
      },
      disconnected: () => {
        this.#disconnected();
      },
    });
  }

  /** Of the Asterisk that this process is connected with, or was last. */
  get identity(): AsteriskIdentity {
    return this.#identity;
  }

  get isOpen(): boolean {
    return this.#ports.connection.isOpen;
  }

  /** Whether another process has taken over the Stasis application: calls go there. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Throws ari_unauthorized, ari_unreachable, application_held. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#noteServing(), renewEveryMs);
    this.#telling = setInterval(() => void this.#tellAgain(), tellAgainMs);
    await this.#ports.connection.start(this.#ports.isHeld);
  }

  async stop(): Promise<void> {
    await this.#ports.connection.stop();
    clearInterval(this.#timer);
    clearInterval(this.#telling);
  }

  /** Resolves when no comparison is under way; one that fails is repeated for as long as the connection lasts. */
  compared(): Promise<void> {
    return this.#comparing;
  }

  /** Waits until the calls have ended, or `forced`; those that are left belong to the next process. */
  async leave(forced: AbortSignal): Promise<void> {
    const { registry } = this.#ports;
    while (registry.size > 0 && !forced.aborted) await sleep(drainPollMs);
    // Beside the rest: the catalogue may not answer for seconds.
    const telling = registry.size > 0 ? this.#tellLeft(registry.size) : undefined;
    this.#isLeaving = true;
    await registry.abandon();
    this.#comparable.abort();
    await Promise.all([this.#comparing, telling]);
  }

  async #tellLeft(calls: number): Promise<void> {
    const { hasHeir, log } = this.#ports;
    // Where the catalogue does not answer, nobody knows.
    if (await hasHeir().catch(() => false)) log.info({ calls }, 'open calls left to the other worker');
    else log.warn({ calls }, 'open calls left for next start');
  }

  #handle(event: AriEvent): void {
    const { registry, watch, deadman } = this.#ports;
    if (event.type === 'applicationReplaced') {
      this.#isReplaced = true;
      watch.goDeaf();
      registry.connectionLost('application_taken');
    }
    registry.handle(event);
    watch.seen(event.at);
    if (event.type === 'channelArrived') deadman.callCame();
  }

  #connected(): void {
    // Openings may overlap, and the one before this has not been told to end.
    this.#comparable.abort();
    this.#ports.watch.goDeaf();
    if (this.#isLeaving) return;
    this.#comparable = new AbortController();
    const { signal } = this.#comparable;
    this.#comparing = this.#comparing.then(() => this.#compare(signal));
  }

  #disconnected(): void {
    // The next socket takes the application; it may be taken from it before it counts as connected.
    this.#isReplaced = false;
    this.#ports.watch.goDeaf();
    this.#ports.registry.connectionLost('connection_lost');
    this.#comparable.abort();
  }

  /** It may be another Asterisk, and events were missed. Repeated until it succeeds for every call. */
  async #compare(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        if ((await this.#compareOnce(signal)) === 'whole') return;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        this.#ports.log.error({ code: error.code, err: error }, 'calls not compared with Asterisk; will retry');
      }
      await sleep(backoffMs(failures, 0, comparePauses), undefined, { signal }).catch(() => undefined);
    }
  }

  async #compareOnce(signal: AbortSignal): Promise<'whole' | 'partly'> {
    const { registry, watch, deadman, connection, asterisk, heartbeatMs } = this.#ports;
    this.#identity = await asterisk.identity();
    const since = await asterisk.time();
    if (!(await connection.answers(heartbeatMs))) {
      throw new PreavisError('ari_unreachable', 'Asterisk does not answer on the event socket');
    }
    await this.#ports.tellDialplan();
    // Before it is found that calls have ended.
    await deadman.lookBack();
    const compared = await registry.resync();
    const isDeafAgain = signal.aborted || this.#isReplaced;
    if (!isDeafAgain && !watch.isListening) watch.listenAgain(since);
    deadman.lookNow();
    await this.#noteServing();

    return compared;
  }

  async #tellAgain(): Promise<void> {
    // What fails is told by the requests of the heartbeat.
    if (this.isOpen && !this.#isReplaced && !this.#isLeaving) await this.#ports.tellDialplan().catch(() => undefined);
  }

  /** While this process sees who joins a call: preavis upload ends the talks that were left where nobody has for long. */
  async #noteServing(): Promise<void> {
    const { watch, noteServing } = this.#ports;
    // What fails is told by the renewal of the lease.
    if (watch.isListening) await noteServing().catch(() => undefined);
  }
}

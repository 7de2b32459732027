import { setTimeout as sleep } from 'node:timers/promises';
import { doubledMs } from '../core/backoff.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { askTime } from './requests.ts';
import { tellsOfDeadman } from './deadmanRequests.ts';
import { parseAriEvent, usedEventTypes, type AriEvent } from './events.ts';
import { EventSocket, loadClient } from './eventSocket.ts';
import { hostAndPort, type AriRequest } from './httpClient.ts';
import type { AriListener } from './port.ts';
import { AppOwnership } from './appOwnership.ts';

/**
 * The event socket, kept open for ever, one after another. Events from while it was closed are gone; `connected` tells the
 * application to compare with Asterisk's state.
 *
 * A socket is opened only when Asterisk answers requests, and given up when it does not answer two in turn. With a socket
 * open Asterisk gives us every call, and one that we can do nothing for would wait in silence; without one, Stasis() returns
 * at once and the dialplan goes on (P3).
 *
 * States: idle -> connecting -> open -> connecting -> open ... -> stopped. `connected` is told on entering open,
 * `disconnected` whenever a socket closes, also one whose events came but that was not yet called open.
 */
export type AriConnectionOptions = {
  url: string;
  username: string;
  password: string;
  application: string;
  heartbeatMs: number;
  requestTimeoutMs: number;
  /** How often Asterisk is asked again to tell of every bridge, once a socket counts as open without, ms; 60,000 where it is not given. */
  bridgesAgainMs?: number;
  /** Without, the application is this process's for ever. */
  ownership?: Ownership;
};

/** Of an application that another process may have by right. */
export type Ownership = {
  /** Another client has opened it. */
  contested: () => void;
  /** Whose it is, asked before a socket is opened again; unknown as while the catalogue is away. */
  whose: () => Promise<'ours' | 'anothers' | 'unknown'>;
};

export type AriAccess = {
  request: AriRequest;
  /** As request, with a connection of its own: what is slow elsewhere does not keep it waiting. */
  probe: AriRequest;
  /** Lets later requests use new connections. */
  renew(): void;
};

/** Pause before a socket is opened again, ms: doubling from the first to the second while none proves to work. */
const reopenPauses = { firstMs: 100, longestMs: 5_000 };

/** Pauses after which Asterisk is asked again to tell of every bridge, before a socket counts as open without, ms. */
const bridgePausesMs = [100, 200, 400, 800];
const bridgesAgainMs = 60_000;

/** How long a process that leaves waits for an Asterisk that does not answer, ms. */
const partingLimitMs = 1_000;

type Client = Awaited<ReturnType<typeof loadClient>>;

export class AriConnection {
  readonly #options: AriConnectionOptions;
  readonly #ari: AriAccess;
  readonly #log: Logger;
  readonly #listeners = new Set<AriListener>();
  readonly #stopping = new AbortController();
  readonly #isFree: () => Promise<boolean>;
  readonly #takeovers: AppOwnership;
  #state: 'idle' | 'connecting' | 'open' = 'idle';
  #socket: EventSocket | undefined;
  #watch: NodeJS.Timeout | undefined;
  #isProbing = false;
  #watchesBridges = false;
  /** Until it is known whose the application is. */
  #waits = false;
  /** Another client has the application since it was opened last. */
  #isContested = false;
  /** The sockets that another client has taken the application from. */
  readonly #replaced = new WeakSet<EventSocket>();
  #stopped: Promise<void> | undefined;

  /** `isFree`: whether nobody, we neither, has a socket for the application. */
  constructor(options: AriConnectionOptions, ari: AriAccess, isFree: () => Promise<boolean>, log: Logger) {
    this.#options = options;
    this.#ari = ari;
    this.#log = log;
    this.#isFree = isFree;
    this.#takeovers = new AppOwnership(
      () => this.#isApplicationFree(),
      async () => (await this.#whose()) === 'anothers',
      log,
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Whether the events of bridges come that others have made. */
  get watchesBridges(): boolean {
    return this.#watchesBridges;
  }

  /** Whether Asterisk answers on the event socket, asked now. What it had sent before has been read then. */
  async answers(withinMs: number): Promise<boolean> {
    const socket = this.#socket;

    return this.isOpen && socket !== undefined && (await socket.answers(withinMs));
  }

  listen(listener: AriListener): void {
    this.#listeners.add(listener);
  }

  /**
   * Opens the socket. The first attempt tells at once when Asterisk refuses the user (ari_unauthorized) or does not
   * answer (ari_unreachable); a socket that was open once is reopened for ever.
   *
   * @param isHeld whether another client has one open; left out to take the application from whoever has it. Throws
   * application_held.
   */
  async start(isHeld?: () => Promise<boolean>): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'connecting';
    const { url, username, password } = this.#options;
    await this.#ari.probe('GET', '/asterisk/ping');
    if (isHeld === undefined) {
      if (!(await this.#isApplicationFree())) {
        this.#log.warn('Stasis application already registered in Asterisk');
      }
    } else if (await isHeld()) {
      throw new PreavisError(
        'application_held',
        `another client has the event socket of the Stasis application ${this.#options.application} open`,
      );
    }
    const client = await this.#guard(loadClient(url, username, password));
    if (this.#isStopped()) return;
    await this.#guard(this.#open(client));
    void this.#keepOpen(client);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();

    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#watch);
    // Older versions (16.28, 18.26) would go on making these events for nobody. Newer ones forget it with the socket; 22.10 answers 501.
    // Asterisk knows the application by its name alone: where another client has it, this would be theirs.
    if (this.#watchesBridges && this.#socket?.isOpen === true) {
      const application = encodeURIComponent(this.#options.application);
      const asked = this.#ari
        .probe('DELETE', `/applications/${application}/subscription`, { eventSource: 'bridge:' })
        .catch(() => undefined);
      await Promise.race([asked, sleep(partingLimitMs, undefined, { ref: false })]);
    }
    this.#socket?.leave();
  }

  /** The compiler's narrowing does not survive an await; this asks again. */
  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #isUsable(socket: EventSocket): boolean {
    return !this.#isStopped() && socket.isOpen;
  }

  async #guard<T>(attempt: Promise<T>): Promise<T> {
    try {
      return await attempt;
    } catch (cause) {
      const address = hostAndPort(this.#options.url);
      throw new PreavisError('ari_unreachable', `Asterisk does not open the event socket (${address})`, { cause });
    }
  }

  /** Never rejects, and returns when all is stopped. */
  async #keepOpen(client: Client): Promise<void> {
    for (let failures = 0; !this.#isStopped(); failures += 1) {
      const last = this.#socket;
      await last?.ended;
      if (last?.isProved === true) failures = 0;
      this.#socket = undefined;
      const pauseMs = doubledMs(failures, reopenPauses);
      await this.#pause(pauseMs);
      if (this.#isStopped()) return;
      try {
        await this.#ari.probe('GET', '/asterisk/ping');
        const may = await this.#mayOpen();
        if (may === 'never' || this.#isStopped()) return;
        if (may === 'later') continue;
        this.#isContested = false;
        await this.#open(client);
      } catch (thrown) {
        this.#log.debug({ code: asPreavisError(thrown).code }, 'Asterisk not reachable yet');
      }
    }
  }

  /** Where nobody knows whose the application is, it is this process's as long as nobody else has opened it. */
  async #mayOpen(): Promise<'now' | 'later' | 'never'> {
    const whose = await this.#whose();
    if (whose === 'anothers') return 'never';
    const may = whose === 'ours' || (!this.#isContested && (await this.#isApplicationFree())) ? 'now' : 'later';
    if (may === 'later' && !this.#waits) this.#log.warn('Stasis application not opened while its owner is unknown');
    this.#waits = may === 'later';

    return may;
  }

  async #whose(): Promise<'ours' | 'anothers' | 'unknown'> {
    return (await this.#options.ownership?.whose()) ?? 'ours';
  }

  async #open(client: Client): Promise<void> {
    const { application, heartbeatMs, requestTimeoutMs } = this.#options;
    const socket = new EventSocket(
      client,
      { application, heartbeatMs, openLimitMs: requestTimeoutMs },
      {
        message: (text) => {
          this.#receive(text, socket);
        },
        silent: () => {
          this.#log.warn('Asterisk event socket unresponsive');
        },
        closed: () => {
          this.#closed();
        },
      },
    );
    this.#socket = socket;
    await socket.opened;
    if (!this.#isUsable(socket)) return;
    this.#watch = setInterval(() => {
      void this.#probe(socket);
    }, heartbeatMs);
    await this.#reduceEvents();
    const isFinal = await this.#watchBridges(socket);
    // It closed meanwhile, as #closed has told.
    if (!this.#isUsable(socket)) return;
    this.#state = 'open';
    this.#log.info('connected to Asterisk');
    for (const listener of this.#listeners) listener.connected();
    if (!this.#watchesBridges && !isFinal) void this.#watchBridgesLater(socket);
  }

  #closed(): void {
    clearInterval(this.#watch);
    this.#watchesBridges = false;
    if (this.#isStopped()) return;
    // What broke the socket may have broken them as well.
    this.#ari.renew();
    if (this.#state === 'open') this.#log.warn('connection to Asterisk lost; reconnecting');
    this.#state = 'connecting';
    for (const listener of this.#listeners) listener.disconnected();
  }

  /** Asks Asterisk (16.7, 17.1 and later) to send only the events we use: the others are four out of five. */
  async #reduceEvents(): Promise<void> {
    const path = `/applications/${encodeURIComponent(this.#options.application)}/eventFilter`;
    try {
      await this.#ari.request('PUT', path, undefined, { allowed: usedEventTypes.map((type) => ({ type })) });
    } catch (error) {
      this.#log.debug({ code: asPreavisError(error).code }, 'Asterisk event filter not supported');
    }
  }

  /**
   * Asks for the events of every bridge: whoever talks behind a Local/ channel does so in a bridge of the dialplan. To be asked on each
   * socket anew, before bridges of ours are made: each of their events would come twice.
   *
   * @returns whether its answer is final
   */
  async #watchBridges(socket: EventSocket): Promise<boolean> {
    this.#watchesBridges = false;
    for (let tries = 0; this.#isUsable(socket); tries += 1) {
      const refusal = await this.#askForBridges();
      if (refusal === undefined) {
        this.#watchesBridges = socket.isOpen && !this.#replaced.has(socket);
        return true;
      }
      if (refusal.code === 'ari_unreachable') {
        socket.end();
        await socket.ended;
        return true;
      }
      const isFinal = refusal.code === 'ari_unauthorized' || refusal.code === 'ari_not_found';
      const pauseMs = bridgePausesMs[tries];
      if (isFinal || pauseMs === undefined) {
        const about = { code: refusal.code, err: refusal };
        this.#log.error(about, 'bridge events unavailable; calls over Local/ channels not recorded');
        return isFinal;
      }
      await this.#pause(pauseMs);
    }

    return true;
  }

  /** On a new socket what is in those bridges is compared; here it would not be known. */
  async #watchBridgesLater(socket: EventSocket): Promise<void> {
    for (;;) {
      await this.#pause(this.#options.bridgesAgainMs ?? bridgesAgainMs);
      if (!this.#isUsable(socket) || this.#replaced.has(socket)) return;
      const refusal = await this.#askForBridges();
      if (refusal !== undefined) {
        this.#log.warn({ code: refusal.code }, 'bridge events still unavailable');
        continue;
      }
      this.#log.info('bridge events available again; reconnecting');
      socket.end();

      return;
    }
  }

  async #askForBridges(): Promise<PreavisError | undefined> {
    const path = `/applications/${encodeURIComponent(this.#options.application)}/subscription`;
    try {
      await this.#ari.request('POST', path, { eventSource: 'bridge:' });
      return undefined;
    } catch (thrown) {
      return asPreavisError(thrown);
    }
  }

  /** Ends early when all is stopped. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /**
   * Gives the socket up when requests are not answered: one may be lost on the way, two in turn are not chance. An answer has Asterisk's
   * time: what it had sent before is read once it answers on the socket as well.
   */
  async #probe(socket: EventSocket): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    // A refusal is no answer either: with a password that is right no more, nothing can be done for a caller.
    const ask = (): Promise<number | undefined> => askTime(this.#ari.probe).catch(() => undefined);
    const at = (await ask()) ?? (await ask());
    this.#isProbing = false;
    if (!this.#isUsable(socket)) return;
    if (at === undefined) {
      this.#log.warn('Asterisk requests unanswered; reconnecting');
      socket.end();
      return;
    }
    const isAnswered = await socket.answers(this.#options.heartbeatMs);
    if (isAnswered && this.#socket === socket && this.isOpen)
      for (const listener of this.#listeners) listener.answered(at);
  }

  /** What cannot be told now is told later. */
  #isApplicationFree(): Promise<boolean> {
    return this.#isFree().catch(() => false);
  }

  #receive(text: string, socket: EventSocket): void {
    let event: AriEvent | undefined;
    try {
      event = parseAriEvent(JSON.parse(text));
    } catch {
      this.#log.warn({ code: 'ari_event_invalid' }, 'invalid Asterisk event ignored');
    }
    if (event === undefined || tellsOfDeadman(event, this.#options.application)) return;
    if (event.type === 'applicationReplaced') {
      this.#replaced.add(socket);
      this.#isContested = true;
      this.#options.ownership?.contested();
      if (this.#socket === socket) this.#watchesBridges = false;
      void this.#takeovers.takeBack(socket);
    }
    try {
      for (const listener of this.#listeners) listener.event(event);
    } catch (thrown) {
      // A fault of ours in one call must not end the others.
      const error = asPreavisError(thrown);
      this.#log.error({ code: error.code, err: error, event: event.type }, 'event handling failed');
    }
  }
}

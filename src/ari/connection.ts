import { connect, type Client } from 'ari-client';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { parseAriEvent, usedEventTypes } from './events.ts';
import { hostAndPort, type AriRequest } from './http.ts';
import type { AriListener } from './port.ts';

/**
 * The event socket, by ari-client, kept open for ever. The only file that knows ari-client.
 *
 * ari-client reconnects by itself ten times (about 43 s) and then only emits WebSocketMaxRetries: that starts its next
 * ten tries here. A heartbeat replaces a socket that went silent. Listeners on its resource objects leak, so there is
 * one on the client alone. Events from while the socket was closed are gone; `connected` tells the application to
 * compare with Asterisk's state.
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
};

// swagger-client, which ari-client loads, writes notices to standard output by a global function of this name; our log
// lines go there.
Object.defineProperty(globalThis, 'log', { value: () => undefined });

/** Pause between two rounds of ari-client's own ten tries. */
const roundPauseMs = 2_000;

export class AriConnection {
  readonly #options: AriConnectionOptions;
  readonly #request: AriRequest;
  readonly #log: Logger;
  readonly #listeners = new Set<AriListener>();
  #client: Client | undefined;
  #state: 'idle' | 'connecting' | 'open' | 'stopped' = 'idle';
  #heartbeat: NodeJS.Timeout | undefined;
  #nextRound: NodeJS.Timeout | undefined;
  #lastPong = 0;

  constructor(options: AriConnectionOptions, request: AriRequest, log: Logger) {
    this.#options = options;
    this.#request = request;
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  listen(listener: AriListener): void {
    this.#listeners.add(listener);
  }

  /**
   * Opens the socket. The first attempt tells at once when Asterisk refuses the user (ari_unauthorized) or does not
   * answer (ari_unreachable); a socket that was open once is reopened for ever.
   */
  async start(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'connecting';
    const { url, username, password, application } = this.#options;
    await this.#request('GET', '/asterisk/ping');
    const client = await this.#guard(connect(url, username, password));
    this.#client = client;
    makeEventsPlain(client);
    client.on('*', (raw: unknown) => {
      this.#receive(raw);
    });
    client.on('pong', () => {
      this.#lastPong = performance.now();
    });
    client.on('WebSocketReconnecting', () => {
      this.#closed();
    });
    client.on('WebSocketMaxRetries', () => {
      this.#nextRound = setTimeout(() => {
        // Refusals are told by the next WebSocketMaxRetries.
        client.start(application).catch(() => undefined);
      }, roundPauseMs);
    });
    await this.#guard(client.start(application));
    await this.#opened(client);
    client.on('WebSocketConnected', () => {
      void this.#opened(client);
    });
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearInterval(this.#heartbeat);
    clearTimeout(this.#nextRound);
    this.#client?.stop();
  }

  async #guard<T>(attempt: Promise<T>): Promise<T> {
    try {
      return await attempt;
    } catch (cause) {
      const address = hostAndPort(this.#options.url);
      throw new PreavisError('ari_unreachable', `Asterisk does not open the event socket (${address})`, { cause });
    }
  }

  async #opened(client: Client): Promise<void> {
    await this.#reduceEvents();
    if (this.#isStopped()) {
      client._ws?.terminate();
      return;
    }
    this.#state = 'open';
    this.#beat(client);
    this.#log.info('connected to Asterisk');
    for (const listener of this.#listeners) listener.connected();
  }

  #closed(): void {
    clearInterval(this.#heartbeat);
    if (this.#isStopped()) return;
    if (this.#state === 'open') this.#log.warn('lost the connection to Asterisk; reconnecting');
    this.#state = 'connecting';
    for (const listener of this.#listeners) listener.disconnected();
  }

  /** The compiler's narrowing of #state does not survive an await; this asks again. */
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Asks Asterisk (16.7, 17.1 and later) to send only the events we use: the others are four out of five. */
  async #reduceEvents(): Promise<void> {
    const path = `/applications/${encodeURIComponent(this.#options.application)}/eventFilter`;
    try {
      await this.#request('PUT', path, undefined, { allowed: usedEventTypes.map((type) => ({ type })) });
    } catch (error) {
      this.#log.debug({ code: asPreavisError(error).code }, 'Asterisk does not filter events');
    }
  }

  #receive(raw: unknown): void {
    try {
      const event = parseAriEvent(raw);
      if (event === undefined) return;
      for (const listener of this.#listeners) listener.event(event);
    } catch (cause) {
      const error = new PreavisError('ari_event_invalid', 'an event from Asterisk was left aside', { cause });
      this.#log.warn({ code: error.code }, error.message);
    }
  }

  #beat(client: Client): void {
    const { heartbeatMs } = this.#options;
    clearInterval(this.#heartbeat);
    this.#lastPong = performance.now();
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastPong > 2 * heartbeatMs) {
        this.#log.warn('Asterisk does not answer on the event socket');
        client._ws?.terminate();
      } else {
        client.ping();
      }
    }, heartbeatMs);
  }
}

/**
 * ari-client looks up the model of each event in a list, and makes an object with every operation for each channel,
 * bridge and so on in it: half of what an event costs, for what nobody here uses.
 */
function makeEventsPlain(client: Client): void {
  const { events } = client._swagger.apis;
  const types = [...usedEventTypes, ...Object.keys(events.models)];
  events.models = Object.fromEntries(types.map((type) => [type, { properties: [] }]));
}

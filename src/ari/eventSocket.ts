import { connect, type Client } from 'ari-client';
import { settleInTime } from '../core/timeLimit.ts';

/**
 * One event socket, by ari-client: from its opening, within a time limit, to its end. The only file that knows ari-client.
 *
 * ari-client's own reconnecting is switched off: it gives up after ten tries, waits for ever for an Asterisk that accepts
 * a connection and never answers on it, and opens sockets while Asterisk answers no requests. Listeners on its resource
 * objects leak; there are none.
 *
 * A heartbeat ends a socket that went silent. Only pongs count: when events come and our pings do not arrive, the
 * connection is broken all the same.
 */
export type EventSocketOptions = {
  application: string;
  /** From the first packet to the end of the WebSocket handshake, ms. */
  openLimitMs: number;
  /** Interval of the ping, ms. A socket is ended after twice that without a pong. */
  heartbeatMs: number;
};

export type EventSocketListener = {
  message(text: string): void;
  /** No pong came in time; `closed` follows. */
  silent(): void;
  /** Once, and only of a socket that was open. */
  closed(): void;
};

// swagger-client, which ari-client loads, writes notices to standard output by a global function of this name; our log
// lines go there.
Object.defineProperty(globalThis, 'log', { value: () => undefined });

/** How long ari-client may take to fetch the description of ARI, about 300 kB, ms. */
const describeLimitMs = 30_000;
/** How long the closing handshake may take, ms. */
const leaveLimitMs = 1_000;
/** A timer that is so late tells of a standstill of this process, ms. */
const standstillMs = 500;

/** Rejects when Asterisk refuses the user, or does not answer in time. */
export function loadClient(url: string, username: string, password: string): Promise<Client> {
  return settleInTime(describeLimitMs, connect(url, username, password), () => {
    throw new Error('the description of ARI did not come in time');
  });
}

export class EventSocket {
  readonly #options: EventSocketOptions;
  readonly #listener: EventSocketListener;
  readonly #socket: Client['_ws'];
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #ping: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #pings = 0;
  #pongs = 0;
  /** Who waits for the answer to that ping, or to one behind it. */
  #asking: { ping: number; answered: () => void }[] = [];
  /** Resolves when it is open; rejects when it ends before. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed, from whatever state. */
  readonly ended: Promise<void>;

  constructor(client: Client, options: EventSocketOptions, listener: EventSocketListener) {
    this.#options = options;
    this.#listener = listener;
    // It settles by the listeners below as well; what it refuses with is told by them.
    client.start(options.application).catch(() => undefined);
    client._wsClosed = true;
    const socket = client._ws;
    this.#socket = socket;
    const limit = setTimeout(() => {
      socket.terminate();
    }, options.openLimitMs);
    // ari-client's own listener makes an object with every operation for each part of an event, and throws for an event
    // that is not in the list of the Asterisk that it met first.
    socket.removeAllListeners('message');
    socket.on('message', (data) => {
      this.#listener.message(data.toString());
    });
    socket.on('pong', (payload) => {
      this.#pongs += 1;
      this.#await();
      this.#answered(Number(payload.toString()));
    });
    this.opened = new Promise((resolve, reject) => {
      socket.on('open', () => {
        clearTimeout(limit);
        this.#state = 'open';
        this.#beat();
        resolve();
      });
      socket.on('close', () => {
        reject(new Error('the event socket was not opened'));
      });
    });
    this.opened.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        clearTimeout(limit);
        this.#closed();
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Whether Asterisk has answered on it: not so of one that is closed as soon as it is open. */
  get isProved(): boolean {
    return this.#pongs > 0;
  }

  /** Whether Asterisk answers on it, asked now, within this time, ms. An answer from before that is read only now is none. */
  answers(withinMs: number): Promise<boolean> {
    if (this.#state !== 'open') return Promise.resolve(false);
    const ping = this.#sendPing();

    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        resolve(false);
      }, withinMs);
      const answered = (): void => {
        clearTimeout(limit);
        resolve(this.#state === 'open');
      };
      this.#asking.push({ ping, answered });
    });
  }

  /** At once; Asterisk is told by the end of the connection. */
  end(): void {
    this.#socket.terminate();
  }

  /** By the closing handshake of WebSocket, and at once when Asterisk does not answer it. */
  leave(): void {
    this.#socket.close();
    const limit = setTimeout(() => {
      this.end();
    }, leaveLimitMs);
    void this.ended.then(() => {
      clearTimeout(limit);
    });
  }

  #closed(): void {
    clearInterval(this.#ping);
    clearTimeout(this.#deadline);
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#answered(this.#pings);
    if (wasOpen) this.#listener.closed();
  }

  /** Its number is its payload, which Asterisk sends back. */
  #sendPing(): number {
    this.#pings += 1;
    this.#socket.ping(String(this.#pings));

    return this.#pings;
  }

  /** By the answer to this ping. */
  #answered(ping: number): void {
    const waiting = this.#asking;
    this.#asking = waiting.filter((each) => !(each.ping <= ping));
    for (const each of waiting) if (each.ping <= ping) each.answered();
  }

  #beat(): void {
    this.#sendPing();
    this.#ping = setInterval(() => {
      this.#sendPing();
    }, this.#options.heartbeatMs);
    this.#await();
  }

  /** Gives the next pong its time, counted from now. */
  #await(): void {
    const limitMs = 2 * this.#options.heartbeatMs;
    const since = performance.now();
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      if (this.#state !== 'open') return;
      // This process stood still itself, and has neither sent pings nor read pongs meanwhile.
      if (performance.now() - since > limitMs + standstillMs) {
        this.#await();
        return;
      }
      // A pong may have come while this process was busy: what was received is read after the timers.
      const seen = this.#pongs;
      setImmediate(() => {
        if (this.#state !== 'open' || this.#pongs !== seen) return;
        this.#listener.silent();
        this.end();
      });
    }, limitMs);
  }
}

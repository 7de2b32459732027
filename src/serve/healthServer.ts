import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { singleFlight } from '../core/singleFlight.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import type { Health } from './health.ts';

/** For a whole request, ms: no matter how slowly it comes, or whether it comes at all. */
const requestLimitMs = 5_000;
/** How often it is seen who is beyond that, ms; Node's own 30 s would leave each of them another half a minute. */
const lookEveryMs = 1_000;
/** A monitor needs one or two. */
const mostConnections = 128;

/** A browser that was led here keeps nothing and takes nothing for a page; one connection is one request. */
const everyAnswer = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', connection: 'close' };

/** For who would end and start again what does not answer: this page does, whatever can be recorded. */
const alive = { status: 'alive' } as const;

/**
 * Serves `GET` and `HEAD /health`, 200 while calls can be recorded, else 503, `/live`, always 200, and `GET /metrics` for Prometheus. Throws
 * config_invalid when it cannot listen. Whoever connects can neither stop it nor keep a connection.
 */
export class HealthPage {
  readonly #server: Server;

  constructor(health: () => Health, metrics: Metrics) {
    const metricsText = singleFlight(() => metrics.text());
    const limits = {
      headersTimeout: requestLimitMs,
      requestTimeout: requestLimitMs,
      connectionsCheckingInterval: lookEveryMs,
    };
    this.#server = createServer(limits, (request, response) => {
      if (request.method === 'GET' && request.url === '/metrics') {
        metricsText().then(
          (text) => {
            response.writeHead(200, { ...everyAnswer, 'content-type': metrics.contentType }).end(text);
          },
          () => {
            response.writeHead(500, everyAnswer).end();
          },
        );
        return;
      }
      const asked = request.method === 'GET' || request.method === 'HEAD';
      const page = asked ? request.url : undefined;
      if (page === '/health') {
        const state = health();
        answer(response, state.status === 'ok' ? 200 : 503, state);
      } else if (page === '/live') answer(response, 200, alive);
      else response.writeHead(404, everyAnswer).end();
    });
    this.#server.maxConnections = mostConnections;
    this.#server.maxRequestsPerSocket = 1;
    // Who does not read an answer, either.
    this.#server.setTimeout(requestLimitMs, (socket) => {
      socket.destroy();
    });
  }

  /** The port it listens on. */
  async start(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(
          new PreavisError(
            'config_invalid',
            `health.port: cannot listen on ${host}:${port} (${errnoOf(cause) ?? ''})`,
            {
              cause,
            },
          ),
        );
      });
      this.#server.listen(port, host, resolve);
    });

    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }
}

/** For HEAD, node:http sends the head alone. */
function answer(response: ServerResponse, status: number, what: object): void {
  const body = `${JSON.stringify(what)}\n`;
  const head = { ...everyAnswer, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, head).end(body);
}

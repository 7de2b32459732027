import http from 'node:http';
import https from 'node:https';
import { errnoOf, PreavisError } from '../core/errors.ts';

/**
 * Requests to ARI over kept-alive connections.
 *
 * ari-client's own requests open a TCP connection each, cost several times the CPU, and throw the HTTP status away, so
 * that "this channel is gone" (404) could only be told by its text; see docs/architecture.md.
 */
export type AriRequest = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  query?: Record<string, string>,
  body?: unknown,
) => Promise<unknown>;

/** Host and port of an address, for error texts: without what else it may hold, such as a password. */
export function hostAndPort(url: string): string {
  const { protocol, hostname, port } = new URL(url);

  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

export type AriHttpOptions = { url: string; username: string; password: string; timeoutMs: number };

/** What one request is called in an error: the path without ids, which may come from a caller. */
function nameOf(method: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return `${method} /${parts.filter((_, index) => index % 2 === 0).join('/')}`;
}

function failure(status: number, what: string): PreavisError {
  if (status === 401 || status === 403) return new PreavisError('ari_unauthorized', `${what} was refused (${status})`);
  if (status === 404) return new PreavisError('ari_not_found', `${what}: not found`);
  return new PreavisError('ari_request_failed', `${what} failed with HTTP ${status}`);
}

/** Makes the request function. `close` ends idle connections. */
export function makeAriHttp(options: AriHttpOptions): { request: AriRequest; close: () => void } {
  const base = new URL(options.url);
  const secure = base.protocol === 'https:';
  const agentOptions = { keepAlive: true, maxSockets: 16, scheduling: 'fifo' as const };
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  const authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
  const address = hostAndPort(options.url);
  const root = base.pathname.replace(/\/$/, '');

  const once: AriRequest = (method, path, query, body) =>
    new Promise((resolve, reject) => {
      const what = nameOf(method, path);
      const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const outgoing = (secure ? https : http).request(
        {
          protocol: base.protocol,
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? (secure ? 443 : 80) : base.port,
          method,
          path: `${root}/ari${path}${search}`,
          agent,
          // The whole request, with the wait for a connection.
          signal: AbortSignal.timeout(options.timeoutMs),
          headers: {
            authorization,
            ...(payload === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', (cause) => {
            reject(new PreavisError('ari_unreachable', `${what}: the answer broke off (${address})`, { cause }));
          });
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status < 200 || status > 299) {
              reject(failure(status, what));
              return;
            }
            const text = Buffer.concat(chunks).toString('utf8');
            try {
              resolve(text === '' ? undefined : JSON.parse(text));
            } catch (cause) {
              reject(new PreavisError('ari_request_failed', `${what}: the answer is not JSON`, { cause }));
            }
          });
        },
      );
      outgoing.on('error', (cause) => {
        const stale = outgoing.reusedSocket && errnoOf(cause) === 'ECONNRESET';
        reject(
          new PreavisError(
            'ari_unreachable',
            `${what}: ${cause.name === 'AbortError' || cause.name === 'TimeoutError' ? 'no answer in time' : (errnoOf(cause) ?? cause.message)} (${address})`,
            {
              cause: stale ? new StaleConnection() : cause,
            },
          ),
        );
      });
      outgoing.end(payload);
    });

  return {
    // Asterisk closes an idle connection at will; a request that met the closing never ran and is sent once more.
    request: async (method, path, query, body) => {
      try {
        return await once(method, path, query, body);
      } catch (error) {
        if (error instanceof PreavisError && error.cause instanceof StaleConnection) {
          return once(method, path, query, body);
        }
        throw error;
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

class StaleConnection extends Error {}

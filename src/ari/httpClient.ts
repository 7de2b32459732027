import { buildConnector, errors, Pool, type Dispatcher } from 'undici';
import { errnoOf, PreavisError } from '../core/errors.ts';

/**
 * Requests to ARI over kept-alive connections.
 *
 * ari-client's own requests open a TCP connection each, cost several times the CPU, and throw the HTTP status away, so
 * that "this channel is gone" (404) could only be told by its text; see docs/decisions.md.
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

export type AriHttpOptions = {
  url: string;
  username: string;
  password: string;
  timeoutMs: number;
  /** How many connections to Asterisk there are at most. */
  connections?: number;
};

export type AriHttp = {
  request: AriRequest;
  /** Later requests use new connections: the kept ones may lead nowhere. Requests under way stay on theirs. */
  renew: () => void;
  /** Ends every connection. */
  close: () => void;
};

/** What one request is called in an error: the path without ids, which may come from a caller. */
export function nameOf(method: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return `${method} /${parts.filter((_, index) => index % 2 === 0).join('/')}`;
}

/** Asterisk's user and password, as a header. */
export const authorizationOf = ({ username, password }: Pick<AriHttpOptions, 'username' | 'password'>): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The path before that of each request: Asterisk's `prefix` of http.conf, and that of ARI. */
export const rootOf = (url: string): string => `${new URL(url).pathname.replace(/\/$/, '')}/ari`;

/** The cause where something is not there (404), or not in Stasis (409): what was answered. Not an Error, so that logs leave it out. */
export class RefusalAnswer {
  /** Asterisk says so in JSON; a proxy before it has a page of its own. */
  readonly isAsterisks: boolean;

  constructor(text: string) {
    this.isAsterisks = hasMessage(text);
  }
}

function hasMessage(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);

    return typeof answer === 'object' && answer !== null && 'message' in answer;
  } catch {
    return false;
  }
}

export function failure(status: number, what: string, text: string): PreavisError {
  if (status === 401 || status === 403) return new PreavisError('ari_unauthorized', `${what} was refused (${status})`);
  if (status === 404) {
    return new PreavisError('ari_not_found', `${what}: not found`, { cause: new RefusalAnswer(text) });
  }
  const cause = status === 409 ? new RefusalAnswer(text) : undefined;
  return new PreavisError('ari_request_failed', `${what} failed with HTTP ${status}`, { cause });
}

const defaultConnections = 16;
/** An idle connection is closed before Asterisk does it (session_keep_alive of http.conf, 15 s by default), ms. */
const idleMs = 10_000;

class Expired extends Error {}

/** What went wrong below HTTP. `cause` is an error of Node or of undici. */
export function unreachable(what: string, address: string, cause: unknown): PreavisError {
  const code = errnoOf(cause) ?? '';
  const broken = code === '' || code.startsWith('UND_ERR_');
  const reason = cause instanceof Expired ? 'no answer in time' : broken ? 'the connection broke off' : code;

  return new PreavisError('ari_unreachable', `${what}: ${reason} (${address})`, { cause });
}

/**
 * Marks the errors of connections on which an answer had come before: Asterisk closed a kept connection as the next
 * request was sent, and that one never ran. On a new connection it may have run.
 */
function markStale(stale: WeakSet<object>, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });

  return (options, callback) => {
    connect(options, (...result) => {
      const [, socket] = result;
      socket?.once('error', (error: Error) => {
        if (socket.bytesRead > 0) stale.add(error);
      });
      callback(...result);
    });
  };
}

function neverRan(cause: unknown, stale: WeakSet<object>): boolean {
  if (cause instanceof errors.SocketError) return (cause.socket?.bytesRead ?? 0) > 0;

  return typeof cause === 'object' && cause !== null && stale.has(cause);
}

/**
 * One request, whose time is counted with the wait for a connection. undici's lowest interface: each of those above makes a
 * stream of the answer, which costs as much again.
 */
function send(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    let expired: Expired | undefined;
    let running: Dispatcher.DispatchController | undefined;
    let status = 0;
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      expired = new Expired();
      running?.abort(expired);
      reject(expired);
    }, timeoutMs);
    pool.dispatch(options, {
      onRequestStart: (controller) => {
        running = controller;
        if (expired !== undefined) controller.abort(expired);
      },
      onResponseStart: (_, code) => {
        status = code;
      },
      onResponseData: (_, chunk) => {
        chunks.push(chunk);
      },
      onResponseEnd: () => {
        clearTimeout(timer);
        resolve({ status, text: Buffer.concat(chunks).toString() });
      },
      onResponseError: (_, error) => {
        clearTimeout(timer);
        // What has been answered has run: it must not pass for a request that never did.
        reject(status === 0 ? error : new Error('the answer is incomplete', { cause: error }));
      },
    });
  });
}

function parse(text: string, what: () => string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PreavisError('ari_request_failed', `${what()}: the answer is not JSON`, { cause });
  }
}

/** The pool of the moment, and those before it that still have requests under way. */
function makePools(make: () => Pool): { current: () => Pool; renew: () => void; close: () => void } {
  const all = new Set<Pool>();
  let current = make();
  all.add(current);

  return {
    current: () => current,
    renew: () => {
      const old = current;
      current = make();
      all.add(current);
      // Ends its idle connections now, the others when they have been answered or have had their time.
      void old.close().finally(() => all.delete(old));
    },
    close: () => {
      // Refusals of what is still under way go to those who asked.
      for (const pool of all) void pool.destroy();
    },
  };
}

/** Makes the request function. */
export function makeAriHttp(options: AriHttpOptions): AriHttp {
  const base = new URL(options.url);
  const stale = new WeakSet<object>();
  /** Refusals of requests that never ran. */
  const again = new WeakSet<PreavisError>();
  const pools = makePools(
    () =>
      new Pool(base.origin, {
        connections: options.connections ?? defaultConnections,
        keepAliveTimeout: idleMs,
        connect: markStale(stale, options.timeoutMs),
      }),
  );
  const authorization = authorizationOf(options);
  const address = hostAndPort(options.url);
  const root = rootOf(options.url);

  const once: AriRequest = async (method, path, query, body) => {
    const pool = pools.current();
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const { status, text } = await send(
      pool,
      {
        method,
        path: `${root}${path}${search}`,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: body === undefined ? null : JSON.stringify(body),
      },
      options.timeoutMs,
    ).catch((cause: unknown) => {
      const error = unreachable(nameOf(method, path), address, cause);
      if (neverRan(cause, stale)) again.add(error);
      // A firewall that has forgotten one kept connection has forgotten them all: each would cost a request its time.
      if (cause instanceof Expired && pools.current() === pool) pools.renew();
      throw error;
    });
    if (status < 200 || status > 299) throw failure(status, nameOf(method, path), text);

    return parse(text, () => nameOf(method, path));
  };

  return {
    request: async (...request) => {
      try {
        return await once(...request);
      } catch (error) {
        if (error instanceof PreavisError && again.has(error)) return once(...request);
        throw error;
      }
    },
    renew: pools.renew,
    close: pools.close,
  };
}

import { STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Actor } from '../access/actor.ts';
import { networkOf } from '../access/addressKey.ts';
import { asPreavisError, errnoOf, PreavisError } from '../core/errors.ts';
import { makeConnectionLimit } from './connections.ts';
import { addConsole, sendNothing, type ConsoleFiles } from './console.ts';
import { makeCursors } from './cursor.ts';
import { browserOf, credentialsOf, placeOf, refuseForged, type Place } from './credentials.ts';
import { GatheredTrail } from './gatheredTrail.ts';
import { replyInTime } from './inTime.ts';
import { makeKept } from './kept.ts';
import { ListeningLog } from './listening.ts';
import type { Credentials, WebPorts } from './ports.ts';
import { readBy } from './faults.ts';
import { problemOf, problemType, RequestInvalid } from './problems.ts';
import { addLiveEvents } from './live.ts';
import { makeGuard, type Guard } from './guard.ts';
import { SessionKeys } from './sessionKeys.ts';
import { basePath, type Reply, type Route } from './route.ts';
import { allRoutes } from './routes/all.ts';

/** For a whole request, ms: no matter how slowly it comes. */
const requestLimitMs = 30_000;
/** For its headers, ms. */
const headersLimitMs = 10_000;
/** Neither side has sent anything for so long, ms: who does not read what they asked for, and who sends nothing. */
const idleLimitMs = 30_000;
const keepAliveMs = 10_000;
const mostConnections = 512;
const largestBody = 64 * 1024;
/** Of one address in a minute: a player asks for each part that it plays. */
const usualRequestsPerMinute = 1_200;
/** What takes longer is told to be too much, ms; it may yet be done. */
const answerLimitMs = 25_000;
/** So long who is told that it is no HTTP may read that, ms. */
const closeAfterMs = 1_000;
/** How long answers that are being sent may go on when the server stops, ms. */
const stopWithinMs = 5_000;

export type WebServer = {
  /** For example http://127.0.0.1:8443. */
  url: string;
  stop(): Promise<void>;
};

export type WebOptions = {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** Default: what is listened on. */
  publicUrl?: string | undefined;
  /** Addresses of proxies whose word about the address of others is taken. */
  trustedProxies?: readonly string[];
  /** Of one address; for what measures. */
  requestsPerMinute?: number;
  /** The pages for people; undefined: the API alone. */
  console?: ConsoleFiles | undefined;
};

/** Listens, and answers until it is stopped. Throws config_invalid where it cannot listen. */
export async function startWeb(ports: WebPorts, options: WebOptions): Promise<WebServer> {
  const listening = new ListeningLog({ auditTrail: new GatheredTrail(ports.catalogue) }, ports.log);
  const keys = new SessionKeys(() => ports.clock.now());
  const stopping = new AbortController();
  const app = fastify({
    logger: false,
    bodyLimit: largestBody,
    requestTimeout: requestLimitMs,
    connectionTimeout: idleLimitMs,
    keepAliveTimeout: keepAliveMs,
    // Node looks every half a minute otherwise, and lets headers come for a whole one.
    http: { headersTimeout: headersLimitMs, connectionsCheckingInterval: 5_000 },
    exposeHeadRoutes: false,
    trustProxy: [...(options.trustedProxies ?? [])],
    routerOptions: { maxParamLength: 64 },
    frameworkErrors: (thrown, _request, reply) => {
      // Nothing more is to be done by fastify, which would repeat the address in its own words.
      void sendProblem(reply, asRefusal(thrown));
    },
    clientErrorHandler: answerNoHttp,
  });
  app.server.maxConnections = mostConnections;
  app.server.on('connection', makeConnectionLimit(options.trustedProxies ?? []));
  let place: Place = placeOf(options.publicUrl ?? 'http://127.0.0.1');
  const guard = makeGuard(ports, () => place);
  speakZod(app);
  answerProblems(app, ports);
  await addLimits(app, options, (request) => ports.access.knownBrowser(browserOf(request.headers, guard.place())));
  answerUnknown(app, options.console);
  await addLiveEvents(app, guard, ports);
  const cursors = makeCursors(ports.webKey);
  const kept = makeKept(ports);
  for (const route of allRoutes({ listening, keys }, kept, guard.place))
    addRoute(app, route, ports, { guard, stopping: stopping.signal, cursors });
  if (options.console !== undefined) addConsole(app, options.console);

  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await app.close();
    const where = `${options.host}:${options.port}`;
    const why = errnoOf(cause) ?? '';
    throw new PreavisError('config_invalid', `web.listen: cannot listen on ${where} (${why})`, { cause });
  }
  const { address, port } = app.server.address() as AddressInfo;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  if (options.publicUrl === undefined) place = placeOf(url);
  kept.begin();

  return {
    url,
    stop: async () => {
      const cut = setTimeout(() => {
        stopping.abort();
        app.server.closeAllConnections();
      }, stopWithinMs);
      await app.close().finally(() => {
        clearTimeout(cut);
      });
      keys.stop();
      await Promise.all([kept.stop(), listening.stop()]);
    },
  };
}

/** What browsers are told of every answer, and how many requests are taken. */
async function addLimits(
  app: FastifyInstance,
  { requestsPerMinute }: WebOptions,
  browserIn: (request: FastifyRequest) => string | undefined,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
  });
  // By itself it is asked behind what a route does in `onRequest`: so who is let in is decided in `preParsing`, and strangers are counted too.
  await app.register(rateLimit, {
    max: requestsPerMinute ?? usualRequestsPerMinute,
    timeWindow: 60_000,
    // One who floods an address keeps those out whose browsers are not known there. Somebody with IPv6 has a whole network.
    keyGenerator: (request) => browserIn(request) ?? networkOf(request.ip),
    errorResponseBuilder: () => new PreavisError('too_many_requests', 'too many requests in a minute'),
  });
}

/** Requests are checked and answers written by the schemas that the description of the API is made of. */
function speakZod(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data) => {
    const read = readBy(schema, data, httpPart);

    return 'value' in read ? read : { error: new RequestInvalid(read.faults) };
  });
  app.setSerializerCompiler<z.ZodType>(
    ({ schema }) =>
      (data) =>
        JSON.stringify(schema.parse(data)),
  );
}

/** What fastify itself refuses, by the status that it would answer. */
function asRefusal(thrown: unknown): unknown {
  if (thrown instanceof PreavisError || typeof thrown !== 'object' || thrown === null) return thrown;
  const status = 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (status === 413) return new PreavisError('request_too_large', `more than ${largestBody} bytes`);
  if (status === 429) return new PreavisError('too_many_requests', 'too many requests in a minute');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new RequestInvalid([{ where: 'request', message: 'cannot be read as HTTP with a body of JSON' }]);
  }

  return thrown;
}

function answerProblems(app: FastifyInstance, { log }: WebPorts): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = asPreavisError(asRefusal(thrown));
    // Who has left is answered nothing, and what was given up for them is no fault of anybody.
    if (problemOf(error).status >= 500 && !reply.raw.destroyed) {
      log.error({ code: error.code, err: error, route: request.routeOptions.url }, 'request not answered');
    }

    return sendProblem(reply, error);
  });
}

/** Registered behind the limit of requests, which counts them, too. */
function answerUnknown(app: FastifyInstance, pages: ConsoleFiles | undefined): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) =>
    sendNothing(pages, request, reply)
      ? reply
      : sendProblem(reply, new PreavisError('address_unknown', 'there is nothing at this address')),
  );
}

function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const found = problemOf(thrown);
  if (found.status === 401) void reply.header('www-authenticate', 'Bearer realm="preavis"');

  // Some of these statuses are kept by caches unless they are told not to (RFC 9111, 4.2.2).
  void reply.header('cache-control', 'no-store');

  return reply.code(found.status).type(problemType).serializer(JSON.stringify).send(found);
}

/** What cannot be read as HTTP at all has no request and no reply. */
function answerNoHttp({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const thrown =
    code === 'HPE_HEADER_OVERFLOW'
      ? new PreavisError('request_too_large', 'more headers than are read')
      : new RequestInvalid([{ where: 'request', message: 'cannot be read as HTTP' }]);
  const found = problemOf(thrown);
  const text = JSON.stringify(found);
  const head = `HTTP/1.1 ${found.status} ${STATUS_CODES[found.status] ?? ''}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n`;
  socket.end(head + text);
  // Who neither reads nor ends would keep a connection for as long as they send something.
  setTimeout(() => socket.destroy(), closeAfterMs).unref();
}

/** Filled before the body is read: a stranger is not listened to. */
const admitted = new WeakMap<FastifyRequest, { actor: Actor | undefined; credentials: Credentials }>();

function addRoute(
  app: FastifyInstance,
  route: Route,
  ports: WebPorts,
  { guard, stopping, cursors }: { guard: Guard; stopping: AbortSignal; cursors: ReturnType<typeof makeCursors> },
): void {
  const { method, path, params, query, body, answer, perMinute, withinMs = answerLimitMs } = route;
  app.route({
    // What a GET would be answered, without its body.
    method: method === 'GET' ? ['GET', 'HEAD'] : method,
    url: `${basePath}${path.replace(/\{(\w+)\}/g, ':$1')}`,
    schema: {
      ...(params === undefined ? {} : { params }),
      querystring: query ?? z.strictObject({}),
      ...(body === undefined ? {} : { body }),
      ...('schema' in answer ? { response: { [answer.status]: answer.schema } } : {}),
    },
    ...(perMinute === undefined ? {} : { config: { rateLimit: { max: perMinute, timeWindow: 60_000 } } }),
    preParsing: async (request, _reply, payload) => {
      const credentials = credentialsOf(request.headers, request.ip, guard.place());
      if (route.act === 'anybody') {
        refuseForged(request.method, request.headers, credentials, guard.place());
        admitted.set(request, { actor: undefined, credentials });
      } else admitted.set(request, await guard.admit(request, route.act));

      return payload;
    },
    // Who has nothing to say sends no body: what a route needs of one is told by its names.
    preValidation: (request, _reply, done) => {
      if (body !== undefined && !hasBody(request)) request.body = {};
      done();
    },
    handler: async (request, reply) => {
      const { actor, credentials } = admitted.get(request) ?? {};
      if (credentials === undefined) throw new PreavisError('internal', 'a request was not admitted');
      // Nothing is sent to whoever waits for it.
      if (withinMs > idleLimitMs) request.raw.socket.setTimeout(withinMs + idleLimitMs);
      const gone = new AbortController();
      reply.raw.once('close', () => {
        gone.abort();
      });
      const asked = {
        params: request.params,
        query: request.query,
        body: request.body,
        credentials,
        pages: cursors.of(`${method} ${path}`, actor?.name ?? '', request),
        headers: request.headers,
        isHead: request.method === 'HEAD',
        signal: AbortSignal.any([gone.signal, stopping]),
      };
      const work = (): Promise<Reply> => {
        if (route.act === 'anybody') return route.handle(asked, ports);
        if (actor === undefined) throw new PreavisError('internal', 'a route for actors was asked by nobody');

        return route.handle({ ...asked, actor }, ports);
      };
      const given = await replyInTime(withinMs, work(), gone.signal);

      return sendReply(reply, given);
    },
  });
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function sendReply(reply: FastifyReply, given: Reply): FastifyReply {
  void reply.header('cache-control', 'no-store');
  switch (given.kind) {
    case 'json':
      return reply
        .code(given.status ?? 200)
        .headers(given.headers ?? {})
        .type('application/json')
        .send(given.body);
    case 'bytes':
      return reply.code(given.status).headers(given.headers).send(given.body);
    case 'nothing':
      return reply
        .code(204)
        .headers(given.headers ?? {})
        .send();
  }
}

/**
 * Stands between Préavis and a real S3 server and breaks what passes: a real server cannot be made to do so at a given moment.
 * The request goes on as it was signed, with its Host header, so that the server takes the signature.
 */
import { createHash } from 'node:crypto';
import { createServer, request as makeRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type StoreFault =
  /** Accepts the connection and the request, and never answers. */
  | { kind: 'silent' }
  /** Answers instead of the server; `code` as S3 stores write it. */
  | { kind: 'answer'; status: number; code?: string }
  /** Bodies pass at this speed, in both directions. */
  | { kind: 'slow'; bytesPerSecond: number }
  | { kind: 'delay'; ms: number }
  /** The connection ends when so much of the request's body has passed. */
  | { kind: 'cutUpload'; afterBytes: number }
  /** The connection ends when so much of the answer's body has passed. */
  | { kind: 'cutDownload'; afterBytes: number }
  /** Says that it was stored, and stores nothing. */
  | { kind: 'drop' }
  /** Gives other bytes back than the server has; its listings and errors are left as they are. */
  | { kind: 'garble' };

export type StoreRequest = { method: string; path: string };

type FaultScope = {
  /** Which requests it befalls; default: all. */
  only?: (request: StoreRequest) => boolean;
  /** How often; default: until it is mended. */
  times?: number;
};

export type StoreProxy = {
  readonly endPoint: string;
  readonly port: number;
  /** All that came, in order, whether broken or not. */
  readonly requests: StoreRequest[];
  break(fault: StoreFault, scope?: FaultScope): void;
  /** Connections are refused, and those that are open end. */
  refuse(): Promise<void>;
  /** From now on everything passes. */
  mend(): Promise<void>;
  close(): Promise<void>;
};

/** `port`: that of the server, on loopback. */
export async function startStoreProxy(port: number): Promise<StoreProxy> {
  const endPoint = '127.0.0.1';
  const sockets = new Set<Duplex>();
  const requests: StoreRequest[] = [];
  let broken: { fault: StoreFault; only: (request: StoreRequest) => boolean; left: number } | undefined;

  const faultOf = (request: StoreRequest): StoreFault | undefined => {
    if (broken === undefined || broken.left === 0 || !broken.only(request)) return undefined;
    broken.left -= 1;
    return broken.fault;
  };
  const server = createServer((incoming, answer) => {
    const asked = { method: incoming.method ?? 'GET', path: incoming.url ?? '/' };
    requests.push(asked);
    serve(incoming, answer, { endPoint, port }, faultOf(asked)).catch(() => {
      incoming.destroy();
      answer.destroy();
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const listen = (at: number): Promise<void> => new Promise((resolve) => server.listen(at, endPoint, resolve));
  const stopListening = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const own = (server.address() as AddressInfo).port;

  return {
    endPoint,
    port: own,
    requests,
    break: (fault, { only = () => true, times = Infinity } = {}) => {
      broken = { fault, only, left: times };
    },
    refuse: stopListening,
    mend: async () => {
      broken = undefined;
      if (!server.listening) await listen(own);
    },
    close: stopListening,
  };
}

async function serve(
  incoming: IncomingMessage,
  answer: ServerResponse,
  target: { endPoint: string; port: number },
  fault: StoreFault | undefined,
): Promise<void> {
  switch (fault?.kind) {
    case 'silent':
      incoming.resume();
      return;
    case 'answer':
      await drained(incoming);
      answer.writeHead(fault.status, { 'content-type': 'application/xml' });
      answer.end(fault.code === undefined ? '' : `<Error><Code>${fault.code}</Code><Message>no</Message></Error>`);
      return;
    case 'drop':
      if (incoming.method !== 'PUT') break;
      answer.writeHead(200, { etag: `"${await drained(incoming)}"` }).end();
      return;
    case 'delay':
      await sleep(fault.ms);
      break;
    case 'cutUpload':
    case 'cutDownload':
    case 'garble':
    case 'slow':
    case undefined:
  }
  await forward(incoming, answer, target, fault);
}

/** The MD5 of its body, as an object's ETag. */
async function drained(incoming: IncomingMessage): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of incoming as AsyncIterable<Buffer>) hash.update(chunk);

  return hash.digest('hex');
}

async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  { endPoint, port }: { endPoint: string; port: number },
  fault: StoreFault | undefined,
): Promise<void> {
  const { method, url, rawHeaders } = incoming;
  const onward = makeRequest({ host: endPoint, port, method, path: url, headers: rawHeaders, agent: false });
  answer.on('close', () => onward.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.on('response', resolve);
    onward.on('error', reject);
  });
  // A body that is cut ends the request, and `answered` with it; a server may also answer before it has read the whole body.
  pipeline(altered(incoming, 'request', fault), onward).catch(() => undefined);
  const response = await answered;
  answer.writeHead(response.statusCode ?? 500, response.rawHeaders);
  const isObject = response.headers['content-type'] !== 'application/xml';
  await pipeline(altered(response, 'answer', fault?.kind === 'garble' && !isObject ? undefined : fault), answer);
}

async function* altered(
  source: Readable,
  side: 'request' | 'answer',
  fault: StoreFault | undefined,
): AsyncGenerator<Buffer> {
  const isCut = fault?.kind === (side === 'request' ? 'cutUpload' : 'cutDownload');
  let passed = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (isCut && passed + chunk.length > fault.afterBytes) {
      yield chunk.subarray(0, fault.afterBytes - passed);
      throw new Error('cut');
    }
    passed += chunk.length;
    if (fault?.kind === 'garble' && side === 'answer') yield chunk.map((byte) => byte ^ 1) as Buffer;
    else if (fault?.kind === 'slow') yield* slowly(chunk, fault.bytesPerSecond);
    else yield chunk;
  }
}

const stepMs = 50;

async function* slowly(chunk: Buffer, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const step = Math.max(1, Math.round((bytesPerSecond * stepMs) / 1_000));
  for (let at = 0; at < chunk.length; at += step) {
    await sleep(stepMs);
    yield chunk.subarray(at, at + step);
  }
}

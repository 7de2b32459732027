/**
 * Stands between Préavis and a real Asterisk, cuts the line, refuses or delays requests and gives out another version: a live Asterisk
 * cannot be made to do so at a given moment.
 */
import { createServer, request as makeRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { noteCarried } from '../../../lab/machine/lateness.ts';

export type AriProxy = {
  readonly url: string;
  /** Where Asterisk is. */
  leadTo(url: string): void;
  /** Ends every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** The next `times` requests of this path are answered with 500. */
  refuse(path: string, times: number): void;
  /** From now on requests whose path fits are answered with this status and a page of its own, as a proxy does; undefined: none. */
  forbid(path: RegExp | undefined, status?: number): void;
  /** How many of them are still to be refused. */
  refusalsLeft(): number;
  /** From now on requests whose path fits come to Asterisk so much later, ms. */
  delay(path: RegExp, ms: number): void;
  /** From now on Asterisk seems to be of this version. */
  pretendVersion(version: string): void;
  /** Says this on the event socket as if Asterisk had. */
  say(content: string | Buffer): void;
  /** Each request so far, with the opening of the event socket: `POST /ari/bridges/x`. */
  requests(): readonly string[];
  close(): void;
};

export async function startAriProxy(): Promise<AriProxy> {
  const sockets = new Set<Duplex>();
  const eventSockets = new Set<Duplex>();
  const requests: string[] = [];
  let target = new URL('http://127.0.0.1:9');
  let isCut = false;
  let refusal = { path: '', times: 0 };
  let forbidden: { path: RegExp; status: number } | undefined;
  let delayed: { path: RegExp; ms: number } | undefined;
  let version: string | undefined;

  const forward = (incoming: IncomingMessage, answer: ServerResponse): void => {
    noteCarried();
    const path = incoming.url?.split('?')[0] ?? '';
    requests.push(`${incoming.method ?? ''} ${path}`);
    if (path === refusal.path && refusal.times > 0) {
      refusal.times -= 1;
      answer.writeHead(500).end();
      return;
    }
    if (forbidden?.path.test(path) === true) {
      answer.writeHead(forbidden.status, { 'content-type': 'text/html' }).end('<h1>No</h1>');
      return;
    }
    const { method, headers, url } = incoming;
    const onward = makeRequest({ host: target.hostname, port: target.port, method, headers, path: url }, (response) => {
      noteCarried();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        let body = Buffer.concat(chunks).toString('utf8');
        if (version !== undefined && path === '/ari/asterisk/info') {
          body = body.replace(/"version":\s*"[^"]*"/, `"version":"${version}"`);
        }
        const type = response.headers['content-type'] ?? 'application/json';
        answer.writeHead(response.statusCode ?? 500, { 'content-type': type }).end(body);
      });
    });
    onward.on('error', () => answer.destroy());
    if (delayed?.path.test(path) === true) setTimeout(() => incoming.pipe(onward), delayed.ms);
    else incoming.pipe(onward);
  };

  const server = createServer(forward);
  const track = (socket: Duplex): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (isCut) socket.destroy();
  };
  server.on('connection', track);
  server.on('upgrade', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    const asterisk: Socket = connect(Number(target.port), target.hostname);
    track(asterisk);
    requests.push(`${incoming.method ?? ''} ${incoming.url?.split('?')[0] ?? ''}`);
    eventSockets.add(client);
    const lines = [`${incoming.method ?? 'GET'} ${incoming.url ?? '/'} HTTP/1.1`];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
      lines.push(`${incoming.rawHeaders[index] ?? ''}: ${incoming.rawHeaders[index + 1] ?? ''}`);
    }
    asterisk.write(`${lines.join('\r\n')}\r\n\r\n`);
    asterisk.write(head);
    asterisk.on('data', noteCarried);
    asterisk.pipe(client).pipe(asterisk);
    for (const socket of [asterisk, client]) {
      socket.on('close', () => {
        eventSockets.delete(client);
        asterisk.destroy();
        client.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (url) => {
      target = new URL(url);
    },
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      isCut = false;
    },
    delay: (path, ms) => {
      delayed = { path, ms };
    },
    refuse: (path, times) => {
      refusal = { path, times };
    },
    forbid: (path, status = 403) => {
      forbidden = path === undefined ? undefined : { path, status };
    },
    refusalsLeft: () => refusal.times,
    pretendVersion: (text) => {
      version = text;
    },
    say: (content) => {
      for (const socket of eventSockets) socket.write(frame(content));
    },
    requests: () => requests,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** One whole message of a server by RFC 6455: a text as text, bytes as bytes. */
function frame(content: string | Buffer): Buffer {
  const body = Buffer.from(content as string);
  const head = Buffer.alloc(10);
  head[0] = typeof content === 'string' ? 0x81 : 0x82;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(body.length), 2);
  if (body.length > 0xffff) return Buffer.concat([head, body]);
  if (body.length < 126) return Buffer.concat([Buffer.from([head[0], body.length]), body]);
  head[1] = 126;
  head.writeUInt16BE(body.length, 2);

  return Buffer.concat([head.subarray(0, 4), body]);
}

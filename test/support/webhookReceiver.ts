import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receiver of webhooks: a real HTTP server that keeps what it was sent and answers as it is told. */

export type Received = { headers: IncomingHttpHeaders; body: string };
export type Receiver = {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** The most requests that were open at the same time. */
  readonly mostAtOnce: () => number;
  /** What the next requests are answered with; default: 204 for all. */
  answer: (request: Received, response: ServerResponse) => void;
  close(): Promise<void>;
};

export const webhookSecret = `whsec_${Buffer.from('thirty-two bytes of a test, here').toString('base64')}`;

/** The types that were sent, in the order in which they came. */
export const typesOf = ({ received }: Receiver): string[] =>
  received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

/** As Standard Webhooks says a receiver checks a message; written from its text and not from our code. */
export function isSigned({ headers, body }: Received, secret: string, nowMs: number): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > 300) return false;
  const bytes = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest();

  return signatures.split(' ').some((each) => {
    const [version, text = ''] = each.split(',');
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  let open = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => (open -= 1));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(message);
      receiver.answer(message, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${address.port}/preavis`,
    port: address.port,
    received,
    mostAtOnce: () => most,
    answer: (_, response) => response.writeHead(204).end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };

  return receiver;
}

/** Receivers that are closed after each test. */
export function receivers(): (port?: number) => Promise<Receiver> {
  const started: Receiver[] = [];
  afterEach(async () => {
    for (const receiver of started.splice(0)) await receiver.close();
  });

  return async (port) => {
    const receiver = await startReceiver(port);
    started.push(receiver);

    return receiver;
  };
}

export const alwaysAnswers =
  (status: number, headers: Record<string, string> = {}): Receiver['answer'] =>
  (_, response) => {
    response.writeHead(status, headers).end('what it says is of no use');
  };

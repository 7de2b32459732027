/**
 * A way into the console of the demo without a password: links, each of which signs in once.
 *
 * It is no part of the product, which has no such way. The door is a server of the demo. It knows the password of the demo's users, which is
 * random, was never shown and is kept in the memory of this process alone. A link makes it sign in by the API as anybody would, and hands the
 * cookie to the browser: cookies are of a host, whatever the port.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Door = {
  /** A link that signs this user in once, within `linkMinutes`. */
  linkFor(user: string): string;
  stop(): Promise<void>;
};

export const linkMinutes = 10;

export type DoorOptions = {
  /** The address of the console, on 127.0.0.1. */
  console: string;
  /** Of every user. */
  password: string;
  /** ms, from any moment on. */
  now: () => number;
};

/** What was used is not kept as it was given, so that nothing compares secrets byte by byte. */
const keyOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
};

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, headers).end(`${text}\n`);
}

/** The cookie of a new session; undefined where the console does not let that user in. */
async function signIn({ console, password }: DoorOptions, user: string): Promise<string | undefined> {
  const answer = await fetch(`${console}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-preavis-request': '1' },
    body: JSON.stringify({ user, password }),
  });
  await answer.arrayBuffer();

  return answer.status === 201 ? (answer.headers.get('set-cookie') ?? undefined) : undefined;
}

/** Listens on loopback, on any port that is free. */
export async function startDoor(options: DoorOptions): Promise<Door> {
  const links = new Map<string, { user: string; until: number }>();
  let host = '';
  const open = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // By another name some page may have had the browser look here (DNS rebinding).
    if (request.headers.host !== host) {
      refuse(response, 421, 'There is nothing here by this name.');
      return;
    }
    // A browser that looks ahead, and a program that only asks what is here, do not use the link up.
    if (request.method !== 'GET' || request.headers['sec-purpose'] !== undefined) {
      refuse(response, 405, 'Open this link in a browser.');
      return;
    }
    const key = keyOf((request.url ?? '').slice(1));
    const link = links.get(key);
    links.delete(key);
    if (link === undefined || link.until <= options.now()) {
      refuse(
        response,
        410,
        'This link was used, or is too old. Press Enter where the demo runs: it shows another one.\n' +
          `Are you signed in already? ${options.console}/calls`,
      );
      return;
    }
    const cookie = await signIn(options, link.user);
    if (cookie === undefined) refuse(response, 502, 'The console does not let this user in.');
    else response.writeHead(303, { ...headers, location: `${options.console}/calls`, 'set-cookie': cookie }).end();
  };
  const server = createServer((request, response) => {
    open(request, response).catch(() => {
      refuse(response, 502, 'The console does not answer. See its log.');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    linkFor: (user) => {
      const token = randomBytes(32).toString('base64url');
      links.set(keyOf(token), { user, until: options.now() + linkMinutes * 60_000 });

      return `http://${host}/${token}`;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

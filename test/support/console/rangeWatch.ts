import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

/** Stands between a browser and the console, and sees which parts of the sound the browser asks for. Cookies are of 127.0.0.1, whatever the port. */

export type RangeWatch = {
  url: string;
  /** Of each request for sound: what `Range` said, and the status of the answer. */
  ranges: readonly { range: string | undefined; status: number }[];
  /**
   * flows: all is passed on. hangs: no more sound comes, and no connection ends, as where a network drops. cut: connections for sound are cut.
   * What hung or was cut before stays so.
   */
  sound: (is: 'flows' | 'hangs' | 'cut') => void;
  stop(): Promise<void>;
};

/** Passes on so much in a ms: on a quick machine a browser would have all of a long recording at once. */
const slowedTo = (bytesPerMs: number): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      setTimeout(() => {
        done(null, chunk);
      }, chunk.length / bytesPerMs);
    },
  });

/** @param soundBytesPerMs so fast sound comes at most */
export async function startRangeWatch(console: string, soundBytesPerMs = Infinity): Promise<RangeWatch> {
  const ranges: { range: string | undefined; status: number }[] = [];
  const under = new Set<{ hang: () => void; cut: () => void }>();
  let way: 'flows' | 'hangs' | 'cut' = 'flows';
  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const path = incoming.url ?? '';
    const { origin, ...headers } = incoming.headers;
    const isSound = path.endsWith('/audio');
    if (isSound && way === 'hangs') return;
    if (isSound && way === 'cut') {
      answer.destroy();
      return;
    }
    const asked = request(
      `${console}${path}`,
      // The console is asked by its own pages alone.
      {
        method: incoming.method,
        headers: { ...headers, host: new URL(console).host, ...(origin === undefined ? {} : { origin: console }) },
      },
      (given) => {
        const status = given.statusCode ?? 0;
        if (isSound) ranges.push({ range: headers.range, status });
        answer.writeHead(status, given.headers);
        const body = isSound ? given.pipe(slowedTo(soundBytesPerMs)) : given;
        const sent = {
          hang: () => {
            body.unpipe(answer);
          },
          cut: () => {
            answer.destroy();
          },
        };
        if (isSound) under.add(sent);
        answer.on('close', () => {
          under.delete(sent);
          given.destroy();
        });
        body.pipe(answer);
      },
    );
    asked.on('error', () => answer.destroy());
    incoming.pipe(asked);
  };
  const server = createServer(pass).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ranges,
    sound: (is) => {
      way = is;
      for (const sent of under) {
        if (is === 'hangs') sent.hang();
        if (is === 'cut') sent.cut();
      }
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}

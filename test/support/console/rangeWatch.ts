import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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

export async function startRangeWatch(console: string): Promise<RangeWatch> {
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
        const sent = {
          hang: () => {
            given.unpipe(answer);
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
        given.pipe(answer);
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

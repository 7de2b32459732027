import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type Spoken = 'tls' | 'plain';

/** What a server speaks that reads the wrong one, ms. */
const limitMs = 2_000;
/** So begins an answer to HTTP without TLS; a server with TLS may say by one that it wants TLS, and is asked for TLS first. */
const httpAnswer = 'HTTP/';

/**
 * Whether a server speaks TLS or HTTP without it, for the hint of a failed request; undefined where it does not say. It is
 * sent no password, and its certificate is not judged. Takes 4 s at most, and never throws.
 */
export async function spokenBy(host: string, port: number): Promise<Spoken | undefined> {
  if (await speaksTls(host, port)) return 'tls';

  return (await speaksHttp(host, port)) ? 'plain' : undefined;
}

const speaksTls = (host: string, port: number): Promise<boolean> =>
  answered(
    connectTls({
      ...{ host, port, rejectUnauthorized: false, timeout: limitMs },
      ...(isIP(host) === 0 ? { servername: host } : {}),
    }),
    (socket, end) => {
      socket.once('secureConnect', () => {
        end(true);
      });
    },
  );

const speaksHttp = (host: string, port: number): Promise<boolean> =>
  answered(connectPlain({ host, port, timeout: limitMs }), (socket, end) => {
    socket.once('connect', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.once('data', (bytes: Buffer) => {
      end(bytes.toString('latin1').startsWith(httpAnswer));
    });
  });

/** What `listen` says of a connection; false where it fails, ends, or says nothing in time. */
function answered<T extends Socket>(
  socket: T,
  listen: (socket: T, end: (answer: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    for (const over of ['timeout', 'error', 'close']) {
      socket.on(over, () => {
        end(false);
      });
    }
    listen(socket, end);
  });
}

import { Pool, type Dispatcher } from 'undici';
import {
  authorizationOf,
  failure,
  hostAndPort,
  nameOf,
  rootOf,
  unreachable,
  type AriHttpOptions,
} from './httpClient.ts';

/** Answers of ARI that are too long to be kept in memory: sound files. */

export type Download = {
  /** How long it is by its header; undefined where that says nothing. */
  bytes: number | undefined;
  /** Can be read once. Throws ari_unreachable where it breaks off, and the signal's reason. */
  chunks: AsyncIterable<Buffer>;
};

/** Throws ari_not_found, ari_request_failed, ari_unauthorized, ari_unreachable, and the signal's reason. */
export type OpenDownload = (method: 'GET', path: string, signal: AbortSignal) => Promise<Download>;

export type AriDownloads = { open: OpenDownload; close: () => void };

/** What sends nothing for so long has broken off, ms. */
const silentMs = 30_000;

/** By one connection of their own: requests about calls do not wait for them, and Asterisk sends one file at a time. */
export function makeAriDownloads(options: AriHttpOptions): AriDownloads {
  const { origin } = new URL(options.url);
  const address = hostAndPort(options.url);
  const pool = new Pool(origin, {
    connections: 1,
    connect: { timeout: options.timeoutMs },
    headersTimeout: silentMs,
    bodyTimeout: silentMs,
  });

  return {
    open: async (method, path, signal) => {
      const what = nameOf(method, path);
      const broken = (cause: unknown): unknown => (signal.aborted ? signal.reason : unreachable(what, address, cause));
      const headers = { authorization: authorizationOf(options) };
      const {
        statusCode,
        body,
        headers: answered,
      } = await pool
        .request({ method, path: `${rootOf(options.url)}${path}`, headers, signal })
        .catch((cause: unknown) => {
          throw broken(cause);
        });
      if (statusCode < 200 || statusCode > 299) throw failure(statusCode, what, await body.text());
      const length = Number(answered['content-length']);

      return { bytes: Number.isSafeInteger(length) ? length : undefined, chunks: chunksOf(body, broken) };
    },
    close: () => {
      void pool.destroy();
    },
  };
}

async function* chunksOf(body: Dispatcher.ResponseData['body'], broken: (cause: unknown) => unknown) {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (cause) {
    throw broken(cause);
  }
}

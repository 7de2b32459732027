/** What the `minio` client does not offer: HTTP with limits, and answers that its types do not know. */
import http from 'node:http';
import https from 'node:https';

type TransportOptions = {
  useTls: boolean;
  idleTimeoutMs: number;
  signal: AbortSignal | undefined;
  onStatus: (status: number) => void;
};

/** Statuses whose answer the client throws away unread; the connection is free again only when it has been read. */
const unreadStatuses = new Set([408, 429, 499, 500, 502, 503, 504, 520]);

/** node:http with a limit on silence and with the call's signal, neither of which the client offers. */
export function makeTransport({
  useTls,
  idleTimeoutMs,
  signal,
  onStatus,
}: TransportOptions): Pick<typeof http, 'request'> {
  const request = (requestOptions: https.RequestOptions, onAnswer: (answer: http.IncomingMessage) => void) => {
    const limits = { timeout: idleTimeoutMs, ...(signal ? { signal } : {}) };
    const sent = (useTls ? https : http).request({ ...requestOptions, ...limits }, (answer) => {
      const status = answer.statusCode ?? 0;
      onStatus(status);
      if (unreadStatuses.has(status)) answer.resume();
      onAnswer(answer);
    });
    sent.on('timeout', () => {
      sent.destroy(Object.assign(new Error('The object store sent nothing for too long.'), { code: 'ETIMEDOUT' }));
    });
    return sent;
  };
  return { request: request as typeof http.request };
}

import { Agent, request } from 'undici';
import { hostAndPort } from '../ari/httpClient.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { headersOf, type Endpoint, type Message } from './message.ts';

/** What came of one attempt; `answer` is the HTTP status, null where there was none. */
type Outcome = { kind: 'delivered'; answer: number } | { kind: 'failed'; answer: number | null; error: PreavisError };

export type Poster = {
  /**
   * One attempt, within 10 s. Never rejects.
   *
   * @param at the time that is signed, ms since 1970 UTC
   */
  post(endpoint: Endpoint, message: Message, at: number, signal: AbortSignal): Promise<Outcome>;
  /** Ends every connection. */
  close(): Promise<void>;
};

const attemptMs = 10_000;
/** Of the text of an answer, which says nothing to us, bytes: read so far that the connection can be used again. */
const mostAnswerBytes = 16 * 1024;

function refused({ name, url }: Endpoint, answer: number): PreavisError {
  const what = `${name}: HTTP ${answer} (${hostAndPort(url)})`;

  return answer === 410 ? new PreavisError('webhook_gone', what) : new PreavisError('webhook_refused', what);
}

function unreachable({ name, url }: Endpoint, cause: unknown, expired: boolean): PreavisError {
  const code = errnoOf(cause) ?? '';
  const broken = code === '' || code.startsWith('UND_ERR_') || code.startsWith('HPE_');
  const reason = expired ? 'no answer in time' : broken ? 'the connection broke off' : code;

  return new PreavisError('webhook_unreachable', `${name}: ${reason} (${hostAndPort(url)})`, { cause });
}

/** Redirects are not followed: a signed message goes to the address that the operator has written down, or nowhere. */
export function makePoster({ timeoutMs = attemptMs }: { timeoutMs?: number } = {}): Poster {
  const agent = new Agent({ connections: 4, connect: { timeout: timeoutMs } });

  return {
    post: async (endpoint, message, at, signal) => {
      const limit = timeLimit(timeoutMs);
      const both = AbortSignal.any([signal, limit]);
      try {
        const { statusCode: answer, body } = await request(endpoint.url, {
          dispatcher: agent,
          method: 'POST',
          headers: headersOf(message, endpoint.key, at),
          body: message.body,
          signal: both,
        });
        // What it says decides, whether or not its text comes to an end.
        await body.dump({ limit: mostAnswerBytes, signal: both }).catch(() => undefined);
        if (answer >= 200 && answer <= 299) return { kind: 'delivered', answer };

        return { kind: 'failed', answer, error: refused(endpoint, answer) };
      } catch (cause) {
        return { kind: 'failed', answer: null, error: unreachable(endpoint, cause, limit.aborted) };
      }
    },
    close: () => agent.destroy(),
  };
}

import { noteAnswer } from './idle.ts';
import { Problem, problemIn } from './problem.ts';

/** Requests to the API, with the cookie of the session. */

export type Asking = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** The version of what is replaced that was seen: where somebody else was faster, nothing is changed. */
  version?: number;
  /** It is sent even if the page is left. */
  keepalive?: boolean;
};

export const apiPath = '/api/v1';

/** The session is over: whoever is told shows the way to sign in. */
export const sessionEnded = new EventTarget();

/** @throws Problem; what `signal` throws */
export async function send(
  path: string,
  { method = 'GET', body, signal, version, keepalive }: Asking = {},
): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`${apiPath}${path}`, {
      method,
      // Shows that it comes from this page: other pages are not let to send it.
      headers: {
        'x-preavis-request': '1',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      ...(keepalive === undefined ? {} : { keepalive }),
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown;
    throw new Problem({ code: 'unreachable', status: 0 });
  }
  noteAnswer(Date.now());
  if (answer.ok) return answer;
  const problem = problemIn(await answer.json().catch(() => undefined), answer.status);
  if (problem.code === 'sign_in_needed') sessionEnded.dispatchEvent(new Event('ended'));
  throw problem;
}

/** @throws Problem; what `signal` throws */
export async function ask<Answer>(path: string, asking: Asking = {}): Promise<Answer> {
  const answer = await send(path, asking);
  try {
    return (answer.status === 204 ? undefined : await answer.json()) as Answer;
  } catch (thrown) {
    if (asking.signal?.aborted === true) throw thrown;
    throw new Problem({ code: 'unreadable', status: answer.status });
  }
}

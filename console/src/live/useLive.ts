import { useEffect, useState } from 'preact/hooks';
import { apiPath, ask, sessionEnded } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { LiveCall } from '../api/types.ts';
import { useIsUnseen } from '../who.ts';

/** Calls that go on, as the API tells them whenever something changes. */
export type Live =
  | { kind: 'connecting' }
  | { kind: 'connected'; calls: readonly LiveCall[] }
  /** What was told last, which may be over; `since`: ISO 8601. */
  | { kind: 'lost'; calls: readonly LiveCall[]; since: string }
  | { kind: 'refused'; problem: Problem };

/** Between two attempts, ms. */
const firstWaitMs = 1_000;
const longestWaitMs = 15_000;

const address = (): string => `${location.origin.replace(/^http/, 'ws')}${apiPath}/live/events`;

function callsIn(text: unknown): LiveCall[] | undefined {
  if (typeof text !== 'string') return undefined;
  const message = JSON.parse(text) as { type?: unknown; calls?: LiveCall[] };

  return message.type === 'calls' ? message.calls : undefined;
}

/** Whether the door is shut to them, and not only the line: a browser tells nothing of why it could not connect. */
async function whyNot(): Promise<Problem | undefined> {
  try {
    await ask('/live');

    return undefined;
  } catch (thrown) {
    const problem = asProblem(thrown);

    return problem.status >= 400 && problem.status < 500 ? problem : undefined;
  }
}

export function useLive(): Live {
  const isUnseen = useIsUnseen();
  const [live, setLive] = useState<Live>({ kind: 'connecting' });
  useEffect(() => {
    // Whoever signs in again is connected again.
    setLive({ kind: 'connecting' });
    if (isUnseen) return undefined;
    let socket: WebSocket | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = firstWaitMs;
    let isLeft = false;
    const lost = (): void => {
      setLive((before) =>
        before.kind === 'connected' ? { kind: 'lost', calls: before.calls, since: new Date().toISOString() } : before,
      );
      void whyNot().then((problem) => {
        if (isLeft) return;
        if (problem !== undefined) {
          setLive({ kind: 'refused', problem });
          return;
        }
        timer = setTimeout(connect, wait);
        wait = Math.min(longestWaitMs, wait * 2);
      });
    };
    const connect = (): void => {
      socket = new WebSocket(address());
      socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        const calls = callsIn(data);
        if (calls === undefined || isLeft) return;
        wait = firstWaitMs;
        setLive({ kind: 'connected', calls });
      });
      socket.addEventListener('close', ({ code }) => {
        if (isLeft) return;
        if (code === 4401) sessionEnded.dispatchEvent(new Event('ended'));
        lost();
      });
    };
    connect();

    return () => {
      isLeft = true;
      clearTimeout(timer);
      socket?.close();
    };
  }, [isUnseen]);

  return live;
}

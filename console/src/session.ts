import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Me, Session } from '../../src/web/routes/session.ts';
import { ask, sessionEnded } from './api/client.ts';
import { asProblem, type Problem } from './api/problem.ts';

/**
 * Who is signed in. ended: they were, and are asked to sign in again; `me` is who they were, and the page that they had is kept, unseen.
 * unknown: there was no answer yet; failed: none came.
 */
type SignedIn =
  | { kind: 'unknown' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'out'; isLeft: boolean }
  | { kind: 'in'; me: Me }
  | { kind: 'ended'; me: Me };

export type SessionControl = {
  state: SignedIn;
  signIn: (credentials: { user: string; password: string; code?: string }) => Promise<void>;
  signOut: () => Promise<void>;
  again: () => void;
};

/** A timer of browsers cannot be set to longer, ms. */
const longestTimer = 2_147_000_000;

export function useSession(): SessionControl {
  const [state, setState] = useState<SignedIn>({ kind: 'unknown' });
  const [until, setUntil] = useState<number>();
  const look = useCallback(() => {
    ask<Me>('/me').then(
      (me) => {
        setState({ kind: 'in', me });
      },
      (thrown: unknown) => {
        const problem = asProblem(thrown);
        setState(problem.status === 401 ? { kind: 'out', isLeft: false } : { kind: 'failed', problem });
      },
    );
  }, []);
  useEffect(look, [look]);
  useEffect(() => {
    const end = (): void => {
      setState((before) => (before.kind === 'in' ? { kind: 'ended', me: before.me } : before));
    };
    sessionEnded.addEventListener('ended', end);
    const timer = until === undefined ? undefined : setTimeout(end, Math.min(longestTimer, until - Date.now()));

    return () => {
      sessionEnded.removeEventListener('ended', end);
      clearTimeout(timer);
    };
  }, [until]);

  return {
    state,
    again: look,
    signIn: async (credentials) => {
      const session = await ask<Session>('/session', { method: 'POST', body: credentials });
      setUntil(Date.parse(session.until));
      setState({ kind: 'in', me: session.me });
    },
    signOut: async () => {
      await ask('/session', { method: 'DELETE' });
      setUntil(undefined);
      setState({ kind: 'out', isLeft: true });
    },
  };
}

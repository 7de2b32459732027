import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Me, Session } from '../../src/web/routes/session.ts';
import { ask, sessionEnded } from './api/client.ts';
import { idleLeft } from './api/idle.ts';
import { asProblem, type Problem } from './api/problem.ts';
import { rememberList } from './calls/lastList.ts';
import { forgetNumberSearch } from './calls/numberSearch.ts';
import { lookingAnew } from './who.ts';

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
  /** By a code that whoever runs Préavis has made. */
  signInOnce: (code: string) => Promise<void>;
  signOut: () => Promise<void>;
  again: () => void;
};

/** A timer of browsers cannot be set to longer, ms. */
const longestTimer = 2_147_000_000;

/** Tells, once, that nothing was asked for so long that the session has ended. */
function useIdleEnd(idleMinutes: number | undefined): void {
  useEffect(() => {
    if (idleMinutes === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      const left = idleLeft(idleMinutes, Date.now());
      if (left === 0) sessionEnded.dispatchEvent(new Event('ended'));
      else timer = setTimeout(look, left);
    };
    look();

    return () => {
      clearTimeout(timer);
    };
  }, [idleMinutes]);
}

/**
 * Who they are is asked again when the page comes back into sight: they may have signed out in another window, or the browser may have brought the
 * page back from its memory. The same is how who signs in anew in another window comes back to this one.
 */
function useLookOnReturn(given: (me: Me) => void): void {
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === 'visible') ask<Me>('/me').then(given, () => undefined);
    };
    const back = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) look();
    };
    document.addEventListener('visibilitychange', look);
    addEventListener('pageshow', back);
    lookingAnew.addEventListener('wanted', look);

    return () => {
      document.removeEventListener('visibilitychange', look);
      removeEventListener('pageshow', back);
      lookingAnew.removeEventListener('wanted', look);
    };
  }, [given]);
}

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
  useIdleEnd(state.kind === 'in' ? state.me.idleMinutes : undefined);
  useLookOnReturn(
    useCallback((me: Me) => {
      // Whoever has just signed out here stays out, also where the answer was under way.
      setState((before) => (before.kind === 'out' && before.isLeft ? before : { kind: 'in', me }));
    }, []),
  );

  const come = async (path: string, body: unknown): Promise<void> => {
    const session = await ask<Session>(path, { method: 'POST', body });
    setUntil(Date.parse(session.until));
    setState({ kind: 'in', me: session.me });
  };

  return {
    state,
    again: look,
    signIn: (credentials) => come('/session', credentials),
    signInOnce: (code) => come('/session/code', { code }),
    signOut: async () => {
      await ask('/session', { method: 'DELETE' }).catch((thrown: unknown) => {
        // It had ended before: they are out all the same.
        if (asProblem(thrown).status !== 401) throw thrown;
      });
      rememberList('/calls');
      forgetNumberSearch();
      setUntil(undefined);
      setState({ kind: 'out', isLeft: true });
    },
  };
}

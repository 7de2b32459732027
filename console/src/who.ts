import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me } from '../../src/web/routes/session.ts';

export const Who = createContext<Me | undefined>(undefined);

/** Whether the page is kept, and not shown, since nobody is signed in any more. */
export const Unseen = createContext(false);
export const useIsUnseen = (): boolean => useContext(Unseen);

/** Asks anew who they are, and what there is to choose from: the configuration may have changed since. */
export const lookingAnew = new EventTarget();

/** Who is signed in, and what their role may ask for. */
export function useMe(): Me {
  const me = useContext(Who);
  if (me === undefined) throw new Error('nobody is signed in here');

  return me;
}

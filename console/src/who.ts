import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me } from '../../src/web/routes/session.ts';

export const Who = createContext<Me | undefined>(undefined);

/** Whether the page is kept, and not shown, since nobody is signed in any more. */
export const Unseen = createContext(false);
export const useIsUnseen = (): boolean => useContext(Unseen);

/** Who is signed in, and what their role may ask for. */
export function useMe(): Me {
  const me = useContext(Who);
  if (me === undefined) throw new Error('nobody is signed in here');

  return me;
}

import { createContext, type ComponentChildren } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import { noteDraft } from './unsaved.ts';

/**
 * What somebody has typed or was given, for as long as they are signed in: it stays when they look at another page meanwhile. It is in the memory of
 * this window alone, and goes with whoever signs out.
 */
class Drafts extends EventTarget {
  readonly values = new Map<string, unknown>();
  /** They have signed out: an answer that comes now is nobody's draft. */
  isLeft = false;
}

const Kept = createContext<Drafts | undefined>(undefined);

export function KeepingDrafts({ children }: { children: ComponentChildren }) {
  const [drafts] = useState(() => new Drafts());
  useEffect(
    () => () => {
      drafts.isLeft = true;
      for (const name of drafts.values.keys()) noteDraft(name, false);
    },
    [drafts],
  );

  return <Kept.Provider value={drafts}>{children}</Kept.Provider>;
}

/**
 * @param name of one draft: it has the same type wherever it is used
 * @param isUnsaved whether something is lost with it
 */
export function useDraft<Draft>(
  name: string,
  initial: Draft,
  isUnsaved: (draft: Draft) => boolean,
): [draft: Draft, change: (how: (before: Draft) => Draft) => void] {
  const drafts = useContext(Kept);
  const [, redraw] = useState(0);
  useEffect(() => {
    const look = (): void => {
      redraw((before) => before + 1);
    };
    drafts?.addEventListener(name, look);

    return () => {
      drafts?.removeEventListener(name, look);
    };
  }, [drafts, name]);
  const now = drafts?.values.has(name) === true ? (drafts.values.get(name) as Draft) : initial;
  const first = useRef(initial);
  // Of what it is when it changes: an answer may come when something else was typed meanwhile.
  const change = useCallback(
    (how: (before: Draft) => Draft) => {
      if (drafts?.isLeft === true) return;
      const before = drafts?.values.has(name) === true ? (drafts.values.get(name) as Draft) : first.current;
      const next = how(before);
      drafts?.values.set(name, next);
      noteDraft(name, isUnsaved(next));
      drafts?.dispatchEvent(new Event(name));
    },
    [drafts, name],
  );

  return [now, change];
}

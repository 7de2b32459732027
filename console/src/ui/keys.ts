import { useEffect, useRef } from 'preact/hooks';
import { kept } from './kept.ts';

/** Shortcuts of single keys. They can be switched off (WCAG 2.1.4), since who speaks to a computer sends letters by accident. */
export const keysAreOn = (): boolean => kept.get('shortcuts') !== 'off';

/** Where a key means itself: in a field, or on what a key acts on. */
function isTaken(target: EventTarget | null, key: string): boolean {
  // Nobody is signed in any more: the page is there, unseen.
  if (document.querySelector('.signed[hidden]') !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog') !== null) return true;
  if (target.matches('select, textarea, [contenteditable]')) return true;
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' || key === ' ';

  return key === ' ' && target.matches('button, a, summary');
}

/** @param keys by the key that is pressed; what returns false leaves it to the browser */
export function useKeys(keys: Readonly<Record<string, (event: KeyboardEvent) => unknown>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!keysAreOn() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const act = latest.current[event.key];
      if (act === undefined || isTaken(event.target, event.key)) return;
      if (act(event) !== false) event.preventDefault();
    };
    addEventListener('keydown', press);

    return () => {
      removeEventListener('keydown', press);
    };
  }, []);
}

import { useEffect, useRef } from 'preact/hooks';

/** A menu closes by Escape, which gives the focus back to what opened it, and where somebody presses elsewhere. */
export function useMenu() {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const press = ({ target }: PointerEvent): void => {
      const { current } = menu;
      if (current?.open === true && target instanceof Node && !current.contains(target)) current.open = false;
    };
    const key = (event: KeyboardEvent): void => {
      const { current } = menu;
      if (event.key !== 'Escape' || current?.open !== true) return;
      const hadFocus = current.contains(document.activeElement);
      current.open = false;
      if (hadFocus) current.querySelector('summary')?.focus();
    };
    addEventListener('pointerdown', press);
    addEventListener('keydown', key);

    return () => {
      removeEventListener('pointerdown', press);
      removeEventListener('keydown', key);
    };
  }, []);

  return menu;
}

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { useSpeech } from '../text/say.tsx';
import { Icon } from './icon.tsx';

/** A dialogue above the page, which keeps the focus until it is closed. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const { say } = useSpeech();
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const shown = box.current;
    if (shown !== null && !shown.open) shown.showModal();
  }, []);

  return (
    <dialog ref={box} class="dialog" aria-labelledby={name} onClose={onClose}>
      <header>
        <h2 id={name}>{title}</h2>
        <button
          type="button"
          class="button button-quiet"
          aria-label={say.app.close}
          onClick={() => box.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useSpeech } from '../text/say.tsx';
import { useIsUnseen } from '../who.ts';
import { Icon } from './icon.tsx';

/**
 * A dialogue above the page, which keeps the focus until it is closed, and gives it back then. While the page is unseen it is closed as well, with
 * what was typed in it: an open one would let nobody use the page of the sign-in.
 */
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
  const isUnseen = useIsUnseen();
  const latest = useRef(isUnseen);
  latest.current = isUnseen;
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  // Taken away as it is, it would leave the focus nowhere. The browser knows only what had it when it was opened last.
  useLayoutEffect(() => {
    const shown = box.current;
    const opener = document.activeElement;

    return () => {
      latest.current = true;
      shown?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  // Before anything is painted: a key pressed at once is for the dialogue.
  useLayoutEffect(() => {
    const shown = box.current;
    if (shown === null) return;
    if (isUnseen) shown.close();
    else if (!shown.open) shown.showModal();
  }, [isUnseen]);

  return (
    <dialog
      ref={box}
      class="dialog"
      aria-labelledby={name}
      onClose={() => {
        if (!latest.current) onClose();
      }}
    >
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

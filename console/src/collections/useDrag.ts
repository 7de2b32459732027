import { useEffect, useRef, useState } from 'preact/hooks';

/** A row that is dragged by its handle, by mouse, pen or finger. */

/** `id`: the list may change meanwhile, and `from` is another row then. */
export type Dragged = { id: string; from: number; to: number };

/** The place of the row at this height: the rows are shown as they would be, so that the dragged one is below the pointer again. */
const placeAt = (rows: readonly HTMLElement[], y: number): number => {
  const place = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);

  return place === -1 ? rows.length - 1 : place;
};

export function useDrag(onDrop: (dragged: Dragged) => void) {
  const list = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<Dragged>();
  const latest = useRef<Dragged | undefined>(undefined);
  latest.current = dragged;
  const drop = useRef(onDrop);
  drop.current = onDrop;
  const isDragging = dragged !== undefined;
  useEffect(() => {
    if (!isDragging) return undefined;
    const move = ({ clientY }: PointerEvent): void => {
      const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-item]') ?? [])];
      setDragged((before) => before && { ...before, to: placeAt(rows, clientY) });
    };
    const end = (): void => {
      const done = latest.current;
      setDragged(undefined);
      if (done !== undefined && done.from !== done.to) drop.current(done);
    };
    const cancel = (event?: Event): void => {
      if (event instanceof KeyboardEvent && event.key !== 'Escape') return;
      setDragged(undefined);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', cancel);
    addEventListener('keydown', cancel);

    return () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', cancel);
      removeEventListener('keydown', cancel);
    };
  }, [isDragging]);

  return {
    list,
    dragged,
    begin: (event: PointerEvent, id: string, from: number) => {
      if (event.button !== 0) return;
      event.preventDefault();
      setDragged({ id, from, to: from });
    },
  };
}

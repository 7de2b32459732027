import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isTyping, whenMayLeave } from './ui/unsaved.ts';

/** Where somebody is: a path and what stands behind its question mark. Filters are there, so that a link shows what its sender saw. */
export type Place = { path: string; query: URLSearchParams };

const placeNow = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const moved = new EventTarget();

/** @param how replace: the way back does not lead to where they are now */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const isAnotherPage = new URL(to, location.href).pathname !== location.pathname;
  const move = (): void => {
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
    // As a browser does with a new page.
    if (isAnotherPage) scrollTo(0, 0);
    moved.dispatchEvent(new Event('moved'));
  };
  if (isAnotherPage) whenMayLeave(move);
  else move();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const look = (): void => {
      setPlace(placeNow());
    };
    moved.addEventListener('moved', look);

    return () => {
      moved.removeEventListener('moved', look);
    };
  }, []);

  return place;
}

/** The page that is shown, for the way back from one that was not to be left yet. */
let shown = location.pathname + location.search;
moved.addEventListener('moved', () => {
  shown = location.pathname + location.search;
});

/** The browser has gone back or forward by itself: where something typed would be lost with it, it comes back, and they are asked. */
addEventListener('popstate', () => {
  if (!isTyping() || location.pathname === shown.split('?')[0]) {
    moved.dispatchEvent(new Event('moved'));
    return;
  }
  history.pushState(null, '', shown);
  whenMayLeave(() => {
    history.back();
  });
});

type LinkProps = {
  href: string;
  class?: string;
  title?: string;
  'aria-current'?: 'page' | undefined;
  /** A row of a list, which the arrow keys go to. */
  'data-row'?: boolean;
  children: ComponentChildren;
};

/** A link within the console. */
export function Link({ href, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };

  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  );
}

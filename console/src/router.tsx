import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Where somebody is: a path and what stands behind its question mark. Filters are there, so that a link shows what its sender saw. */
export type Place = { path: string; query: URLSearchParams };

const placeNow = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const moved = new EventTarget();

/** @param how replace: the way back does not lead to where they are now */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const before = location.pathname;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  // As a browser does with a new page.
  if (location.pathname !== before) scrollTo(0, 0);
  moved.dispatchEvent(new Event('moved'));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const look = (): void => {
      setPlace(placeNow());
    };
    moved.addEventListener('moved', look);
    addEventListener('popstate', look);

    return () => {
      moved.removeEventListener('moved', look);
      removeEventListener('popstate', look);
    };
  }, []);

  return place;
}

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

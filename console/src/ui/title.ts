import { useEffect } from 'preact/hooks';

/** What the browser calls the page. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title === '' ? 'Préavis' : `${title} – Préavis`;
  }, [title]);
}

import { useEffect } from 'preact/hooks';

/** What the browser calls the page, and what it called the one before once this one is left. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = title === '' ? 'Préavis' : `${title} – Préavis`;

    return () => {
      document.title = before;
    };
  }, [title]);
}

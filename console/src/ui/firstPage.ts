import { useEffect } from 'preact/hooks';
import type { Problem } from '../api/problem.ts';
import { go } from '../router.tsx';

/** A cursor is of whoever was given it, and of these filters: anybody else begins at the first page. */
export function useFirstPage(asked: { kind: string; problem?: Problem }): void {
  const isForeign = asked.problem?.places.includes('query.cursor') === true;
  useEffect(() => {
    if (!isForeign) return;
    const query = new URLSearchParams(location.search);
    query.delete('cursor');
    const rest = query.toString();
    go(location.pathname + (rest === '' ? '' : `?${rest}`), 'replace');
  }, [isForeign]);
}

import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { CollectedPage, RecordingOfList } from '../api/types.ts';
import { useIsUnseen } from '../who.ts';

/** The recordings of a collection, as many pages of them as were asked for. */

type Collected =
  | { kind: 'waiting' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'given'; recordings: readonly RecordingOfList[]; hasMore: boolean };

const pageLength = 50;

async function fetchPages(collection: string, pages: number, signal: AbortSignal | undefined): Promise<CollectedPage> {
  const recordings: RecordingOfList[] = [];
  let next: string | null = null;
  for (let page = 0; page < pages && (page === 0 || next !== null); page += 1) {
    const query = new URLSearchParams({ limit: String(pageLength) });
    if (next !== null) query.set('cursor', next);
    const found: CollectedPage = await ask<CollectedPage>(`/collections/${collection}/recordings?${query.toString()}`, {
      signal,
    });
    recordings.push(...found.recordings);
    next = found.next;
  }

  return { recordings, next };
}

export function useCollected(collection: string): Collected & { more: () => void; again: () => Promise<void> } {
  const isUnseen = useIsUnseen();
  const [pages, setPages] = useState(1);
  const [collected, setCollected] = useState<Collected>({ kind: 'waiting' });
  const look = useCallback(
    async (signal?: AbortSignal): Promise<void> => {
      try {
        const { recordings, next } = await fetchPages(collection, pages, signal);
        if (signal?.aborted !== true) setCollected({ kind: 'given', recordings, hasMore: next !== null });
      } catch (thrown) {
        if (signal?.aborted !== true) setCollected({ kind: 'failed', problem: asProblem(thrown) });
      }
    },
    [collection, pages],
  );
  useEffect(() => {
    if (isUnseen) return undefined;
    const left = new AbortController();
    void look(left.signal);

    return () => {
      left.abort();
    };
  }, [look, isUnseen]);

  return {
    ...collected,
    more: () => {
      setPages(pages + 1);
    },
    again: look,
  };
}

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Call, CallPage as Page } from '../api/types.ts';
import { useIsUnseen, useMe } from '../who.ts';
import { go, Link, usePlace } from '../router.tsx';
import { useSpeech } from '../text/say.tsx';
import { Empty, ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { CallTable } from './callTable.tsx';
import { FilterChips, FilterForm, Presets, type Known } from './filterForm.tsx';
import { apiQuery, filtersIn, listAddress, type Filters } from './filters.ts';
import { SelectionBar } from './selectionBar.tsx';

const pageLength = 50;
/** Pages of the API that are short are joined, up to so many: each of them looks at some thousands of calls. */
const mostRounds = 5;

type Listed =
  | { kind: 'waiting' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'given'; calls: readonly Call[]; next: string | null };

async function pageOf(filters: Filters, cursor: string | undefined, signal: AbortSignal): Promise<Page> {
  const calls: Call[] = [];
  let next: string | null = cursor ?? null;
  for (let round = 0; round < mostRounds; round += 1) {
    const page: Page = await ask<Page>(apiQuery(filters, next ?? undefined, pageLength - calls.length), { signal });
    calls.push(...page.calls);
    next = page.next;
    if (next === null || calls.length >= pageLength) break;
  }

  return { calls, next };
}

function useCalls(filters: Filters, cursor: string | undefined): { listed: Listed; again: () => void } {
  const isUnseen = useIsUnseen();
  const [turn, setTurn] = useState(0);
  const address = listAddress(filters, cursor);
  const [found, setFound] = useState<{ address: string; listed: Listed }>();
  useEffect(() => {
    if (isUnseen) return undefined;
    const left = new AbortController();
    const show = (listed: Listed): void => {
      if (!left.signal.aborted) setFound({ address, listed });
    };
    pageOf(filters, cursor, left.signal).then(
      (page) => {
        show({ kind: 'given', ...page });
      },
      (thrown: unknown) => {
        show({ kind: 'failed', problem: asProblem(thrown) });
      },
    );

    return () => {
      left.abort();
    };
    // The address is all that the filters and the cursor say.
  }, [address, turn, isUnseen]);
  const again = useCallback(() => {
    setTurn((before) => before + 1);
  }, []);

  return { listed: found?.address === address ? found.listed : { kind: 'waiting' }, again };
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** What the pages of this visit had. */
function useKnown(listed: Listed): Known {
  const seen = useRef<Known>({ lines: [], purposes: [], languages: [] });
  if (listed.kind === 'given') {
    const { lines, purposes, languages } = seen.current;
    seen.current = {
      lines: sorted([...lines, ...listed.calls.flatMap(({ line }) => line ?? [])]),
      purposes: sorted([...purposes, ...listed.calls.flatMap((call) => call.purposes)]),
      languages: sorted([...languages, ...listed.calls.flatMap((call) => call.languages)]),
    };
  }

  return seen.current;
}

function Nothing({ filters, next }: { filters: Filters; next: string | null }) {
  const { say } = useSpeech();
  if (next !== null) {
    return (
      <Empty title={say.list.noMatchTitle} text={say.list.lookedBack}>
        <Link class="button" href={listAddress(filters, next)}>
          {say.list.searchOn}
        </Link>
      </Empty>
    );
  }
  const isFiltered = Object.values(filters).some((value) => value !== undefined);

  return isFiltered ? (
    <Empty title={say.list.noMatchTitle} text={say.list.noMatch}>
      <Link class="button" href="/calls">
        {say.list.clear}
      </Link>
    </Empty>
  ) : (
    <Empty title={say.list.emptyTitle} text={say.list.empty} />
  );
}

function Paging({ filters, cursor, next }: { filters: Filters; cursor: string | undefined; next: string | null }) {
  const { say } = useSpeech();

  return (
    <nav class="paging" aria-label={say.list.older}>
      {cursor !== undefined && (
        <Link class="button" href={listAddress(filters)}>
          {say.list.newest}
        </Link>
      )}
      {next === null ? (
        <span class="quiet">{say.list.end}</span>
      ) : (
        <Link class="button" href={listAddress(filters, next)}>
          {say.list.older}
        </Link>
      )}
    </nav>
  );
}

export function CallsPage() {
  const { say } = useSpeech();
  const { acts } = useMe();
  const { query } = usePlace();
  const filters = filtersIn(query);
  const cursor = query.get('cursor') ?? undefined;
  const { listed, again } = useCalls(filters, cursor);
  const known = useKnown(listed);
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const show = (wanted: Filters): void => {
    go(listAddress(wanted), 'push');
  };
  usePageTitle(say.list.title);

  return (
    <div class="page">
      <header class="heading">
        <h1>{say.list.title}</h1>
        <Presets
          onPeriod={(from) => {
            show({ ...filters, from, to: undefined });
          }}
        />
      </header>
      <FilterForm filters={filters} known={known} onChange={show} />
      <FilterChips filters={filters} onChange={show} />
      {listed.kind === 'waiting' && <Waiting />}
      {listed.kind === 'failed' && <ProblemNote problem={listed.problem} onRetry={again} />}
      {listed.kind === 'given' && listed.calls.length === 0 && <Nothing filters={filters} next={listed.next} />}
      {listed.kind === 'given' && listed.calls.length > 0 && (
        <>
          <CallTable
            calls={listed.calls}
            selection={acts.includes('download') ? { selected, select } : undefined}
            listAddress={listAddress(filters, cursor)}
          />
          <Paging filters={filters} cursor={cursor} next={listed.next} />
        </>
      )}
      {selected.size > 0 && <SelectionBar selected={selected} select={select} />}
    </div>
  );
}

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Call, CallPage as Page } from '../api/types.ts';
import { useIsUnseen, useMe } from '../who.ts';
import { go, Link, usePlace } from '../router.tsx';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useFirstPage } from '../ui/firstPage.ts';
import { Empty, ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { CallTable } from './callTable.tsx';
import { FilterChips, FilterForm, Presets } from './filterForm.tsx';
import { apiFilters, apiQuery, filtersIn, listAddress, type Filters } from './filters.ts';
import { withSeen, type Known } from './known.ts';
import { NumberPanel } from './numberPanel.tsx';
import { keepNumberSearch, numberSearchOf, type NumberSearch } from './numberSearch.ts';
import { SelectionBar } from './selectionBar.tsx';
import { ViewsMenu } from './viewsMenu.tsx';

const pageLength = 50;
/** Pages of the API that are short are joined, up to so many: each of them looks at some thousands of calls. */
const mostRounds = 5;

type Listed =
  | { kind: 'waiting' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'given'; calls: readonly Call[]; next: string | null; keysNotSearched?: readonly string[] };

type Found = Page & { keysNotSearched?: readonly string[] };
type Wanted = { filters: Filters; cursor: string | undefined; search: NumberSearch | undefined };

/** Each question about a number is a step of the audit trail: it is asked once. */
function pageOfNumber({ filters, cursor }: Wanted, search: NumberSearch, signal: AbortSignal): Promise<Found> {
  const { number, ground, reference } = search;
  const body = {
    ...apiFilters(filters),
    number,
    ground,
    ...(reference === '' ? {} : { reference }),
    ...(cursor === undefined ? {} : { cursor }),
    limit: pageLength,
  };

  return ask<Found>('/calls/search', { method: 'POST', body, signal });
}

async function pageOf(wanted: Wanted, signal: AbortSignal): Promise<Found> {
  const { filters, cursor, search } = wanted;
  if (search !== undefined) return pageOfNumber(wanted, search, signal);
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

function useCalls(wanted: Wanted): { listed: Listed; again: () => void } {
  const { filters, cursor, search } = wanted;
  const isUnseen = useIsUnseen();
  const [turn, setTurn] = useState(0);
  const address = listAddress(filters, cursor);
  const [found, setFound] = useState<{ address: string; search: NumberSearch | undefined; listed: Listed }>();
  useEffect(() => {
    if (isUnseen) return undefined;
    const left = new AbortController();
    const show = (listed: Listed): void => {
      if (!left.signal.aborted) setFound({ address, search, listed });
    };
    pageOf(wanted, left.signal).then(
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
  }, [address, search, turn, isUnseen]);
  const again = useCallback(() => {
    setTurn((before) => before + 1);
  }, []);
  const isOfThis = found?.address === address && found.search === search;

  return { listed: isOfThis ? found.listed : { kind: 'waiting' }, again };
}

/** What the pages and the filters of this visit had. */
function useKnown(listed: Listed, filters: Filters): Known {
  const me = useMe();
  const seen = useRef<Known>({
    lines: Object.keys(me.lineNames),
    purposes: Object.keys(me.purposeNames),
    languages: [],
    tags: [],
    companies: me.companies,
    pbxs: me.pbxs,
  });
  seen.current = withSeen(seen.current, listed.kind === 'given' ? listed.calls : [], filters);

  return seen.current;
}

function Nothing({
  filters,
  search,
  onOlder,
}: {
  filters: Filters;
  search: boolean;
  onOlder: (() => void) | undefined;
}) {
  const { say } = useSpeech();
  if (onOlder !== undefined) {
    return (
      <Empty title={say.list.noMatchTitle} text={say.list.lookedBack}>
        <button type="button" class="button" onClick={onOlder}>
          {say.list.searchOn}
        </button>
      </Empty>
    );
  }
  if (search) return <Empty title={say.byNumber.emptyTitle} text={say.byNumber.empty} />;
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

function Paging({ onNewest, onOlder }: { onNewest: (() => void) | undefined; onOlder: (() => void) | undefined }) {
  const { say } = useSpeech();

  return (
    <nav class="paging" aria-label={say.list.older}>
      {onNewest !== undefined && (
        <button type="button" class="button" onClick={onNewest}>
          {say.list.newest}
        </button>
      )}
      {onOlder === undefined ? (
        <span class="quiet">{say.list.end}</span>
      ) : (
        <button type="button" class="button" onClick={onOlder}>
          {say.list.older}
        </button>
      )}
    </nav>
  );
}

function Results({
  wanted,
  listed,
  again,
  onPage,
}: {
  wanted: Wanted;
  listed: Listed;
  again: () => void;
  onPage: (cursor: string | undefined) => void;
}) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const { filters, cursor, search } = wanted;
  const isOlder = listed.kind === 'given' && listed.next !== null;
  const onOlder = isOlder
    ? () => {
        onPage(listed.next ?? undefined);
      }
    : undefined;
  const onNewest =
    cursor === undefined
      ? undefined
      : () => {
          onPage(undefined);
        };

  return (
    <>
      {listed.kind === 'waiting' && <Waiting />}
      {listed.kind === 'failed' && <ProblemNote problem={listed.problem} onRetry={again} />}
      {listed.kind === 'given' && (listed.keysNotSearched ?? []).length > 0 && <p class="note">{say.byNumber.keys}</p>}
      {listed.kind === 'given' && listed.calls.length === 0 && (
        <Nothing filters={filters} search={search !== undefined} onOlder={onOlder} />
      )}
      {listed.kind === 'given' && listed.calls.length > 0 && (
        <>
          <CallTable
            calls={listed.calls}
            selection={acts.includes('download') ? { selected, select } : undefined}
            listAddress={listAddress(filters, search === undefined ? cursor : undefined)}
          />
          <Paging onNewest={onNewest} onOlder={onOlder} />
        </>
      )}
      {selected.size > 0 && <SelectionBar selected={selected} select={select} />}
    </>
  );
}

/** A search by number, and its page: neither is in the address. The API takes a cursor for the filters that it was given for, and no others. */
function useNumberSearch(address: string) {
  const { name: user } = useMe();
  const [search, setSearch] = useState(() => numberSearchOf(user));
  const [page, setPage] = useState<{ address: string; cursor: string }>();
  const [isOpen, setOpen] = useState(search !== undefined);

  return {
    search,
    cursor: page?.address === address ? page.cursor : undefined,
    setCursor: (cursor: string | undefined) => {
      setPage(cursor === undefined ? undefined : { address, cursor });
    },
    isOpen,
    open: () => {
      setOpen(true);
    },
    begin: (wanted: NumberSearch | undefined) => {
      keepNumberSearch(user, wanted);
      setSearch(wanted);
      setPage(undefined);
      setOpen(wanted !== undefined);
    },
  };
}

function Heading({
  filters,
  onShow,
  onSearch,
}: {
  filters: Filters;
  onShow: (filters: Filters) => void;
  onSearch: (() => void) | undefined;
}) {
  const { say } = useSpeech();
  const { acts } = useMe();

  return (
    <header class="heading">
      <h1>{say.list.title}</h1>
      <div class="presets">
        <Presets filters={filters} onShow={onShow} />
        <ViewsMenu filters={filters} />
        {acts.includes('searchByNumber') && onSearch !== undefined && (
          <button type="button" class="button button-small" onClick={onSearch}>
            <Icon name="search" />
            {say.byNumber.open}
          </button>
        )}
      </div>
    </header>
  );
}

export function CallsPage() {
  const { say } = useSpeech();
  const { query } = usePlace();
  const filters = filtersIn(query);
  const byNumber = useNumberSearch(listAddress(filters));
  const { search } = byNumber;
  const wanted: Wanted = {
    filters,
    search,
    cursor: search === undefined ? (query.get('cursor') ?? undefined) : byNumber.cursor,
  };
  const { listed, again } = useCalls(wanted);
  useFirstPage(listed);
  const known = useKnown(listed, filters);
  const show = (changed: Filters): void => {
    byNumber.setCursor(undefined);
    go(listAddress(changed));
  };
  usePageTitle(say.list.title);

  return (
    <div class="page">
      <Heading filters={filters} onShow={show} onSearch={byNumber.isOpen ? undefined : byNumber.open} />
      {byNumber.isOpen && (
        <NumberPanel
          search={search}
          onSearch={byNumber.begin}
          onEnd={() => {
            byNumber.begin(undefined);
          }}
        />
      )}
      <FilterForm filters={filters} known={known} onChange={show} />
      <FilterChips filters={filters} onChange={show} />
      <Results
        wanted={wanted}
        listed={listed}
        again={again}
        onPage={(cursor) => {
          if (search === undefined) go(listAddress(filters, cursor));
          else byNumber.setCursor(cursor);
          scrollTo(0, 0);
        }}
      />
    </div>
  );
}

import type { ComponentChildren } from 'preact';
import type { CertificatePage, EndingPage, HeldPage } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { Link, usePlace } from '../router.tsx';
import { useSpeech } from '../text/say.tsx';
import { useFirstPage } from '../ui/firstPage.ts';
import { Empty, ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useMe } from '../who.ts';
import { CertificateList } from './certificateList.tsx';
import { EndingList, HeldList } from './endingList.tsx';

/** What is erased when, what keeps it longer, and the proof that it was erased. */

const lists = ['due', 'overdue', 'upcoming', 'held', 'doubtful', 'certificates'] as const;
type ListName = (typeof lists)[number];

function Paged<Page extends { next: string | null }>({
  which,
  path,
  sizeOf,
  rows,
}: {
  which: ListName;
  path: string;
  sizeOf: (page: Page) => number;
  rows: (page: Page, again: () => void) => ComponentChildren;
}) {
  const { say } = useSpeech();
  const { query } = usePlace();
  const cursor = query.get('cursor');
  const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  const asked = useAsked<Page>(`${path}?limit=25${more}`);
  useFirstPage(asked);
  if (asked.kind === 'waiting') return <Waiting />;
  if (asked.kind === 'failed') return <ProblemNote problem={asked.problem} onRetry={asked.again} />;
  const { next } = asked.answer;
  const isEmpty = sizeOf(asked.answer) === 0;

  return (
    <>
      {asked.fault !== undefined && <ProblemNote problem={asked.fault} onRetry={asked.again} />}
      {isEmpty && next === null && cursor === null && (
        <Empty title={say.retention.none[which]} text={say.retention.help[which]} />
      )}
      {isEmpty && (next !== null || cursor !== null) && (
        <p class="quiet">{next === null ? say.list.end : say.list.lookedBack}</p>
      )}
      {!isEmpty && <p class={which === 'overdue' ? 'note note-problem' : 'quiet'}>{say.retention.help[which]}</p>}
      {rows(asked.answer, asked.again)}
      {next !== null && (
        <p class="paging">
          <Link class="button" href={`/retention/${which}?cursor=${encodeURIComponent(next)}`}>
            {say.collections.more}
          </Link>
        </p>
      )}
    </>
  );
}

function ListPart({ which }: { which: ListName }) {
  switch (which) {
    case 'certificates':
      return (
        <Paged<CertificatePage>
          which={which}
          path="/certificates"
          sizeOf={({ certificates }) => certificates.length}
          rows={({ certificates }) => <CertificateList certificates={certificates} />}
        />
      );
    case 'held':
      return (
        <Paged<HeldPage>
          which={which}
          path="/retention/held"
          sizeOf={({ recordings }) => recordings.length}
          rows={({ recordings }, again) => <HeldList recordings={recordings} onChange={again} />}
        />
      );
    case 'due':
    case 'doubtful':
    case 'overdue':
    case 'upcoming':
      return (
        <Paged<EndingPage>
          which={which}
          path={`/retention/${which}`}
          sizeOf={({ recordings }) => recordings.length}
          rows={({ recordings }) => <EndingList recordings={recordings} when={which} />}
        />
      );
  }
}

export function RetentionPage() {
  const { say } = useSpeech();
  const { acts } = useMe();
  const { path } = usePlace();
  const [, , asked] = path.split('/');
  const seen = lists.filter((each) => each !== 'certificates' || acts.includes('readAudit'));
  const which = seen.find((each) => each === asked) ?? 'due';
  usePageTitle(say.retention.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.retention.title}</h1>
          <p class="quiet">{say.retention.intro}</p>
        </div>
      </header>
      <nav class="tabs" aria-label={say.retention.title}>
        {seen.map((each) => (
          <Link key={each} href={`/retention/${each}`} aria-current={each === which ? 'page' : undefined}>
            {say.retention.lists[each]}
          </Link>
        ))}
      </nav>
      <ListPart key={which} which={which} />
    </div>
  );
}

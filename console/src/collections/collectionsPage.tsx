import type { AnnotationForm, CollectedPage } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { Link, usePlace } from '../router.tsx';
import { inLanguage } from '../text/localText.ts';
import { useSpeech } from '../text/say.tsx';
import { Empty, ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';

/** Calls that people have put together, in the order that they gave them. */

type Collected = CollectedPage['recordings'][number];

function Item({ recording, number }: { recording: Collected; number: number }) {
  const { format } = useSpeech();
  const { call, durationMs, tags, score } = recording;

  return (
    <li class="live-call">
      <div class="live-what">
        <p>
          <span class="quiet">{number}.</span>{' '}
          <Link href={`/calls/${call.id}`}>{format.dayAndTime(call.startedAt)}</Link>
        </p>
        <p class="quiet">
          {[
            ...(call.line === null ? [] : [call.line]),
            ...(durationMs === null ? [] : [format.position(durationMs)]),
            ...(score === null ? [] : [`${score} / 100`]),
            ...tags,
          ].join(' · ')}
        </p>
      </div>
    </li>
  );
}

function Collection({ name }: { name: string }) {
  const { say } = useSpeech();
  const { query } = usePlace();
  const cursor = query.get('cursor');
  const more = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
  const asked = useAsked<CollectedPage>(`/collections/${encodeURIComponent(name)}/recordings${more}`);
  if (asked.kind === 'waiting') return <Waiting />;
  if (asked.kind === 'failed') return <ProblemNote problem={asked.problem} onRetry={asked.again} />;
  const { recordings, next } = asked.answer;

  return (
    <>
      {recordings.length === 0 && next === null && (
        <Empty title={say.collections.emptyTitle} text={say.collections.empty} />
      )}
      <ol class="live">
        {recordings.map((recording, index) => (
          <Item key={recording.id} recording={recording} number={index + 1} />
        ))}
      </ol>
      {next !== null && (
        <p class="paging">
          <Link class="button" href={`/collections/${name}?cursor=${encodeURIComponent(next)}`}>
            {say.collections.more}
          </Link>
        </p>
      )}
    </>
  );
}

function Chosen({ form, name }: { form: AnnotationForm; name: string | undefined }) {
  const { language, say } = useSpeech();
  const { collections } = form;
  const [first] = collections;
  if (first === undefined) return <Empty title={say.collections.noneTitle} text={say.collections.none} />;
  const chosen = name ?? first.collection;

  return (
    <>
      <nav class="tabs" aria-label={say.collections.title}>
        {collections.map(({ collection, label }) => (
          <Link
            key={collection}
            href={`/collections/${collection}`}
            aria-current={collection === chosen ? 'page' : undefined}
          >
            {inLanguage(label, language)}
          </Link>
        ))}
      </nav>
      <Collection key={chosen} name={chosen} />
    </>
  );
}

export function CollectionsPage({ name }: { name: string | undefined }) {
  const { say } = useSpeech();
  const form = useAsked<AnnotationForm>('/annotation-form');
  usePageTitle(say.collections.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.collections.title}</h1>
          <p class="quiet">{say.collections.intro}</p>
        </div>
      </header>
      {form.kind === 'waiting' && <Waiting />}
      {form.kind === 'failed' && <ProblemNote problem={form.problem} onRetry={form.again} />}
      {form.kind === 'given' && <Chosen form={form.answer} name={name} />}
    </div>
  );
}

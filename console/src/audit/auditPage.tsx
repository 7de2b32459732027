import { useEffect, useState } from 'preact/hooks';
import type { AuditPage as Page } from '../../../src/web/routes/audit.ts';
import { useAsked } from '../api/useAsked.ts';
import { eventText } from '../call/history.tsx';
import { apiFilters, isUsable } from '../calls/filters.ts';
import { go, Link, usePlace } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { formText } from '../ui/formText.ts';
import { useFirstPage } from '../ui/firstPage.ts';
import { Given } from '../ui/given.tsx';
import { Empty } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';

/** The audit trail as a whole: who did what, the newest first. */

type Line = Page['lines'][number];
const names = ['from', 'to', 'actor', 'event'] as const;
type Wanted = Partial<Record<(typeof names)[number], string>>;

function wantedIn(query: URLSearchParams): Wanted {
  const isFine = (name: (typeof names)[number], value: string): boolean =>
    value !== '' && (name === 'actor' || name === 'event' || isUsable(name, value));

  return Object.fromEntries(
    names.map((name) => [name, query.get(name) ?? ''] as const).filter(([name, value]) => isFine(name, value)),
  );
}

function addressOf(path: string, wanted: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(wanted).toString();

  return query === '' ? path : `${path}?${query}`;
}

/** Whole ones are in the trail of the recording. */
const shownOfHash = 12;

/** ms since 1970 UTC of the year 2001: the trail has times as numbers, and nothing else that is as large. */
const earliestTime = 1e12;

function factText(value: unknown): string {
  if (typeof value === 'number' && value > earliestTime) return new Date(value).toISOString();
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ');
  if (typeof value !== 'string') return value === null ? '' : JSON.stringify(value);

  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, shownOfHash)}…` : value;
}

/** What can be looked for and has no words: as the trail has it, and as its lines say it. */
const wordless = [
  'erasure decided',
  'erasure failed',
  'erasure asked by the person, refused',
  'erasure asked by the person, failed',
  'exported for the person',
  'evidence bundled',
  'fetched',
  'approval expired',
  'kept shorter',
  'clocks disagree',
  'end settled',
];

/** Facts of a step, by the names that the trail has for them. */
const factsOf = ({ detail }: Line): string =>
  Object.entries(detail)
    .map(([name, value]) => [name, factText(value)] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}: ${text}`)
    .join(' · ');

function Row({ line, wanted }: { line: Line; wanted: Wanted }) {
  const { say, format } = useSpeech();
  const words = eventText(line, say, format);

  return (
    <tr role="row">
      <td role="cell">
        <time dateTime={line.at} title={line.at}>
          {format.day(line.at)} {format.clock(line.at)}
        </time>
      </td>
      <th role="rowheader" scope="row">
        <Link href={addressOf('/audit', { ...wanted, actor: line.actor })}>{line.actor}</Link>
      </th>
      <td role="cell">
        {line.call === null ? words : <Link href={`/calls/${line.call}`}>{words}</Link>}
        <span class="quiet small" lang="en">
          {' '}
          {factsOf(line)}
        </span>
      </td>
    </tr>
  );
}

/** Who did it, as the trail has it; the API finds a user by the name alone, too. */
function ActorField({ actor, known }: { actor: string; known: readonly string[] }) {
  const { say } = useSpeech();
  const [typed, setTyped] = useState(actor);
  // Not when the field has changed: the form reads it behind that.
  useEffect(() => {
    setTyped(actor);
  }, [actor]);

  return (
    <div class="field field-small">
      <label for="audit-actor">{say.trail.actor}</label>
      <input
        id="audit-actor"
        name="actor"
        list="audit-actors"
        maxLength={128}
        autoCapitalize="none"
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget: { value } }) => {
          setTyped(value);
        }}
      />
      <datalist id="audit-actors">
        {known.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </div>
  );
}

function Filters({ wanted, known }: { wanted: Wanted; known: readonly string[] }) {
  const { say } = useSpeech();
  const events = new Map(Object.entries(say.audit).filter(([event]) => event !== 'began' && event !== 'status'));
  // The last is of an address that somebody typed, or that is old.
  for (const event of [...wordless, wanted.event ?? ''])
    if (event !== '' && !events.has(event)) events.set(event, event);
  const show = ({ currentTarget }: Event): void => {
    if (!(currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(currentTarget);
    go(addressOf('/audit', wantedIn(new URLSearchParams(names.map((name) => [name, formText(data, name).trim()])))));
  };

  return (
    <form
      class="filter-row"
      aria-label={say.list.filters}
      onChange={show}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      {(['from', 'to'] as const).map((name) => (
        <div key={name} class="field field-small">
          <label for={`audit-${name}`}>{say.list[name]}</label>
          <input id={`audit-${name}`} name={name} type="date" max="2999-12-31" value={wanted[name] ?? ''} />
        </div>
      ))}
      <ActorField actor={wanted.actor ?? ''} known={known} />
      <div class="field field-small">
        <label for="audit-event">{say.trail.event}</label>
        <select id="audit-event" name="event" value={wanted.event ?? ''}>
          <option value="">{say.list.any}</option>
          {[...events].map(([event, words]) => (
            <option key={event} value={event}>
              {fill(words, { seconds: '…' })}
            </option>
          ))}
        </select>
      </div>
      {Object.keys(wanted).length > 0 && (
        <Link class="button button-quiet" href="/audit">
          {say.list.clear}
        </Link>
      )}
    </form>
  );
}

function Lines({ page: { lines, next }, wanted }: { page: Page; wanted: Wanted }) {
  const { say } = useSpeech();
  const older = next !== null && (
    <Link class="button" href={addressOf('/audit', { ...wanted, cursor: next })}>
      {lines.length === 0 ? say.list.searchOn : say.list.older}
    </Link>
  );
  if (lines.length === 0) {
    return (
      <Empty title={say.trail.none} text={next === null ? say.list.noMatch : say.list.lookedBack}>
        {older}
      </Empty>
    );
  }

  return (
    <section class="card">
      <table class="trail" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              {say.list.columns.time}
            </th>
            <th role="columnheader" scope="col">
              {say.trail.actor}
            </th>
            <th role="columnheader" scope="col">
              {say.trail.event}
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {lines.map((line) => (
            <Row key={line.line} line={line} wanted={wanted} />
          ))}
        </tbody>
      </table>
      <p class="paging">{older === false ? <span class="quiet">{say.list.end}</span> : older}</p>
    </section>
  );
}

export function AuditPage() {
  const { say } = useSpeech();
  const { query } = usePlace();
  const wanted = wantedIn(query);
  const cursor = query.get('cursor');
  const asked = useAsked<Page>(
    addressOf('/audit', { ...apiFilters(wanted), limit: '100', ...(cursor === null ? {} : { cursor }) }),
  );
  useFirstPage(asked);
  usePageTitle(say.trail.title);
  const actors = asked.kind === 'given' ? asked.answer.lines.map(({ actor }) => actor) : [];

  return (
    <div class="page">
      <header class="heading">
        <div>
          <h1>{say.trail.title}</h1>
          <p class="quiet">{say.trail.intro}</p>
        </div>
      </header>
      <Filters wanted={wanted} known={[...new Set(actors)]} />
      <Given asked={asked}>{(page) => <Lines page={page} wanted={wanted} />}</Given>
    </div>
  );
}

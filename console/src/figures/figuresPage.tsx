import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CallsByDay, NoticeSeconds, StorageByPurpose } from '../../../src/web/routes/figures.ts';
import type { SystemState } from '../../../src/web/routes/system.ts';
import { useAsked } from '../api/useAsked.ts';
import { causeText } from '../system/cause.ts';
import { UploadsCard } from '../system/uploadsCard.tsx';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useMe } from '../who.ts';
import { AsTable } from './asTable.tsx';
import { CountChoices, useCompany, usePeriod } from './company.tsx';
import { DayPlot } from './dayPlot.tsx';
import { NoticeCard } from './noticeCard.tsx';
import { byLanguage, byResult, daysUpTo, noLanguage, otherLanguages } from './series.ts';

/** Plots of what there is: calls a day, what is kept, what waits, how long callers wait. Behind each is its table. */

const periods = [7, 30, 90] as const;

/** What is asked for one part of the page: the others stand on their own. */
function Part<Answer>({
  title,
  asked,
  children,
}: {
  title: string;
  asked: ReturnType<typeof useAsked<Answer>>;
  children: (answer: Answer) => ComponentChildren;
}) {
  const { say } = useSpeech();
  if (asked.kind === 'given') return <>{children(asked.answer)}</>;

  return (
    <section class="card">
      <h2>{title}</h2>
      {asked.kind === 'waiting' ? (
        <Waiting />
      ) : asked.problem.status === 403 ? (
        <p class="quiet">{say.figures.notYours}</p>
      ) : (
        <ProblemNote problem={asked.problem} onRetry={asked.again} />
      )}
    </section>
  );
}

function Calls({ found, days }: { found: CallsByDay; days: string[] }) {
  const { say, format } = useSpeech();
  const { figures } = say;
  const results = new Map(Object.entries(say.results));
  const languageName = (key: string): string => {
    if (key === noLanguage) return figures.noNotice;
    if (key === otherLanguages) return figures.otherLanguages;

    return key
      .split(' ')
      .map((tag) => format.languageName(tag))
      .join(' + ');
  };
  if (found.days.length === 0) {
    return (
      <section class="card">
        <h2>{figures.byResult}</h2>
        <p class="quiet">
          {say.unrecorded.noneTitle}. {say.unrecorded.none}
        </p>
      </section>
    );
  }

  return (
    <>
      <DayPlot
        title={figures.byResult}
        plot={byResult(found.days, days)}
        nameOf={(key) => results.get(key) ?? key}
        lookOf={(key) => key}
      />
      <DayPlot
        title={figures.byLanguage}
        plot={byLanguage(found.days, days)}
        nameOf={languageName}
        lookOf={(key, place) => (key === noLanguage ? 'none' : `${place + 1}`)}
      />
    </>
  );
}

function Storage({ found: { purposes, countedAt, isCounting } }: { found: StorageByPurpose }) {
  const { language, say, format, purposeName } = useSpeech();
  const { figures } = say;
  const sorted = purposes.toSorted((one, other) => other.bytes - one.bytes);
  const most = Math.max(1, ...sorted.map(({ bytes }) => bytes));

  return (
    <section class="card" aria-labelledby="storage">
      <h2 id="storage">{figures.storage}</h2>
      {isCounting && <p role="status">{figures.counting}</p>}
      {countedAt !== null && sorted.length === 0 && <p class="quiet">{figures.storageNone}</p>}
      {countedAt !== null && sorted.length > 0 && (
        <>
          <p class="quiet small">{fill(figures.storageHelp, { time: format.shortTime(countedAt) })}</p>
          <ul class="bars">
            {sorted.map(({ purpose, recordings, bytes }) => (
              <li key={purpose}>
                <span>
                  {purposeName(purpose)}
                  <span class="quiet">, {counted(language, figures.recordings, recordings)}</span>
                </span>
                <span class="bar" aria-hidden="true">
                  <span style={{ width: `${((100 * bytes) / most).toFixed(2)}%` }} />
                </span>
                <span class="bar-count">{format.size(bytes)}</span>
              </li>
            ))}
          </ul>
          <AsTable
            title={figures.storage}
            table={{
              columns: [say.list.purpose, figures.waitingCount, figures.size],
              rows: sorted.map(({ purpose, recordings, bytes }) => [
                purposeName(purpose),
                recordings,
                format.size(bytes),
              ]),
            }}
          />
        </>
      )}
    </section>
  );
}

function Uploads() {
  const { say, format } = useSpeech();
  const { figures } = say;
  const asked = useAsked<SystemState>('/system');

  return (
    <Part title={figures.uploads} asked={asked}>
      {({ uploads }) => (
        <UploadsCard uploads={uploads}>
          {uploads.length > 0 && (
            <AsTable
              title={figures.uploads}
              table={{
                columns: [figures.cause, figures.waitingCount, figures.oldest],
                rows: uploads.map(({ failure, recordings, oldestAt }) => [
                  causeText(failure, say),
                  recordings,
                  oldestAt === null ? '' : format.shortTime(oldestAt),
                ]),
              }}
            />
          )}
        </UploadsCard>
      )}
    </Part>
  );
}

export function FiguresPage() {
  const { say } = useSpeech();
  const { figures } = say;
  const { acts, controllers } = useMe();
  const company = useCompany();
  // Of one company alone neither is counted.
  const isOfAll = company === undefined || controllers !== null;
  const length = usePeriod(periods);
  const days = daysUpTo(Date.now(), length);
  const asking = new URLSearchParams({ from: days[0] ?? '', to: days.at(-1) ?? '' });
  if (company !== undefined) asking.set('controller', company);
  const calls = useAsked<CallsByDay>(`/figures/calls?${asking.toString()}`);
  const storage = useAsked<StorageByPurpose>(isOfAll ? '/figures/storage' : undefined);
  const isCounting = storage.kind === 'given' && storage.answer.isCounting;
  useEffect(() => {
    if (!isCounting) return undefined;
    const asking = setInterval(storage.again, 2_000);

    return () => {
      clearInterval(asking);
    };
  }, [isCounting]);
  const notices = useAsked<NoticeSeconds>('/figures/notices');
  usePageTitle(figures.title);

  return (
    <div class="page">
      <header class="heading">
        <div>
          <h1>{figures.title}</h1>
          <p class="quiet">{figures.intro}</p>
        </div>
        <CountChoices page="/figures" periods={periods} />
      </header>
      <div class="cards">
        <Part title={figures.byResult} asked={calls}>
          {(found) => <Calls found={found} days={days} />}
        </Part>
        {isOfAll && (
          <div class="column-main">
            <Part title={figures.storage} asked={storage}>
              {(found) => <Storage found={found} />}
            </Part>
            {acts.includes('readSystem') && <Uploads />}
          </div>
        )}
        <Part title={figures.notices} asked={notices}>
          {(found) => <NoticeCard found={found} />}
        </Part>
      </div>
    </div>
  );
}

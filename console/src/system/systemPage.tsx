import { useState } from 'preact/hooks';
import type { SystemState } from '../../../src/web/routes/system.ts';
import { useAsked } from '../api/useAsked.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Given } from '../ui/given.tsx';
import { usePageTitle } from '../ui/title.ts';
import type { Messages } from '../messages/en.ts';
import { CheckCard } from './checkCard.tsx';
import { PromptsCard } from './promptsCard.tsx';
import { causeText } from './cause.ts';
import { FoundAt, useIsOld } from './foundAt.tsx';
import { UploadsCard } from './uploadsCard.tsx';

/** How Préavis does: what needs attention, what `check` finds, the jobs, and the sentences that callers hear. No calls. */

type Alarm = SystemState['alarms'][number];

/** What an alarm is about, in words: a job, an error, or the name of a PBX or a webhook. */
function aboutOf({ alarm, about }: Alarm, say: Messages): string {
  if (about === null) return '';
  if (alarm === 'pass_late') return new Map(Object.entries(say.system.jobNames)).get(about) ?? about;
  if (alarm === 'serve_away') return ` (${about})`;
  if (alarm === 'uploads_failing') return causeText(about, say);

  return about;
}

/** @param isOld it is told how it was, and not how it is */
function Alarms({ state: { alarms, at }, isOld }: { state: SystemState; isOld: boolean }) {
  const { language, say, format } = useSpeech();
  const { system } = say;
  const isFine = alarms.length === 0;
  const title = isFine ? system.fineTitle : counted(language, system.alarmsTitle, alarms.length);

  return (
    <section class={isOld ? 'verdict old' : `verdict verdict-${isFine ? 'good' : 'fault'}`} aria-labelledby="alarms">
      <span class="verdict-sign">
        <Icon name={isFine ? 'check' : 'warning'} />
      </span>
      <div>
        <h2 id="alarms" class="verdict-title">
          {isOld ? fill(system.oldAt, { time: format.dayAndTime(at) }) : title}
        </h2>
        {isOld ? (
          <p role="status">
            {title}. {system.oldHelp}
          </p>
        ) : (
          <FoundAt iso={at} isOld={false} />
        )}
        {isFine ? (
          <p class="quiet">{system.fine}</p>
        ) : (
          <ul class="alarms">
            {alarms.map((each) => (
              <li key={`${each.alarm} ${each.about ?? ''}`}>
                {fill(system.alarms[each.alarm], { about: aboutOf(each, say), count: format.number(each.count) })}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Time({ iso, none }: { iso: string | null; none: string }) {
  const { format } = useSpeech();
  if (iso === null) return <span class="quiet">{none}</span>;

  return <time dateTime={iso}>{format.shortTime(iso)}</time>;
}

function JobsCard({ jobs }: Pick<SystemState, 'jobs'>) {
  const { say } = useSpeech();
  const { system } = say;

  return (
    <section class="card" aria-labelledby="jobs">
      <h2 id="jobs">{system.jobs}</h2>
      <table class="plain plain-times">
        <thead>
          <tr>
            <th scope="col">{system.job}</th>
            <th scope="col">{system.lastRun}</th>
            <th scope="col">{system.nextRun}</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map(({ job, doneAt, dueAt, isLate }) => (
            <tr key={job}>
              <th scope="row">{system.jobNames[job]}</th>
              <td>
                <Time iso={doneAt} none={system.never} />
              </td>
              <td>
                <Time iso={dueAt} none={system.notPlanned} />
                {isLate && (
                  <>
                    {' '}
                    <span class="tag tag-fault">
                      <Icon name="warning" />
                      {system.late}
                    </span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function RetentionCard({ retention }: Pick<SystemState, 'retention'>) {
  const { say, format } = useSpeech();
  const { system } = say;
  const rows = [
    { name: system.due, count: retention.due, isFault: false },
    { name: system.overdue, count: retention.overdue, isFault: true },
    { name: system.locked, count: retention.locked, isFault: false },
    { name: system.failedErasures, count: retention.failedErasures, isFault: true },
    { name: system.unusable, count: retention.unusable, isFault: true },
  ];

  return (
    <section class="card" aria-labelledby="retention">
      <h2 id="retention">{system.retention}</h2>
      <table class="plain">
        <tbody>
          {rows.map(({ name, count, isFault }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class={isFault && count > 0 ? 'wrong' : undefined}>
                {isFault && count > 0 && <Icon name="warning" />} {format.number(count)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function WebhooksCard({ webhooks }: Pick<SystemState, 'webhooks'>) {
  const { say, format } = useSpeech();
  const { system } = say;

  return (
    <section class="card" aria-labelledby="webhooks">
      <h2 id="webhooks">{system.webhooks}</h2>
      {webhooks.length === 0 ? (
        <p class="quiet">{system.webhooksNone}</p>
      ) : (
        <table class="plain">
          <tbody>
            {webhooks.map(({ name, waiting, givenUp }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  {fill(system.waiting, { count: format.number(waiting) })}
                  {givenUp > 0 && <span class="wrong"> {fill(system.givenUp, { count: format.number(givenUp) })}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function State({ state, isOld, turn }: { state: SystemState; isOld: boolean; turn: number }) {
  return (
    <>
      <Alarms state={state} isOld={isOld} />
      <div class="columns">
        <div class="column-main system-main">
          <CheckCard key={turn} isAnew={turn > 0} />
          <PromptsCard />
        </div>
        <div class={isOld ? 'column-side old' : 'column-side'}>
          <JobsCard jobs={state.jobs} />
          <UploadsCard uploads={state.uploads} />
          <RetentionCard retention={state.retention} />
          <WebhooksCard webhooks={state.webhooks} />
        </div>
      </div>
    </>
  );
}

/** Whether a serve watches calls, which is what all of it is for. */
function Watched({ state: { alarms, servedAt } }: { state: SystemState }) {
  const { say, format } = useSpeech();
  const { system } = say;
  const isAway = alarms.some(({ alarm }) => alarm === 'serve_away');

  return isAway ? (
    <span class="tag tag-fault">
      <Icon name="warning" />
      {system.unwatched}
      {', '}
      {servedAt === null ? system.never : fill(system.lastWatched, { time: format.shortTime(servedAt) })}
    </span>
  ) : (
    <span class="tag tag-good">
      <span class="dot" aria-hidden="true" />
      {system.watched}
    </span>
  );
}

export function SystemPage() {
  const { say } = useSpeech();
  const asked = useAsked<SystemState>('/system');
  const [turn, setTurn] = useState(0);
  // Where it was asked again, in vain, nobody knows how it is.
  const isInVain = asked.kind === 'given' && asked.fault !== undefined;
  const isOld = useIsOld(asked.kind === 'given' ? asked.answer.at : undefined) || isInVain;
  usePageTitle(say.system.title);

  return (
    <div class="page">
      <header class="heading">
        <div>
          <h1>{say.system.title}</h1>
          {asked.kind === 'given' && <p class="quiet">{fill(say.system.version, { version: asked.answer.version })}</p>}
        </div>
        <p class="presets">
          {asked.kind === 'given' && !isOld && <Watched state={asked.answer} />}
          <button
            type="button"
            class="button"
            onClick={() => {
              asked.again();
              setTurn(turn + 1);
            }}
          >
            <Icon name="back" />
            {say.system.again}
          </button>
        </p>
      </header>
      <Given asked={asked}>{(state) => <State state={state} isOld={isOld} turn={turn} />}</Given>
    </div>
  );
}

import type { UnrecordedReport } from '../../../src/web/routes/reports.ts';
import { useAsked } from '../api/useAsked.ts';
import { dayOf, listAddress, type Filters } from '../calls/filters.ts';
import { CountChoices, useCompany, usePbx, usePeriod } from '../figures/company.tsx';
import { Link } from '../router.tsx';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Given } from '../ui/given.tsx';
import { Empty } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { sumsOf, type DayCount, type Sums } from './sums.ts';

/** Which calls were not recorded, and why: what somebody wanted so, and what is a fault. */

const periods = [1, 7, 30, 90] as const;
const dayMs = 86_400_000;

const percent = (part: number): string => `${(100 * part).toFixed(2)}%`;

function Bars({
  title,
  help,
  none,
  counts,
  kind,
  of,
}: {
  title: string;
  help: string;
  none: string;
  counts: Sums['faults'];
  kind: 'fault' | 'calm';
  of: Filters;
}) {
  const { language, say } = useSpeech();
  const reasons = new Map(Object.entries(say.reasons));
  const most = Math.max(1, ...counts.map(({ calls }) => calls));

  return (
    <section class="card">
      <h2>
        <Icon name={kind === 'fault' ? 'warning' : 'check'} /> {title}
      </h2>
      {counts.length === 0 ? (
        <p class="quiet">{none}</p>
      ) : (
        <>
          <p class="quiet">{help}</p>
          <ul class={`bars bars-${kind}`}>
            {counts.map(({ name, calls }) => (
              <li key={name}>
                {name === null ? (
                  say.unrecorded.unknownReason
                ) : (
                  <Link href={listAddress({ ...of, reason: name })} title={say.unrecorded.show}>
                    {reasons.get(name) ?? say.unrecorded.unknownReason}
                  </Link>
                )}
                <span class="bar" aria-hidden="true">
                  <span style={{ width: percent(calls / most) }} />
                </span>
                <span class="bar-count">{counted(language, say.unrecorded.callsCounted, calls)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** A column for each day: faults above what somebody wanted. */
function Days({ days }: { days: readonly DayCount[] }) {
  const { language, say, format } = useSpeech();
  const most = Math.max(1, ...days.map(({ faults, wanted }) => faults + wanted));
  const text = ({ day, faults, wanted }: DayCount): string =>
    `${format.namedDay(day)}: ${counted(language, say.unrecorded.callsCounted, faults + wanted)}`;

  return (
    <section class="card">
      <h2>{say.unrecorded.byDay}</h2>
      <ul class="days">
        {days.map((each) => (
          <li key={each.day} title={text(each)}>
            <span class="unseen">{text(each)}</span>
            <span class="day-fault" style={{ height: percent(each.faults / most) }} />
            <span class="day-wanted" style={{ height: percent(each.wanted / most) }} />
          </li>
        ))}
      </ul>
      <p class="days-ends quiet" aria-hidden="true">
        <span>{days[0] === undefined ? '' : format.namedDay(days[0].day)}</span>
        <span>{format.namedDay(days.at(-1)?.day ?? '')}</span>
      </p>
      <ul class="legend">
        <li class="legend-fault">{say.unrecorded.faults}</li>
        <li class="legend-wanted">{say.unrecorded.wanted}</li>
      </ul>
    </section>
  );
}

function Table({ title, rows, of, by }: { title: string; rows: Sums['lines']; of: Filters; by: 'line' | 'pbx' }) {
  const { say, format, lineName } = useSpeech();

  return (
    <section class="card">
      <h2>{title}</h2>
      <table class="plain">
        <tbody>
          {rows.map(({ name, calls }) => (
            <tr key={name}>
              <th scope="row">
                {name === null ? (
                  say.unrecorded.noLine
                ) : (
                  <Link href={listAddress({ ...of, [by]: name })}>{by === 'line' ? lineName(name) : name}</Link>
                )}
              </th>
              <td>{format.number(calls)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type Chosen = { company: string | undefined; pbx: string | undefined };

function Report({ report, company, pbx }: { report: UnrecordedReport } & Chosen) {
  const { say, format } = useSpeech();
  const sums = sumsOf(report);
  const of: Filters = { result: 'unrecorded', from: dayOf(new Date(report.from)), controller: company, pbx };
  if (report.calls === 0) return <Empty title={say.unrecorded.noneTitle} text={say.unrecorded.none} />;
  if (sums.total === 0) return <Empty title={say.unrecorded.emptyTitle} text={say.unrecorded.empty} />;

  return (
    <>
      <p class="summary">
        {fill(say.unrecorded.summary, {
          unrecorded: format.number(sums.total),
          calls: format.number(report.calls),
          share: format.percent(sums.total / report.calls),
        })}
      </p>
      <div class="cards">
        <Bars
          title={say.unrecorded.faults}
          help={say.unrecorded.faultsHelp}
          none={say.unrecorded.noFaults}
          counts={sums.faults}
          kind="fault"
          of={of}
        />
        <Bars
          title={say.unrecorded.wanted}
          help={say.unrecorded.wantedHelp}
          none={say.unrecorded.noWanted}
          counts={sums.wanted}
          kind="calm"
          of={of}
        />
        <Days days={sums.days} />
        <Table title={say.unrecorded.byLine} rows={sums.lines} of={of} by="line" />
        {sums.pbxs.length > 0 && <Table title={say.unrecorded.byPbx} rows={sums.pbxs} of={of} by="pbx" />}
      </div>
    </>
  );
}

/** Whole days back from today, in UTC, as the report counts. */
function reportAddress(days: number, { company, pbx }: Chosen): string {
  const today = new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`).getTime();
  const query = new URLSearchParams({ from: new Date(today - (days - 1) * dayMs).toISOString() });
  if (company !== undefined) query.set('controller', company);
  if (pbx !== undefined) query.set('pbx', pbx);

  return `/reports/unrecorded?${query.toString()}`;
}

export function UnrecordedPage() {
  const { say } = useSpeech();
  const chosen = { company: useCompany(), pbx: usePbx() };
  const days = usePeriod(periods);
  const asked = useAsked<UnrecordedReport>(reportAddress(days, chosen));
  usePageTitle(say.unrecorded.title);

  return (
    <div class="page">
      <header class="heading">
        <div>
          <h1>{say.unrecorded.title}</h1>
          <p class="quiet">{say.unrecorded.intro}</p>
        </div>
        <CountChoices page="/unrecorded" periods={periods} byPbx />
      </header>
      <Given asked={asked}>{(report) => <Report report={report} {...chosen} />}</Given>
    </div>
  );
}

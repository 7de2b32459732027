import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { AsTable } from './asTable.tsx';
import { ticksUpTo, totalsOf, type Plot, type Series } from './series.ts';

/** A column for each day, of parts that stand on each other. */

/** A column, and the room between two, in units of the picture; it is stretched to the width that there is. */
const columnUnits = 10;
const gapUnits = 2;
const heightUnits = 1_000;

type Named = Series & { name: string; look: string };

function Columns({ plot, series, top }: { plot: Plot; series: readonly Named[]; top: number }) {
  const { format } = useSpeech();
  const totals = totalsOf(plot);

  return plot.days.map((day, place) => {
    let below = 0;
    const parts = series.flatMap(({ key, look, name, counts }) => {
      const count = counts[place] ?? 0;
      if (count === 0) return [];
      const height = (heightUnits * count) / top;
      below += height;

      return [{ key, look, height, y: heightUnits - below, text: `${name}: ${format.number(count)}` }];
    });
    const title = [
      `${format.namedDay(day)}: ${format.number(totals[place] ?? 0)}`,
      ...parts.map(({ text }) => text),
    ].join('\n');

    return (
      <g key={day} class="plot-day">
        <title>{title}</title>
        <rect class="plot-back" x={place * columnUnits} y={0} width={columnUnits} height={heightUnits} />
        {parts.map(({ key, look, height, y }) => (
          <rect
            key={key}
            class={`look-${look}`}
            x={place * columnUnits + gapUnits / 2}
            y={y}
            width={columnUnits - gapUnits}
            height={height}
          />
        ))}
      </g>
    );
  });
}

/** Some days below the picture: the first, the last, and one between them. */
function Ends({ days }: { days: readonly string[] }) {
  const { format } = useSpeech();
  const shown = days.length < 3 ? [0, days.length - 1] : [0, Math.floor((days.length - 1) / 2), days.length - 1];

  return (
    <p class="plot-ends quiet" aria-hidden="true">
      {[...new Set(shown)].map((place) => (
        <span key={place}>{format.shortDay(`${days[place] ?? ''}T12:00:00Z`)}</span>
      ))}
    </p>
  );
}

function Ticks({ ticks, top }: { ticks: readonly number[]; top: number }) {
  const { format } = useSpeech();

  return (
    <ul class="plot-ticks" aria-hidden="true">
      {ticks.map((tick) => (
        <li key={tick} style={{ bottom: `${(100 * tick) / top}%` }}>
          <span>{format.number(tick)}</span>
        </li>
      ))}
    </ul>
  );
}

function Legend({ series }: { series: readonly Named[] }) {
  const { format } = useSpeech();

  return (
    <ul class="legend plot-legend">
      {series.map(({ key, look, name, total }) => (
        <li key={key}>
          <span class={`swatch look-${look}`} aria-hidden="true" />
          {name} <span class="quiet">{format.number(total)}</span>
        </li>
      ))}
    </ul>
  );
}

export function DayPlot({
  title,
  plot,
  nameOf,
  lookOf,
}: {
  title: string;
  plot: Plot;
  nameOf: (key: string) => string;
  /** Its colour, of those in the style sheet. */
  lookOf: (key: string, place: number) => string;
}) {
  const { say, format } = useSpeech();
  const { figures } = say;
  const totals = totalsOf(plot);
  const most = Math.max(0, ...totals);
  const ticks = ticksUpTo(most);
  const top = ticks.at(-1) ?? 1;
  const series: Named[] = plot.series.map((each, place) => ({
    ...each,
    name: nameOf(each.key),
    look: lookOf(each.key, place),
  }));
  const inAll = totals.reduce((sum, count) => sum + count, 0);
  const summary = `${fill(figures.inAll, { count: format.number(inAll) })}. ${fill(figures.busiest, { count: format.number(most) })}.`;
  const id = `plot-${plot.series.map(({ key }) => key).join('-')}`.replaceAll(/[^\w-]/g, '_');

  return (
    <section class="card plot-card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p class="quiet small">{summary}</p>
      <div class="plot">
        <Ticks ticks={ticks} top={top} />
        <svg
          role="img"
          aria-label={`${title}. ${summary}`}
          viewBox={`0 0 ${plot.days.length * columnUnits} ${heightUnits}`}
          preserveAspectRatio="none"
        >
          <Columns plot={plot} series={series} top={top} />
        </svg>
      </div>
      <Ends days={plot.days} />
      <Legend series={series} />
      <AsTable
        title={title}
        table={{
          columns: [figures.day, ...series.map(({ name }) => name), figures.total],
          rows: plot.days
            .map((day, place) => [
              format.namedDay(day),
              ...series.map(({ counts }) => counts[place] ?? 0),
              totals[place] ?? 0,
            ])
            .toReversed(),
        }}
      />
    </section>
  );
}

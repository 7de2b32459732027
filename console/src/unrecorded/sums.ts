import type { UnrecordedReport } from '../../../src/web/routes/reports.ts';
import { isWantedReason } from '../calls/wantedReasons.ts';

/** The counts of the report, put together for who reads them. */

type Count = { name: string | null; calls: number };

type Row = UnrecordedReport['unrecorded'][number];

function summed(rows: readonly Row[], nameOf: (row: Row) => string | null): Count[] {
  const counts = new Map<string | null, number>();
  for (const row of rows) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + row.calls);

  return [...counts].map(([name, calls]) => ({ name, calls })).toSorted((one, other) => other.calls - one.calls);
}

const isWanted = ({ reason }: Row): boolean => isWantedReason(reason);

export type DayCount = { day: string; faults: number; wanted: number };

export type Sums = {
  total: number;
  /** By reason, the most frequent first. */
  faults: Count[];
  wanted: Count[];
  lines: Count[];
  /** None where there is one. */
  pbxs: Count[];
  days: DayCount[];
};

const dayMs = 86_400_000;

/** Every day of the time, also those on which nothing was; of UTC. */
function daysOf({ from, to, unrecorded }: UnrecordedReport): DayCount[] {
  const counts = new Map<string, DayCount>();
  for (let at = Date.parse(from); at < Date.parse(to) + dayMs; at += dayMs) {
    const day = new Date(at).toISOString().slice(0, 10);
    if (day <= to.slice(0, 10)) counts.set(day, { day, faults: 0, wanted: 0 });
  }
  for (const row of unrecorded) {
    const count = counts.get(row.day) ?? { day: row.day, faults: 0, wanted: 0 };
    count[isWanted(row) ? 'wanted' : 'faults'] += row.calls;
    counts.set(row.day, count);
  }

  return [...counts.values()].toSorted((one, other) => one.day.localeCompare(other.day));
}

export function sumsOf(report: UnrecordedReport): Sums {
  const { unrecorded, pbxs } = report;

  return {
    total: unrecorded.reduce((sum, { calls }) => sum + calls, 0),
    faults: summed(
      unrecorded.filter((row) => !isWanted(row)),
      ({ reason }) => reason,
    ),
    wanted: summed(unrecorded.filter(isWanted), ({ reason }) => reason),
    lines: summed(unrecorded, ({ line }) => line),
    pbxs: pbxs.map(({ pbx, calls }) => ({ name: pbx, calls })).toSorted((one, other) => other.calls - one.calls),
    days: daysOf(report),
  };
}

/** What `bench/fleet.ts` has measured, and what it says of it. Pure: numbers in, numbers and text out. */
import { ascending, quantile } from '../figures.ts';
import { takers, type Taken, type Taker } from './machine.ts';

/** What the database counts, so far. */
export type DatabaseCounts = { commits: number; walBytes: number; walSyncs: number; walSyncMs: number; bytes: number };

/** How many calls there were at one pace, at all PBXs together. */
type Counted = {
  /** Calls a second that were to come. */
  offered: number;
  talkMs: number;
  placed: number;
  answered: number;
  recorded: number;
  archived: number;
  /** From the end of the last call until all was in the archive. */
  archiveLagSeconds: number;
};

/** What was measured at that pace. */
export type Step = Counted & {
  /** Of each recording, from the end of its notice to its recorder, ms by Asterisk's clock. */
  gapsMs: readonly number[];
  before: Taken;
  after: Taken;
  /** From `before` to `after`, s. */
  lookedSeconds: number;
  database: { before: DatabaseCounts; after: DatabaseCounts };
};

export type Figures = Counted & {
  gap: { p50: number; p99: number };
  /** CPU ms a call. */
  cpu: Record<Taker, number>;
  /** Parts of the machine's processors: of all, and of those who are no part of the bench; and of one, by the busiest main thread of a `serve`. */
  busy: { machine: number; others: number; mainThread: number };
  /** A call, without what the fleet does at rest. `commits`: those that only read, too. `walSyncs`: how often one waits for the disk. */
  database: { commits: number; walSyncs: number; walKib: number; kib: number };
  /** How long the disk took for a commit, ms. */
  walSyncMs: number;
};

/** What PostgreSQL does in a second in which nobody calls. */
export type Rest = { commits: number; walSyncs: number };

export function figuresOf(step: Step, rest: Rest, processors: number): Figures {
  const { before, after, lookedSeconds, database, gapsMs, ...counts } = step;
  const gaps = ascending(gapsMs);
  const each = (total: number): number => total / Math.max(1, counts.answered);
  const counted = (key: keyof DatabaseCounts): number => database.after[key] - database.before[key];
  const oursOf = (taken: Taken): number => takers.reduce((sum, taker) => sum + taken[taker], 0);
  const machine = after.machine - before.machine;
  const ofMachine = (ms: number): number => ms / 1_000 / lookedSeconds / processors;
  const busiest = Math.max(0, ...after.mainThreads.map((ms, index) => ms - (before.mainThreads[index] ?? 0)));

  return {
    ...counts,
    gap: { p50: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) },
    cpu: Object.fromEntries(takers.map((taker) => [taker, each(after[taker] - before[taker])])) as Record<
      Taker,
      number
    >,
    busy: {
      machine: ofMachine(machine),
      others: ofMachine(machine - oursOf(after) + oursOf(before)),
      mainThread: busiest / 1_000 / lookedSeconds,
    },
    database: {
      commits: each(counted('commits') - rest.commits * lookedSeconds),
      walSyncs: each(counted('walSyncs') - rest.walSyncs * lookedSeconds),
      walKib: each(counted('walBytes')) / 1_024,
      kib: each(counted('bytes')) / 1_024,
    },
    walSyncMs: counted('walSyncs') === 0 ? 0 : counted('walSyncMs') / counted('walSyncs'),
  };
}

/** What a fleet keeps: nearly each call is answered and recorded, each recording is archived, and the recorder runs soon. */
const bounds = { part: 0.99, gapMs: 20 };

/** Why this pace is too much; empty where it is not. */
export function tooMuch({ answered, placed, recorded, archived, gap }: Figures): string[] {
  return [
    ...(answered < placed * bounds.part ? [`${placed - answered} of ${placed} were not answered`] : []),
    ...(recorded < answered * bounds.part ? [`${answered - recorded} of ${answered} were not recorded`] : []),
    ...(archived < recorded ? [`${recorded - archived} of ${recorded} were not archived`] : []),
    ...(gap.p99 > bounds.gapMs ? [`the gap has a p99 of ${gap.p99} ms`] : []),
  ];
}

/** Whether calls were lost or went on unrecorded: a higher pace would show nothing else. */
export const isLosing = ({ answered, placed, recorded }: Figures): boolean =>
  answered < placed * bounds.part || recorded < answered * bounds.part;

/** CPU ms of a call of no length, and of each second that it talks: from the same pace with a short and a long talk. */
export function costOfTalk(short: Figures, long: Figures, taker: Taker): { aCall: number; aSecond: number } {
  const aSecond = (long.cpu[taker] - short.cpu[taker]) / ((long.talkMs - short.talkMs) / 1_000);

  return { aCall: short.cpu[taker] - (aSecond * short.talkMs) / 1_000, aSecond };
}

const shown = (value: number, digits = 1): string => value.toFixed(digits);

export const header =
  'calls/s  recorded  archived  gap p50/p99 ms  archived after s  commits/call  waits/call  WAL KiB/call  KiB/call  sync ms  CPU ms/call: asterisk serve postgres store telephones  busy: machine others serve';

export function lineOf(figures: Figures): string {
  const { offered, answered, recorded, archived, gap, cpu, busy, database } = figures;

  return [
    shown(offered).padStart(7),
    `${recorded}/${answered}`.padStart(8),
    String(archived).padStart(8),
    `${shown(gap.p50, 0)}/${shown(gap.p99, 0)}`.padStart(14),
    shown(figures.archiveLagSeconds, 0).padStart(16),
    shown(database.commits).padStart(12),
    shown(database.walSyncs).padStart(10),
    shown(database.walKib).padStart(12),
    shown(database.kib).padStart(8),
    shown(figures.walSyncMs, 2).padStart(7),
    takers
      .map((taker) => shown(cpu[taker], 0))
      .join(' ')
      .padStart(56),
    [busy.machine, busy.others, busy.mainThread]
      .map((part) => `${shown(part * 100, 0)} %`)
      .join(' ')
      .padStart(27),
  ].join('  ');
}

import { Counter, Gauge, type Registry } from 'prom-client';
import { singleFlight } from '../singleFlight.ts';
import { settleInTime } from '../timeLimit.ts';

/** The metrics of what is promised, each asked for at the moment of reading. */

/** Counts of one moment. */
export type PromisedFigures = {
  /** Whose time is over, or which somebody has decided to erase, and which nothing keeps. */
  due: number;
  overdue: number;
  /** Kept by a lock in the archive alone. */
  locked: number;
  /** Recordings whose last erasure failed: their time is over, their person asked for it, or an officer has decided so. */
  failedErasures: { due: number; subject: number; decided: number };
  /** Of those that are due and failed, by error code. */
  failureCodes: Readonly<Record<string, number>>;
  holds: { active: number; reviewsOverdue: number };
  unusable: { failed: number; lost: number };
  /** Intervals in which nobody watched a call, since the catalogue was made; each `why` that there is. */
  unwatched: readonly { why: string; intervals: number }[];
};

/** Times are ms since 1970 UTC. */
export type PassFigures = {
  pass: string;
  /** undefined before the first. */
  doneAt: number | undefined;
  /** The first time since then that one was, or is, to begin. */
  dueAt: number;
};

/** Whether calls can be recorded now. */
export type RecordableFigures = {
  isConnected: boolean;
  /** Each reason that there can be, and whether it is one now. */
  reasons: Readonly<Record<string, boolean>>;
};

/** `questions`: all that is asked for figures, each of which gives undefined where they are missing. */
export type Asking = { register: Registry; questions: (() => Promise<object | undefined>)[] };

/** How long figures are waited for, ms: less than a scrape waits for all of them. */
const figuresWithinMs = 3_000;

/**
 * Makes gauges of figures that are asked for at each reading. All are read at the same time, and one question is asked for them. Where it is not
 * answered, as by a catalogue that is away, they are missing: figures from before would be none.
 */
export function makeAsked<T extends object>({ register, questions }: Asking, ask: () => Promise<T>) {
  // Of its own, so that one that was not waited for is not asked beside the next.
  const asked = singleFlight(ask);
  const missing = (): undefined => undefined;
  const figures = singleFlight(() => settleInTime(figuresWithinMs, asked(), missing).catch(missing));
  questions.push(figures);

  return {
    figures,
    gauge: (name: string, help: string, value: (now: T) => number): void => {
      new Gauge({
        name,
        help,
        registers: [register],
        async collect() {
          const now = await figures();
          this.set(now === undefined ? NaN : value(now));
        },
      });
    },
    /** With a value for each of these values of a label. */
    byLabel: (name: string, help: string, label: string, of: (now: T) => Record<string, number>): void => {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [register],
        async collect() {
          const now = await figures();
          this.reset();
          for (const [value, count] of Object.entries(now === undefined ? {} : of(now)))
            this.set({ [label]: value }, count);
        },
      });
    },
  };
}

export function addPromised(asking: Asking, ask: () => Promise<PromisedFigures>): void {
  const { figures, gauge, byLabel } = makeAsked(asking, ask);
  gauge(
    'preavis_recordings_due',
    'Recordings whose time is over, or that somebody has decided to erase, which nothing keeps, and which are not erased yet; 10000 stands for more, too.',
    ({ due }) => due,
  );
  gauge(
    'preavis_recordings_overdue',
    'Of the recordings that are due, those whose time was over, or whose erasure was decided, 25 hours ago: a daily pass has missed them.',
    ({ overdue }) => overdue,
  );
  gauge(
    'preavis_recordings_locked',
    'Recordings whose time is over, or whose person asked for it, and which only a lock in the archive keeps.',
    ({ locked }) => locked,
  );
  byLabel(
    'preavis_erasures_failed',
    'Recordings whose last erasure failed: because their time was over (due), their person asked (subject), or an officer decided so (decided).',
    'rule',
    ({ failedErasures }) => failedErasures,
  );
  gauge('preavis_holds_active', 'Holds in force.', ({ holds }) => holds.active);
  gauge(
    'preavis_holds_review_overdue',
    'Holds in force whose day of review has passed.',
    ({ holds }) => holds.reviewsOverdue,
  );
  byLabel(
    'preavis_recordings_unusable',
    'Recordings that hold no usable audio (failed), and those whose file has vanished (lost).',
    'status',
    ({ unusable }) => unusable,
  );
  new Counter({
    name: 'preavis_unwatched_intervals_total',
    help: 'Intervals in which nobody watched a call, one for each call, since the catalogue was made, by why.',
    labelNames: ['why'],
    registers: [asking.register],
    async collect() {
      const now = await figures();
      this.reset();
      for (const { why, intervals } of now?.unwatched ?? []) this.inc({ why }, intervals);
    },
  });
}

export function addPasses(asking: Asking, ask: () => Promise<readonly PassFigures[]>): void {
  const { byLabel } = makeAsked(asking, ask);
  const inSeconds = (passes: readonly PassFigures[], timeOf: (each: PassFigures) => number): Record<string, number> =>
    Object.fromEntries(passes.map((each) => [each.pass, timeOf(each) / 1_000]));
  byLabel(
    'preavis_pass_last_success_timestamp_seconds',
    'When a pass of each job last came to its end well, whoever ran it, in seconds since 1970 UTC; 0 before the first.',
    'pass',
    (passes) => inSeconds(passes, ({ doneAt }) => doneAt ?? 0),
  );
  byLabel(
    'preavis_pass_due_timestamp_seconds',
    'The first time since then that a pass of each job was, or is, to begin, in seconds since 1970 UTC.',
    'pass',
    (passes) => inSeconds(passes, ({ dueAt }) => dueAt),
  );
}

export function addRecordable(asking: Asking, ask: () => RecordableFigures): void {
  const { gauge, byLabel } = makeAsked(asking, () => Promise.resolve().then(ask));
  gauge('preavis_asterisk_connected', '1 while the event socket to Asterisk is open, else 0.', ({ isConnected }) =>
    Number(isConnected),
  );
  byLabel(
    'preavis_degraded',
    '1 for each reason for which nothing can be recorded now, else 0.',
    'reason',
    ({ reasons }) => Object.fromEntries(Object.entries(reasons).map(([reason, is]) => [reason, Number(is)])),
  );
}

/** Whether any of these figures are missing. */
export function addMissing({ register, questions }: Asking): void {
  new Gauge({
    name: 'preavis_figures_missing',
    help: '1 while the catalogue does not answer for its figures, which are left out or not a number then, else 0.',
    registers: [register],
    async collect() {
      const all = await Promise.all(questions.map((figures) => figures()));
      this.set(all.includes(undefined) ? 1 : 0);
    },
  });
}

import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { dayMs } from '../clock.ts';
import {
  addMissing,
  addPasses,
  addPromised,
  addRecordable,
  makeAsked,
  type Asking,
  type PassFigures,
  type PromisedFigures,
  type RecordableFigures,
} from './promisedMetrics.ts';

/** How the archive stands, as this process knows without the catalogue. */
type ArchiveState = {
  isFailing: boolean;
  /** When it last took a recording, ms since 1970 UTC; undefined when it has not since the start. */
  lastStoredAt: number | undefined;
};

/** What the catalogue has for the archive at the moment of asking. */
type ArchiveFigures = {
  /** What waits for it, by what kept each from being archived at its last attempt; null for what nothing of its own keeps. */
  waiting: { failure: string | null; count: number; oldestAt: number }[];
  /** Recordings about which clocks disagree, and that somebody has to settle. */
  doubtful: number;
  /** Whether nothing is erased, since the clock is not believed. */
  isRetentionStopped: boolean;
  /** Now, ms since 1970 UTC. */
  at: number;
};

/** What there is for one webhook: still to be sent, and given up. */
type WebhookFigures = { endpoint: string; waiting: number; failed: number };

/** Flags of what nobody watched: they are counted as the findings of the self-check are. */
export const unwatchedFlags = ['unwatched', 'unwatched_blanked', 'unwatched_too_long', 'keys_unheard'] as const;
export type UnwatchedFlag = (typeof unwatchedFlags)[number];

/**
 * The values that labels may have: each begins at 0, since Prometheus sees no rise where a series begins with its first event. A value
 * that is not named here is counted all the same.
 */
export type LabelValues = {
  /** Of calls that went on unrecorded. */
  reasons: readonly string[];
  findings: readonly string[];
  legs: readonly string[];
  witness: readonly string[];
  reconcileKinds: readonly string[];
  /** Error codes of recordings that were set aside. */
  setAside: readonly string[];
  endpoints: readonly string[];
  /** The name of the PBX: a label of each series. */
  pbx?: string | undefined;
};

const noValues: LabelValues = {
  reasons: [],
  findings: unwatchedFlags,
  legs: [],
  witness: [],
  reconcileKinds: [],
  setAside: [],
  endpoints: [],
};

/** How calls end that were not unrecorded. */
const otherResults = ['recorded', 'notConnected', 'abandoned'];

export type Metrics = ReturnType<typeof makeMetrics>;

/** What is counted, for Prometheus. Labels have few fixed values and never hold personal data (P7). */
// eslint-disable-next-line max-lines-per-function -- The list of metrics.
export function makeMetrics(values: LabelValues = noValues) {
  const register = new Registry();
  if (values.pbx !== undefined) register.setDefaultLabels({ pbx: values.pbx });
  addProcess(register);
  const asking: Asking = { register, questions: [] };
  addMissing(asking);
  /** Counts by one label. Each of these values begins at 0, for the first event of its kind to be a rise. */
  const counter = <Value extends string>(name: string, help: string, label: string, known: readonly Value[]) => {
    const made = new Counter({ name, help, labelNames: [label], registers: [register] });
    for (const value of known) made.inc({ [label]: value }, 0);

    return (value: Value): void => {
      made.inc({ [label]: value });
    };
  };
  const flag = (name: string, help: string) => {
    const made = new Gauge({ name, help, registers: [register] });

    return (is: boolean): void => {
      made.set(is ? 1 : 0);
    };
  };
  const deadmanMissing = flag(
    'preavis_deadman_missing',
    '1 while the dead-man channel cannot be made or renewed, else 0.',
  );
  /** Applications: a worker may have that of the other one as well. */
  const withoutDeadman = new Set<string>();
  const calls = new Counter({
    name: 'preavis_calls_total',
    help: 'Calls that have ended, by result, and by reason where they went on unrecorded.',
    labelNames: ['result', 'reason'],
    registers: [register],
  });
  for (const result of otherResults) calls.inc({ result, reason: '' }, 0);
  for (const reason of values.reasons) calls.inc({ result: 'unrecorded', reason }, 0);
  const reconciled = new Gauge({
    name: 'preavis_reconcile_left',
    help: 'What the last comparison of recording folder, catalogue and archive has left to people, by kind; 0 before the first.',
    labelNames: ['kind'],
    registers: [register],
  });
  const reconcileLeft = (left: Readonly<Record<string, number>>): void => {
    reconciled.reset();
    const none = values.reconcileKinds.map((kind) => [kind, 0] as const);
    for (const [kind, count] of [...none, ...Object.entries(left)]) reconciled.set({ kind }, count);
  };
  reconcileLeft({});
  const spoolRoom = new Gauge({
    name: 'preavis_spool_free_bytes',
    help: "Room in Asterisk's recording folder; not a number while it cannot be seen.",
    registers: [register],
  });

  return {
    callEnded: (result: string, reason: string): void => {
      calls.inc({ result, reason });
    },
    finding: counter(
      'preavis_findings_total',
      'What the acoustic self-check found in finished recordings, and what nobody watched of them.',
      'finding',
      values.findings,
    ),
    /** What became of a party whose sound came from another RTP source. */
    legUnheard: counter(
      'preavis_legs_unheard_total',
      'Parties whose sound went on from another RTP source, by what was done so that they are heard.',
      'outcome',
      values.legs,
    ),
    /** What the second witness says of a call. */
    witness: counter(
      'preavis_witness_total',
      'Calls that were compared with the second witness, by what it says.',
      'status',
      values.witness,
    ),
    /** The clocks of Asterisk and of this machine are more than a minute apart, as was seen then. */
    clockIsOff: counter(
      'preavis_clocks_apart_total',
      'Calls at whose arrival, and recordings at whose finishing, clocks were more than a minute apart.',
      'when',
      ['arrival', 'finish'],
    ),
    /** Whether the catalogue takes nothing. */
    catalogueFails: flag('preavis_catalogue_failing', '1 while the catalogue takes nothing, else 0.'),
    /** Whether nothing ends the recorders of this application while this process is dead or hangs. */
    deadmanIsMissing: (application: string, isMissing: boolean): void => {
      if (isMissing) withoutDeadman.add(application);
      else withoutDeadman.delete(application);
      deadmanMissing(withoutDeadman.size > 0);
    },
    /** Room in Asterisk's recording folder, MiB; undefined while it cannot be seen. */
    spoolRoom: (mebibytes: number | undefined): void => {
      spoolRoom.set(mebibytes === undefined ? NaN : mebibytes * 1_048_576);
    },
    /** How many findings of each kind the last reconciliation has left to people. */
    reconciled: reconcileLeft,
    /** From now on the text tells how the archive stands; it is asked for at each reading. */
    archive: (state: () => ArchiveState, figures: () => Promise<ArchiveFigures>): void => {
      addArchiveState(asking, state);
      addArchive(asking, figures, values.setAside);
    },
    /** From now on the text tells what waits for each webhook; it is asked for at each reading. */
    webhooks: (figures: () => Promise<WebhookFigures[]>): void => {
      addWebhooks(asking, figures);
    },
    /** From now on the text tells how what is promised stands, when each job was done last, and whether calls can be recorded. */
    promised: (figures: () => Promise<PromisedFigures>): void => {
      addPromised(asking, figures);
    },
    passes: (figures: () => Promise<readonly PassFigures[]>): void => {
      addPasses(asking, figures);
    },
    recordable: (figures: () => RecordableFigures): void => {
      addRecordable(asking, figures);
    },
    /** An attempt to tell a webhook has failed. */
    webhookFailed: counter(
      'preavis_webhook_failures_total',
      'Attempts to tell a webhook that have failed, by its name.',
      'endpoint',
      values.endpoints,
    ),
    /** The text that `GET /metrics` gives. */
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}

/** What prom-client tells of the event loop's delay by sampling it: its timer would wake a process at rest more often than all else. */
const sampled = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

/** Each has the number of what another one has by type; they are gauges, and by their names counters. */
const misnamed = ['handles', 'requests', 'resources'];

function addProcess(register: Registry): void {
  const prefix = 'preavis_';
  collectDefaultMetrics({ register, prefix, eventLoopMonitoringPrecision: dayMs });
  for (const part of sampled) register.removeSingleMetric(`${prefix}nodejs_eventloop_lag_${part}_seconds`);
  for (const what of misnamed) register.removeSingleMetric(`${prefix}nodejs_active_${what}_total`);
  new Counter({
    name: `${prefix}event_loop_active_seconds_total`,
    help: 'How long the event loop was at work, and not waiting for work.',
    registers: [register],
    collect() {
      this.reset();
      this.inc(performance.eventLoopUtilization().active / 1_000);
    },
  });
}

function addArchiveState(asking: Asking, ask: () => ArchiveState): void {
  const { gauge } = makeAsked(asking, () => Promise.resolve().then(ask));
  gauge('preavis_archive_failing', '1 while the archive takes nothing at all, else 0.', (now) =>
    now.isFailing ? 1 : 0,
  );
  gauge(
    'preavis_archive_last_stored_timestamp_seconds',
    'When the archive last took a recording, in seconds since 1970 UTC; 0 when it has not since the start.',
    (now) => (now.lastStoredAt ?? 0) / 1_000,
  );
}

function addArchive(asking: Asking, ask: () => Promise<ArchiveFigures>, codes: readonly string[]): void {
  const { gauge, byLabel } = makeAsked(asking, ask);
  gauge('preavis_recordings_waiting', 'Recordings that are finished and not in the archive yet.', ({ waiting }) =>
    waiting.reduce((sum, { count }) => sum + count, 0),
  );
  gauge(
    'preavis_recordings_oldest_waiting_seconds',
    'Time since the end of the oldest recording that waits for the archive; 0 when none does.',
    ({ at, waiting }) => (at - Math.min(at, ...waiting.map(({ oldestAt }) => oldestAt))) / 1_000,
  );
  gauge(
    'preavis_recordings_doubtful',
    'Recordings that are kept until somebody settles when they ended: clocks disagree.',
    ({ doubtful }) => doubtful,
  );
  gauge(
    'preavis_retention_stopped',
    '1 while nothing is erased, since the clock is further beyond the last pass than it is believed, else 0.',
    ({ isRetentionStopped }) => (isRetentionStopped ? 1 : 0),
  );
  byLabel(
    'preavis_recordings_set_aside',
    'Waiting recordings that failed by themselves while the archive worked, by the code of their last failure.',
    'code',
    ({ waiting }) => ({
      ...Object.fromEntries(codes.map((code) => [code, 0])),
      ...Object.fromEntries(
        waiting.flatMap(({ failure, count }) => (failure === null ? [] : [[failure, count] as const])),
      ),
    }),
  );
}

function addWebhooks(asking: Asking, ask: () => Promise<WebhookFigures[]>): void {
  const { byLabel } = makeAsked(asking, ask);
  const gauge = (name: string, help: string, value: (each: WebhookFigures) => number): void => {
    byLabel(name, help, 'endpoint', (now) => Object.fromEntries(now.map((each) => [each.endpoint, value(each)])));
  };
  gauge('preavis_webhooks_waiting', 'Messages that are still to be sent, by webhook.', ({ waiting }) => waiting);
  gauge('preavis_webhooks_given_up', 'Messages that were given up, by webhook.', ({ failed }) => failed);
}

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { promtool } from '../../../lab/prometheus.ts';
import { makeServeMetrics } from '../../../src/services/metrics.ts';
import { describedMetrics } from '../../support/describedMetrics.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const rulesFile = fileURLToPath(new URL('../../../config/prometheus/alerts.yaml', import.meta.url));
type Rule = { alert: string; labels: Record<string, string>; annotations: Record<string, string> };
const rules = (parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const folder = temporaryFolder();

type Case = {
  alert: string;
  /** What happens, and so what the rule is for. */
  when: string;
  /** A value each minute, as promtool writes them; without job and instance, which each gets. */
  series: Readonly<Record<string, string>>;
  /** Minutes after which it rings, and the labels with which it does; empty for none. */
  rings: Readonly<Record<number, readonly Readonly<Record<string, string>>[]>>;
};

const started = 'preavis_process_start_time_seconds';
/** Long before the first minute, or at it. */
const [longAgo, justNow] = ['-90000x180', '0x180'];
/** A count that rises to 1 in the sixth minute, and one that stands there from the beginning of its process. */
const [rise, atOnce] = ['0x5 1x170', '1x180'];

const unrecorded = 'preavis_calls_total{result="unrecorded",reason="prompts_missing"}';
const ofReason = { reason: 'prompts_missing' };
const silenced = 'preavis_findings_total{finding="unwatched_blanked"}';
const missing = 'preavis_witness_total{status="missing"}';
const finished = 'preavis_clocks_apart_total{when="finish"}';
const failing = 'preavis_webhook_failures_total{endpoint="crm"}';

/** What cannot be seen for ten minutes. */
const unseen = 'NaN '.repeat(10).trim();

/** A gauge that is 0 and becomes `value` in the sixth minute. */
const turns = (series: string, value = '1'): Record<string, string> => ({ [series]: `0x5 ${value}x170` });

const cases: Case[] = [
  { alert: 'PreavisDown', when: 'serve does not answer', series: { up: '1x5 0x20' }, rings: { 5: [], 7: [], 9: [{}] } },
  {
    alert: 'PreavisDown',
    when: 'Prometheus has no target of that name',
    series: { 'up{job="other"}': '1x20' },
    rings: { 1: [], 3: [{ instance: '' }] },
  },
  {
    alert: 'PreavisAsteriskAway',
    when: 'the connection to Asterisk breaks',
    series: turns('preavis_degraded{reason="asterisk_away"}'),
    rings: { 5: [], 8: [{ reason: 'asterisk_away' }] },
  },
  {
    alert: 'PreavisApplicationTaken',
    when: 'another client takes the application',
    series: turns('preavis_degraded{reason="application_taken"}'),
    rings: { 5: [], 7: [{ reason: 'application_taken' }] },
  },
  {
    alert: 'PreavisCatalogueFailing',
    when: 'the disk of the catalogue is full',
    series: turns('preavis_catalogue_failing'),
    rings: { 5: [], 7: [{}] },
  },
  {
    alert: 'PreavisFiguresMissing',
    when: 'PostgreSQL is away',
    series: turns('preavis_figures_missing'),
    rings: { 5: [], 7: [], 10: [{}] },
  },
  {
    alert: 'PreavisFiguresMissing',
    when: 'the catalogue is too slow for every other scrape',
    series: { preavis_figures_missing: `0x5 ${'1 0 '.repeat(10).trim()}` },
    rings: { 5: [], 7: [], 12: [{}] },
  },
  {
    alert: 'PreavisFiguresMissing',
    when: 'a single scrape has no figures',
    series: { preavis_figures_missing: '0x5 1 0x20' },
    rings: { 7: [], 9: [], 12: [] },
  },
  {
    alert: 'PreavisNoRoom',
    when: 'the recording folder is full',
    series: turns('preavis_degraded{reason="spool_full"}'),
    rings: { 5: [], 7: [{ reason: 'spool_full' }] },
  },
  {
    alert: 'PreavisFolderUnusable',
    when: 'the recording folder vanishes',
    series: { 'preavis_degraded{reason="spool_unusable"}': '0x5 1x10', preavis_spool_free_bytes: `5e9x5 ${unseen}` },
    rings: { 5: [], 7: [{ reason: 'spool_unusable' }] },
  },
  {
    alert: 'PreavisLittleRoom',
    when: 'room runs out, and not when it cannot be seen',
    series: { preavis_spool_free_bytes: `5e9x5 9e8x5 ${unseen}` },
    rings: { 5: [], 7: [{}], 14: [] },
  },
  {
    alert: 'PreavisUnrecorded',
    when: 'the first call is not recorded',
    series: { [unrecorded]: rise, [started]: longAgo },
    rings: { 5: [], 7: [ofReason], 25: [] },
  },
  {
    alert: 'PreavisUnrecorded',
    when: 'a process ends calls of the one before as soon as it has started',
    series: { [unrecorded]: atOnce, [started]: justNow },
    rings: { 0: [ofReason], 14: [ofReason], 16: [] },
  },
  {
    alert: 'PreavisUnrecorded',
    when: 'callers refuse, or are not in the sample',
    series: Object.fromEntries(
      ['refused', 'no_consent', 'not_sampled'].map((reason) => [
        `preavis_calls_total{result="unrecorded",reason="${reason}"}`,
        rise,
      ]),
    ),
    rings: { 7: [] },
  },
  {
    alert: 'PreavisRecordingUnusable',
    when: 'the file of one more recording vanishes, and no longer after an hour',
    series: { 'preavis_recordings_unusable{status="lost"}': '3x5 4x100' },
    rings: { 5: [], 7: [{ status: 'lost' }], 70: [] },
  },
  {
    alert: 'PreavisRecordingUnusable',
    when: 'files have vanished while serve was away for more than an hour',
    series: { 'preavis_recordings_unusable{status="lost"}': '3x5 _x70 4x100' },
    rings: { 5: [], 77: [{ status: 'lost' }], 120: [{ status: 'lost' }], 150: [] },
  },
  {
    alert: 'PreavisRecordingUnusable',
    when: 'old ones are erased',
    series: { 'preavis_recordings_unusable{status="failed"}': '3x5 2x100' },
    rings: { 7: [] },
  },
  {
    alert: 'PreavisUnwatchedInterval',
    when: 'nobody watched a call for a while, also where that was the first thing that a new process found',
    series: { 'preavis_unwatched_intervals_total{why="process_ended"}': '7x5 8x100', [started]: '-90000x5 300x100' },
    rings: { 5: [], 7: [{ why: 'process_ended' }], 70: [] },
  },
  {
    alert: 'PreavisUnwatchedInterval',
    when: 'a process that was away for more than an hour finds one as soon as it has started',
    series: { 'preavis_unwatched_intervals_total{why="process_ended"}': '7x5 _x70 8x100' },
    rings: { 5: [], 80: [{ why: 'process_ended' }], 150: [] },
  },
  {
    alert: 'PreavisUnwatchedInterval',
    when: 'an older catalogue is put back, or Prometheus sees an old one for the first time',
    series: { 'preavis_unwatched_intervals_total{why="process_ended"}': '_x3 7x5 4x100' },
    rings: { 4: [], 10: [], 30: [] },
  },
  {
    alert: 'PreavisUnwatched',
    when: 'some of a recording was made silent',
    series: { [silenced]: rise, [started]: longAgo },
    rings: { 5: [], 7: [{ finding: 'unwatched_blanked' }], 70: [] },
  },
  {
    alert: 'PreavisUnwatched',
    when: 'the next process makes it silent as soon as it has started',
    series: { [silenced]: atOnce, [started]: justNow },
    rings: { 0: [{ finding: 'unwatched_blanked' }], 61: [] },
  },
  {
    alert: 'PreavisDeadmanMissing',
    when: 'the dead-man channel cannot be made',
    series: turns('preavis_deadman_missing'),
    rings: { 5: [], 7: [{}] },
  },
  {
    alert: 'PreavisWitnessDisagrees',
    when: 'a notice is missing in the CEL file',
    series: { [missing]: rise, [started]: longAgo },
    rings: { 5: [], 7: [{ status: 'missing' }], 70: [] },
  },
  {
    alert: 'PreavisWitnessDisagrees',
    when: 'the first call of a process is missing there, and none of those that agree or have no witness',
    series: {
      [missing]: atOnce,
      'preavis_witness_total{status="agrees"}': atOnce,
      'preavis_witness_total{status="unavailable"}': atOnce,
      [started]: justNow,
    },
    rings: { 0: [{ status: 'missing' }] },
  },
  {
    alert: 'PreavisClocksApart',
    when: 'clocks are seen apart',
    series: { [finished]: rise, [started]: longAgo },
    rings: { 5: [], 7: [{}], 70: [] },
  },
  {
    alert: 'PreavisClocksApart',
    when: 'somebody has to settle when a recording ended',
    series: turns('preavis_recordings_doubtful'),
    rings: { 5: [], 7: [{}] },
  },
  {
    alert: 'PreavisArchiveFailing',
    when: 'the folder of the archive vanishes, or the store is away',
    series: turns('preavis_archive_failing'),
    rings: { 7: [], 14: [], 17: [{}] },
  },
  {
    alert: 'PreavisRecordingsWait',
    when: 'nothing takes the recordings',
    series: { preavis_recordings_oldest_waiting_seconds: '0+60x100' },
    rings: { 60: [], 67: [{}] },
  },
  {
    alert: 'PreavisRecordingSetAside',
    when: 'a single recording cannot be archived',
    series: turns('preavis_recordings_set_aside{code="archive_denied"}'),
    rings: { 7: [], 37: [{ code: 'archive_denied' }] },
  },
  {
    alert: 'PreavisRecordingSuspect',
    when: 'a recording is not what was recorded',
    series: {
      ...turns('preavis_recordings_set_aside{code="archive_mismatch"}'),
      ...turns('preavis_recordings_set_aside{code="archive_denied"}'),
    },
    rings: { 5: [], 7: [{ code: 'archive_mismatch' }] },
  },
  {
    alert: 'PreavisReconcileLeft',
    when: 'an object is missing',
    series: turns('preavis_reconcile_left{kind="objectMissing"}'),
    rings: { 5: [], 7: [{ kind: 'objectMissing' }] },
  },
  {
    alert: 'PreavisPassLate',
    when: 'the retention job is dead, and the others are not',
    series: {
      'preavis_pass_due_timestamp_seconds{pass="retention"}': '600x180',
      'preavis_pass_due_timestamp_seconds{pass="upload"}': '60+60x180',
    },
    rings: { 5: [], 69: [], 72: [{ pass: 'retention' }] },
  },
  {
    alert: 'PreavisOverdue',
    when: 'two recordings are kept for longer than they may be',
    series: turns('preavis_recordings_overdue', '2'),
    rings: { 7: [], 22: [{}] },
  },
  {
    alert: 'PreavisErasureFailed',
    when: 'what is due cannot be erased, and what a lock keeps does not count',
    series: {
      ...turns('preavis_erasures_failed{rule="due"}'),
      'preavis_erasures_failed{rule="subject"}': '0x20',
      ...turns('preavis_recordings_locked'),
    },
    rings: { 5: [], 7: [{ rule: 'due' }] },
  },
  {
    alert: 'PreavisRetentionStopped',
    when: 'the clock has leapt',
    series: turns('preavis_retention_stopped'),
    rings: { 5: [], 7: [{}] },
  },
  {
    alert: 'PreavisHoldsToReview',
    when: 'the day of review of a hold has passed',
    series: turns('preavis_holds_review_overdue'),
    rings: { 5: [], 7: [{}] },
  },
  {
    alert: 'PreavisWebhookFailing',
    when: 'a webhook takes nothing for two hours',
    series: { [failing]: '0+1x180', 'preavis_webhooks_waiting{endpoint="crm"}': '1x180' },
    rings: { 30: [], 70: [{ endpoint: 'crm' }] },
  },
  {
    alert: 'PreavisWebhookGivenUp',
    when: 'messages are given up',
    series: turns('preavis_webhooks_given_up{endpoint="crm"}'),
    rings: { 5: [], 7: [{ endpoint: 'crm' }] },
  },
];

const target = { job: 'preavis', instance: '127.0.0.1:8090' };

/** As Prometheus fills in templates: labels, and the value of the series. */
const filledIn = (text: string, labels: Readonly<Record<string, string>>, value: string): string =>
  text
    .replaceAll('{{ $value }}', value)
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');

/** The labels of a series, with those of its target laid under it. */
function withTarget(series: string): string {
  const [name = '', own = ''] = series.replace('}', '').split('{');
  const labels = Object.entries(target).flatMap(([label, value]) =>
    own.includes(`${label}=`) ? [] : [`${label}="${value}"`],
  );

  return `${name}{${[...(own === '' ? [] : [own]), ...labels].join(',')}}`;
}

const nameOf = ({ alert, when }: Pick<Case, 'alert' | 'when'>): string => `${alert}: ${when}`;

function testOf({ alert, when, series, rings }: Case): object {
  const rule = rules.find((each) => each.alert === alert);
  if (rule === undefined) throw new Error(`there is no rule ${alert}`);

  return {
    name: nameOf({ alert, when }),
    interval: '1m',
    input_series: Object.entries(series).map(([each, values]) => ({ series: withTarget(each), values })),
    alert_rule_test: Object.entries(rings).map(([minute, expected]) => ({
      alertname: alert,
      eval_time: `${minute}m`,
      exp_alerts: expected.map((more) => {
        const given: Record<string, string> = { ...target, ...more, ...rule.labels };
        const labels = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
        const value = alert === 'PreavisOverdue' ? '2' : '1';
        const annotations = Object.fromEntries(
          Object.entries(rule.annotations).map(([key, text]) => [key, filledIn(text, labels, value)]),
        );

        return { exp_labels: labels, exp_annotations: annotations };
      }),
    })),
  };
}

describe('the rules for alerts', () => {
  test('are in the form of Prometheus', async () => {
    expect(await promtool(['check', 'rules', '--lint-fatal', rulesFile])).toMatchObject({ code: 0 });
  });

  test('are each tried out: when they ring, and when they do not', () => {
    const tried = (count: (minutes: Case['rings']) => boolean): string[] => [
      ...new Set(cases.filter(({ rings }) => count(rings)).map(({ alert }) => alert)),
    ];
    const all = rules.map(({ alert }) => alert).toSorted();
    expect(tried((rings) => Object.values(rings).some((expected) => expected.length > 0)).toSorted()).toEqual(all);
    expect(tried((rings) => Object.values(rings).some((expected) => expected.length === 0)).toSorted()).toEqual(all);
  });

  // Once for all of them: promtool takes longer to start than to try one out. What fails is named.
  describe('ring for this, and for nothing less:', () => {
    let tried: Awaited<ReturnType<typeof promtool>>;
    beforeAll(async () => {
      const file = folder.path('tests.yaml');
      writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests: cases.map(testOf) }));
      tried = await promtool(['test', 'rules', file]);
    });

    test('all', () => {
      expect(tried).toEqual({ code: 0, said: expect.stringContaining('SUCCESS') as string });
    });

    test.each(cases)('$alert: $when', (each) => {
      expect(tried.said).not.toContain(nameOf(each));
    });
  });
});

test('the page of metrics is as Prometheus wants it, without a warning', async () => {
  const metrics = describedMetrics(makeServeMetrics([]));
  expect(await promtool(['check', 'metrics'], await metrics.text())).toEqual({ code: 0, said: '' });
});

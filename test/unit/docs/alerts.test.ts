import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { selfCheckFindings } from '../../../src/audio/selfCheck.ts';
import { uploadFailures } from '../../../src/archive/uploadPass.ts';
import { unrecordedReasons } from '../../../src/call/decide/unrecordedReasons.ts';
import { legOutcomes } from '../../../src/call/watch/sourceWatch.ts';
import { callWitnesses } from '../../../src/catalogue/rows.ts';
import { unwatchedFlags } from '../../../src/core/metrics/metrics.ts';
import { discrepancyKinds } from '../../../src/retention/reconcile/compare.ts';
import { makeServeMetrics } from '../../../src/services/metrics.ts';
import { describedMetrics } from '../../support/describedMetrics.ts';

type Rule = {
  alert: string;
  expr: string;
  labels: { severity?: string };
  annotations: { summary?: string; action?: string };
};
type Panel = { title: string; targets?: { expr: string }[] };

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const text = read('docs/operations/monitoring.md');
const rules = (parse(read('config/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const { panels } = JSON.parse(read('config/grafana/preavis.json')) as { panels: Panel[] };
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The text that `serve` gives, with all that is asked for at the moment of reading. */
const page = (): Promise<string> => describedMetrics(makeServeMetrics(['crm'])).text();
const metricsIn = (expression: string): string[] => [...expression.matchAll(/preavis_\w+/g)].map(([name]) => name);

describe('what is shipped for Prometheus and Grafana', () => {
  test('names only metrics that there are, and the documentation has each of ours', async () => {
    const names = [...(await page()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const inTable = [...text.matchAll(/^\| `(preavis_\w+)` /gm)].map(([, name]) => name);
    const inRules = rules.flatMap(({ expr }) => metricsIn(expr));
    expect(rules.length).toBeGreaterThan(20);
    expect(names).toEqual(expect.arrayContaining([...inRules, ...queries.flatMap(metricsIn), ...inTable]));
    const ours = names.filter((name = '') => !/^preavis_(process|nodejs)_/.test(name));
    expect(inTable.toSorted()).toEqual(ours.toSorted());
    // What is measured of promises is also shown.
    const shown = new Set(queries.flatMap(metricsIn));
    expect(ours.filter((name = '') => !shown.has(name))).toEqual([]);
  });

  test('says of each alert how bad it is and what to do, there and in the documentation', () => {
    const lacking = rules.filter(
      ({ labels, annotations: { summary, action } }) =>
        !/^(critical|warning|info)$/.test(labels.severity ?? '') || summary === undefined || action === undefined,
    );
    expect(lacking).toEqual([]);
    const explained = [...text.matchAll(/^\| `(Preavis\w+)` /gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  test('is among the files of the package', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    expect(files).toContain('config');
    for (const file of ['alerts.yaml', 'scrape.yaml']) {
      expect(existsSync(new URL(`../../../config/prometheus/${file}`, import.meta.url))).toBe(true);
    }
  });
});

describe('the page of metrics', () => {
  test('begins every value of a label at 0, so that the first event of its kind is a rise', async () => {
    const at0 = (await page()).split('\n').filter((line) => /^preavis_(?!process|nodejs)\w+\{.* 0$/.test(line));
    const of = (metric: string, label: string): string[] =>
      at0
        .filter((line) => line.startsWith(`${metric}{`))
        .map((line) => new RegExp(`${label}="(\\w+)"`).exec(line)?.[1] ?? '');
    const calls = of('preavis_calls_total', 'result').filter((result) => result !== 'unrecorded');
    expect(calls).toEqual(['recorded', 'notConnected', 'abandoned']);
    expect(of('preavis_calls_total', 'reason').filter((reason) => reason !== '')).toEqual([...unrecordedReasons]);
    expect(of('preavis_findings_total', 'finding')).toEqual([...selfCheckFindings, ...unwatchedFlags]);
    expect(of('preavis_witness_total', 'status')).toEqual([...callWitnesses]);
    expect(of('preavis_legs_unheard_total', 'outcome')).toEqual([...legOutcomes]);
    expect(of('preavis_clocks_apart_total', 'when')).toEqual(['arrival', 'finish']);
    expect(of('preavis_reconcile_left', 'kind')).toEqual(Object.keys(discrepancyKinds));
    expect(of('preavis_recordings_set_aside', 'code')).toEqual([...uploadFailures]);
    expect(of('preavis_webhook_failures_total', 'endpoint')).toEqual(['crm']);
    // What is asked for at each reading gives its own.
    const asked = ['preavis_unwatched_intervals_total', 'preavis_recordings_unusable', 'preavis_erasures_failed'];
    for (const metric of asked) expect(at0.some((line) => line.startsWith(`${metric}{`))).toBe(true);
  });
});

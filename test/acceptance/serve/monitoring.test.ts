import { readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { promtool, startPrometheus, type LabPrometheus } from '../../../lab/prometheus.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { endedCall, useRig } from '../../support/rig/rigs.ts';
import { webhookSecret } from '../../support/webhookReceiver.ts';

const shipped = (path: string): string => fileURLToPath(new URL(`../../../config/${path}`, import.meta.url));
type Panel = { title: string; targets?: { expr: string }[] };
const { panels } = JSON.parse(readFileSync(shipped('grafana/preavis.json'), 'utf8')) as { panels: Panel[] };

let prometheus: LabPrometheus;
afterAll(() => prometheus.stop());

const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 500 }));

  return {
    extensions: { away: `${agent.dialString},20,line=away` },
    config: {
      lines: { away: { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] } },
      // Nothing is sent to it: no recording is archived here.
      webhooks: { crm: { url: 'http://127.0.0.1:9/', secret: webhookSecret } },
    },
  };
});

beforeAll(async () => {
  prometheus = await startPrometheus({
    pagePort: at.rig.healthPort,
    job: 'preavis',
    ruleFiles: [shipped('prometheus/alerts.yaml')],
  });
});

const page = async (name: string): Promise<[number, unknown]> => {
  const response = await fetch(`http://127.0.0.1:${at.rig.healthPort}/${name}`);

  return [response.status, await response.json()];
};

/** As Grafana fills in its variables. */
const filledIn = (query: string): string =>
  query.replaceAll('$__rate_interval', '10s').replaceAll('$instance', '.+').replaceAll('$pbx', '.*');

it('serves a page of metrics in which Prometheus finds nothing to mend', async () => {
  const text = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
  expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, said: '' });
  expect(text).toContain('preavis_calls_total{result="unrecorded",reason="prompts_missing"} 0\n');
});

it('has an answer to every query of the dashboard, and no alarm, while all is well', async () => {
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  expect(queries.length).toBeGreaterThan(30);
  await eventually(async () => {
    const answers = await Promise.all(
      queries.map(async ({ title, expr }) => ({
        title,
        expr,
        series: (await prometheus.query(filledIn(expr))).length,
      })),
    );
    expect(answers.filter(({ series }) => series === 0)).toEqual([]);
    // One that Prometheus could not scrape in its second is pending for as long.
    expect(await prometheus.alerts()).toEqual([]);
  });
});

it('says that it is degraded and why while the recording folder is gone, and rings for the first call that goes on unrecorded', async () => {
  const { spoolFolder } = at.rig.asterisk;
  renameSync(spoolFolder, `${spoolFolder}.aside`);
  await eventually(async () => {
    expect(await page('health')).toMatchObject([503, { status: 'degraded', reasons: ['spool_unusable'] }]);
  });
  expect(await page('live')).toEqual([200, { status: 'alive' }]);
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'away', tone: await continuousTone(440) }),
  );
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(await endedCall(at.rig, 'away')).toMatchObject({ result: 'unrecorded', reason: 'spool_unusable' });
  await eventually(async () => {
    expect((await prometheus.alerts()).toSorted()).toEqual(['PreavisFolderUnusable', 'PreavisUnrecorded']);
  });
  renameSync(`${spoolFolder}.aside`, spoolFolder);
  await eventually(async () => {
    expect(await page('health')).toMatchObject([200, { status: 'ok', reasons: [] }]);
    expect(await prometheus.alerts()).toEqual(['PreavisUnrecorded']);
  });
});

it('rings when it does not answer any more', async () => {
  await at.rig.stopServe();
  await eventually(async () => {
    expect(await prometheus.alerts()).toContain('PreavisDown');
  });
});

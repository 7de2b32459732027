import { makeMetrics } from '../../../src/core/metrics/metrics.ts';

async function activeSeconds(metrics: ReturnType<typeof makeMetrics>): Promise<number> {
  const [, value] = /^preavis_event_loop_active_seconds_total (\S+)$/m.exec(await metrics.text()) ?? [];

  return Number(value);
}

test('each series has the name of the PBX, where it has one', async () => {
  const values = { reasons: [], findings: [], legs: [], witness: [], reconcileKinds: [], setAside: [], endpoints: [] };
  const named = await makeMetrics({ ...values, pbx: 'north' }).text();
  const series = named.split('\n').filter((line) => line.startsWith('preavis_'));
  expect(series.length).toBeGreaterThan(10);
  expect(series.filter((line) => !line.includes('pbx="north"'))).toEqual([]);
  expect(await makeMetrics(values).text()).not.toContain('pbx');
});

describe('the metrics of the process', () => {
  test('count the time that the event loop is at work', async () => {
    const metrics = makeMetrics();
    const before = await activeSeconds(metrics);
    const until = performance.now() + 50;
    while (performance.now() < until);
    expect((await activeSeconds(metrics)) - before).toBeGreaterThanOrEqual(0.05);
  });

  test('have the delay of the event loop at the moment of asking, and none that was sampled', async () => {
    const names = [...(await makeMetrics().text()).matchAll(/^# TYPE (\S*eventloop\S*)/gm)].map(([, name]) => name);
    expect(names).toEqual(['preavis_nodejs_eventloop_lag_seconds']);
  });
});

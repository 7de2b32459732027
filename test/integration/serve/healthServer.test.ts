import { connect } from 'node:net';
import { EventEmitter, once } from 'node:events';
import type { Health } from '../../../src/serve/health.ts';
import { HealthPage } from '../../../src/serve/healthServer.ts';
import { makeMetrics } from '../../../src/core/metrics/metrics.ts';

const pages: HealthPage[] = [];
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.stop()));
});

const working: Health = {
  version: '1.2.3',
  status: 'ok',
  reasons: [],
  asterisk: 'connected',
  calls: 3,
  archive: { status: 'working', since: '2026-01-02T03:04:05.678Z' },
};

async function open(health: Health = working) {
  const state = { ...health };
  const metrics = makeMetrics();
  const page = new HealthPage(() => state, metrics);
  pages.push(page);
  const port = await page.start('127.0.0.1', 0);

  return {
    page,
    metrics,
    port,
    state,
    get: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method }),
  };
}

describe('the health page', () => {
  test('is 200 while calls can be recorded, and tells how many there are and nothing else', async () => {
    const { get } = await open();
    const response = await get('/health');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(working);
  });

  test('is 503 while Asterisk is away and while it stops, and 200 again after', async () => {
    const { get, state } = await open();
    Object.assign(state, { status: 'degraded', reasons: ['asterisk_away', 'spool_full'] });
    const degraded = await get('/health');
    expect(degraded.status).toBe(503);
    expect(await degraded.json()).toMatchObject({ status: 'degraded', reasons: ['asterisk_away', 'spool_full'] });
    state.status = 'stopping';
    expect((await get('/health')).status).toBe(503);
    state.status = 'ok';
    expect((await get('/health')).status).toBe(200);
  });

  test('stays 200 while the archive fails, and says since when: calls are recorded all the same', async () => {
    const { get, state } = await open();
    state.archive = { status: 'failing', since: '2026-01-02T03:04:05.678Z' };
    const response = await get('/health');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      archive: { status: 'failing', since: '2026-01-02T03:04:05.678Z' },
    });
  });

  test.each(['GET', 'HEAD'])('says by %s /live that it lives, whatever can be recorded', async (method) => {
    const { get, state } = await open();
    for (const status of ['ok', 'degraded', 'stopping'] as const) {
      state.status = status;
      const response = await get('/live', method);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(method === 'GET' ? '{"status":"alive"}\n' : '');
    }
  });

  test('answers HEAD as GET, without the body', async () => {
    const { get, state } = await open();
    const head = (response: Response) => [
      response.status,
      ...['content-type', 'content-length', 'cache-control'].map((name) => response.headers.get(name)),
    ];
    for (const status of ['ok', 'degraded'] as const) {
      state.status = status;
      const [asked, whole] = [await get('/health', 'HEAD'), await get('/health')];
      expect(head(asked)).toEqual(head(whole));
      expect(await asked.text()).toBe('');
      expect(Number(asked.headers.get('content-length'))).toBe((await whole.text()).length);
    }
  });

  test.each([
    ['HEAD', '/'],
    ['GET', '/'],
    ['GET', '/health/'],
    ['GET', '/health?x=1'],
    ['GET', '/../etc/passwd'],
    ['POST', '/health'],
    ['POST', '/live'],
    ['DELETE', '/health'],
  ])('is the only one: %s %s is 404 without content', async (method, path) => {
    const { get } = await open();
    const response = await get(path, method);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('');
  });

  test('has the metrics beside it, in the form of Prometheus', async () => {
    const { get, metrics } = await open();
    metrics.callEnded('unrecorded', 'refused');
    metrics.finding('silent');
    const response = await get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain('preavis_calls_total{result="unrecorded",reason="refused"} 1\n');
    expect(text).toContain('preavis_findings_total{finding="silent"} 1\n');
  });

  test('has how the archive stands, as it is at the moment of asking', async () => {
    const { get, metrics } = await open();
    const at = 1_000_000_000;
    const state = { isFailing: false, lastStoredAt: undefined as number | undefined };
    const now = { doubtful: 0, isRetentionStopped: false, at };
    let waiting: { failure: string | null; count: number; oldestAt: number }[] = [];
    metrics.archive(
      () => state,
      () => Promise.resolve({ ...now, waiting }),
    );
    const figures = async (): Promise<string[]> =>
      (await (await get('/metrics')).text())
        .split('\n')
        .filter((line) => /^preavis_(archive|recordings|retention)_/.test(line));
    expect(await figures()).toEqual([
      'preavis_archive_failing 0',
      'preavis_archive_last_stored_timestamp_seconds 0',
      'preavis_recordings_waiting 0',
      'preavis_recordings_oldest_waiting_seconds 0',
      'preavis_recordings_doubtful 0',
      'preavis_retention_stopped 0',
    ]);
    Object.assign(state, { isFailing: true, lastStoredAt: at - 60_000 });
    Object.assign(now, { doubtful: 2, isRetentionStopped: true });
    waiting = [
      { failure: null, count: 4, oldestAt: at - 90_000 },
      { failure: 'archive_mismatch', count: 1, oldestAt: at - 7_200_000 },
    ];
    expect(await figures()).toEqual([
      'preavis_archive_failing 1',
      'preavis_archive_last_stored_timestamp_seconds 999940',
      'preavis_recordings_waiting 5',
      'preavis_recordings_oldest_waiting_seconds 7200',
      'preavis_recordings_doubtful 2',
      'preavis_retention_stopped 1',
      'preavis_recordings_set_aside{code="archive_mismatch"} 1',
    ]);
    waiting = [];
    expect(await figures()).toHaveLength(6);
  });

  test.each([
    ['cannot be read', () => Promise.reject(new Error('no catalogue'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('gives no figures of a catalogue that %s, says so, and gives all others', async (_, ask) => {
    const { get, metrics } = await open();
    const waiting = [{ failure: 'archive_mismatch', count: 1, oldestAt: 0 }];
    const archive = { doubtful: 0, isRetentionStopped: false, at: 2, waiting };
    let answers: () => Promise<typeof archive> = () => Promise.resolve(archive);
    metrics.archive(
      () => ({ isFailing: true, lastStoredAt: 1 }),
      () => answers(),
    );
    metrics.passes(() => answers().then(() => [{ pass: 'upload', doneAt: 1, dueAt: 2 }]));
    metrics.catalogueFails(true);
    const figures = async (): Promise<string[]> => {
      const response = await get('/metrics');
      expect(response.status).toBe(200);

      return (await response.text())
        .split('\n')
        .filter((line) => /^preavis_(archive_failing|catalogue|figures|recordings_(set|doubt)|pass_last)/.test(line));
    };
    const all = [
      'preavis_figures_missing 0',
      'preavis_catalogue_failing 1',
      'preavis_archive_failing 1',
      'preavis_recordings_doubtful 0',
      'preavis_recordings_set_aside{code="archive_mismatch"} 1',
      'preavis_pass_last_success_timestamp_seconds{pass="upload"} 0.001',
    ];
    expect(await figures()).toEqual(all);
    answers = ask;
    expect(await figures()).toEqual([
      'preavis_figures_missing 1',
      'preavis_catalogue_failing 1',
      'preavis_archive_failing 1',
      expect.stringMatching(/^preavis_recordings_doubtful nan$/i),
    ]);
    expect((await get('/health')).status).toBe(200);
  });

  test('has the figures again once the catalogue answers again, and asks one that hangs a single time', async () => {
    const { get, metrics } = await open();
    const asked = new EventEmitter();
    const answer = [{ pass: 'upload', doneAt: 5_000, dueAt: 2 }];
    let [count, hangs] = [0, true];
    metrics.passes(async () => {
      count += 1;
      if (hangs) await once(asked, 'answered');
      return answer;
    });
    const text = async () => (await get('/metrics')).text();
    expect(await text()).toContain('preavis_figures_missing 1');
    expect(await text()).toContain('preavis_figures_missing 1');
    expect(count).toBe(1);
    hangs = false;
    asked.emit('answered');
    expect(await text()).toContain('preavis_pass_last_success_timestamp_seconds{pass="upload"} 5\n');
  });

  test('says which key is wrong when its port is taken', async () => {
    const { port } = await open();
    const second = new HealthPage(() => working, makeMetrics());
    pages.push(second);
    await expect(second.start('127.0.0.1', port)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `health.port: cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
    });
  });

  test('stops although a client keeps its connection open, and stopping twice is fine', async () => {
    const { page, port, get } = await open();
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');
    await get('/health');
    const closed = once(idle, 'close');
    await page.stop();
    await closed;
    await page.stop();
    await expect(get('/health')).rejects.toThrow();
  });
});

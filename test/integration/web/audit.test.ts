import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
let here: WebStage;
let stages = 0;

beforeEach(async () => {
  here = await webStage(folder.path(`${(stages += 1)}`), open);
  for (const role of ['auditor', 'legal', 'coach'] as const) here.door.tokens.set(role, actorOf(role));
  here.door.tokens.set('part', actorOf('auditor', { lines: ['orders'] }));
});

afterEach(async () => {
  await here.server.stop();
});

type Line = { line: number; recording: string | null; event: string; actor: string; detail: Record<string, unknown> };

async function read(query = ''): Promise<{ lines: Line[]; next: string | null }> {
  return (await here.json(`/audit${query}`, 'auditor')) as { lines: Line[]; next: string | null };
}

test('who looks at what others did reads who has listened, and who has searched by a number, and why', async () => {
  const { id, call } = await here.archived(['agreement']);
  await (await here.ask(`/recordings/${id}/audio`, 'legal')).arrayBuffer();
  const search = { number: '+3225550123', ground: 'dispute', reference: '2026-17' };
  await here.json('/calls/search', 'legal', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(search),
  });
  const { lines } = await read('?actor=user:legal');
  expect(lines).toMatchObject([
    {
      recording: null,
      call: null,
      event: 'searched by number',
      detail: { ground: 'dispute', reference: '2026-17', found: 0 },
    },
    { recording: id, call, event: 'listening begun', detail: { role: 'legal', purposes: ['agreement'] } },
  ]);
  expect(JSON.stringify(lines)).not.toContain('5550123');
  expect((await read('?event=searched%20by%20number')).lines.map(({ actor }) => actor)).toEqual(['user:legal']);
  expect((await read('?about=recordings&limit=1')).lines).toMatchObject([{ event: 'listening begun' }]);
  expect((await read('?to=2020-01-01T00:00:00Z')).lines).toEqual([]);
});

test('pages follow one another without a gap, and each reading is a line of the trail', async () => {
  await here.archived();
  const { lines: all } = await read('?limit=200');
  const lines: Line[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page: Awaited<ReturnType<typeof read>> = await read(`?limit=2${next === '' ? '' : `&cursor=${next}`}`);
    lines.push(...page.lines);
    next = page.next;
  }
  const isOld = ({ line }: Line): boolean => line <= (all[0]?.line ?? 0);
  expect(lines.filter(isOld)).toEqual(all);
  const { lines: readings } = await read('?event=audit%20trail%20read&limit=200');
  expect(readings.length).toBeGreaterThan(all.length / 2);
  expect(readings[0]).toMatchObject({ recording: null, actor: 'user:auditor', detail: { role: 'auditor' } });
});

test('who sees a part of the calls, or may not look at what others did, reads none of it', async () => {
  const refused = await Promise.all(['legal', 'coach', 'part'].map((token) => here.ask('/audit', token)));
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
  const wrong = await Promise.all(
    ['cursor=4.1', 'event=%27%20OR%201', 'from=2026-11-24', 'about=all'].map((query) =>
      here.ask(`/audit?${query}`, 'auditor'),
    ),
  );
  expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
});

import { makeTrailSearch, type TrailPlace, type TrailSearch } from '../../../../src/catalogue/retention/trailSearch.ts';
import { makeSqliteRunner, type Run } from '../../../../src/catalogue/sqlite/runner.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import type { RecordingId } from '../../../../src/core/ids.ts';
import { catalogues, clockAt, saveCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const at = Date.UTC(2026, 10, 24);

/** Lines of one recording and of none, the third of them by a clock that was set back. */
async function written(name: string): Promise<{ file: string; recording: RecordingId }> {
  const file = folder.path(`${name}.db`);
  const clock = clockAt(at - 86_400_000);
  const catalogue = open(file, clock);
  const { id } = await saveCall(catalogue);
  const lines: [number, RecordingId | null, string, string][] = [
    [at, null, 'signed in', 'user:anna'],
    [at + 10, id, 'listening begun', 'user:anna'],
    [at + 5, null, 'searched by number', 'user:louis'],
    [at + 10, id, 'heard', 'user:anna'],
    [at + 20, null, 'signed in', 'user:louis'],
  ];
  for (const [now, recording, event, actor] of lines) {
    clock.at = now;
    await catalogue.auditTrail.append(recording, { event, actor, detail: { role: 'coach' } });
  }

  return { file, recording: id };
}

/** All pages, one behind the other. */
function allOf(
  run: Run,
  trail: ReturnType<typeof makeTrailSearch>,
  wanted: TrailSearch,
  limit: number,
): { events: string[]; pages: number } {
  const events: string[] = [];
  let place: TrailPlace | undefined;
  for (let pages = 1; ; pages += 1) {
    const { lines, next } = run(trail.search(wanted, place, limit));
    events.push(...lines.map(({ event }) => event));
    if (next === undefined) return { events, pages };
    place = next;
  }
}

test.each([
  ['all of a time, the newest first', {}, ['signed in', 'heard', 'listening begun', 'searched by number', 'signed in']],
  ['those before a moment', { to: at + 10 }, ['searched by number', 'signed in']],
  ['those of one event', { event: 'signed in' }, ['signed in', 'signed in']],
  ['those of one actor', { actor: 'user:anna' }, ['heard', 'listening begun', 'signed in']],
  ['those of a user by the name alone', { actor: 'anna' }, ['heard', 'listening begun', 'signed in']],
  ['none of a user where another kind is named', { actor: 'token:anna' }, []],
  ['those of recordings', { about: 'recordings' as const }, ['heard', 'listening begun']],
  ['those of none', { about: 'others' as const }, ['signed in', 'searched by number', 'signed in']],
  ['none where nothing fits', { actor: 'user:nobody' }, []],
])(
  'finds %s, whatever the length of a page, and however few lines are looked at for it',
  async (name, filter, wanted) => {
    const { file } = await written(name);
    const database = openSqlite(file);
    const run = makeSqliteRunner(database);
    for (const mostLookedAt of [1, 2, 5_000]) {
      const trail = makeTrailSearch(mostLookedAt);
      for (const limit of [1, 2, 50]) {
        expect(allOf(run, trail, { from: at, ...filter }, limit).events).toEqual(wanted);
      }
    }
    database.close();
  },
);

test('a line has its number, its recording and what it says', async () => {
  const { file, recording } = await written('whole');
  const database = openSqlite(file);
  const { lines } = makeSqliteRunner(database)(makeTrailSearch().search({ event: 'heard' }, undefined, 1));
  expect(lines).toEqual([
    {
      line: expect.any(Number) as number,
      at: at + 10,
      recording,
      call: expect.any(String) as string,
      event: 'heard',
      from: null,
      to: null,
      actor: 'user:anna',
      detail: { role: 'coach' },
    },
  ]);
  database.close();
});

test('a page behind many others comes as soon as a first one', async () => {
  const { file } = await written('long');
  const database = openSqlite(file);
  database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300000)
    INSERT INTO audit (at, event, actor) SELECT ${at} + 100 + n, 'heard', 'user:anna' FROM numbers`);
  const run = makeSqliteRunner(database);
  const trail = makeTrailSearch(10);
  const behind = { at: at + 200, line: Number.MAX_SAFE_INTEGER };
  const soonest = (wanted: TrailSearch, place?: TrailPlace): number => {
    const times = Array.from({ length: 9 }, () => {
      const since = performance.now();
      expect(run(trail.search(wanted, place, 5)).lines.map((line) => line.at)).toEqual(
        [0, 1, 2, 3, 4].map((n) => at + 200 - n),
      );

      return performance.now() - since;
    });

    return Math.min(...times);
  };
  // Passing over 300,000 lines takes more than ten milliseconds, a page of ten less than one.
  const first = soonest({ from: at, to: at + 201 });
  for (const to of [undefined, at + 400_000]) {
    expect(soonest({ from: at, to }, behind)).toBeLessThan(10 * first + 1);
  }
  expect(run(trail.search({ from: at, to: at + 150 }, behind, 1)).lines.map((line) => line.at)).toEqual([at + 149]);
  database.close();
});

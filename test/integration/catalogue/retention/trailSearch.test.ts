import { makeTrailSearch, type TrailPlace, type TrailSearch } from '../../../../src/catalogue/retention/trailSearch.ts';
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
  search: ReturnType<typeof makeTrailSearch>['search'],
  wanted: TrailSearch,
  limit: number,
): { events: string[]; pages: number } {
  const events: string[] = [];
  let place: TrailPlace | undefined;
  for (let pages = 1; ; pages += 1) {
    const { lines, next } = search(wanted, place, limit);
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
  ['those of recordings', { about: 'recordings' as const }, ['heard', 'listening begun']],
  ['those of none', { about: 'others' as const }, ['signed in', 'searched by number', 'signed in']],
  ['none where nothing fits', { actor: 'user:nobody' }, []],
])(
  'finds %s, whatever the length of a page, and however few lines are looked at for it',
  async (name, filter, wanted) => {
    const { file } = await written(name);
    const database = openSqlite(file);
    for (const mostLookedAt of [1, 2, 5_000]) {
      const { search } = makeTrailSearch(database, mostLookedAt);
      for (const limit of [1, 2, 50]) {
        expect(allOf(search, { from: at, ...filter }, limit).events).toEqual(wanted);
      }
    }
    database.close();
  },
);

test('a line has its number, its recording and what it says', async () => {
  const { file, recording } = await written('whole');
  const database = openSqlite(file);
  const { lines } = makeTrailSearch(database).search({ event: 'heard' }, undefined, 1);
  expect(lines).toEqual([
    {
      line: expect.any(Number) as number,
      at: at + 10,
      recording,
      event: 'heard',
      from: null,
      to: null,
      actor: 'user:anna',
      detail: { role: 'coach' },
    },
  ]);
  database.close();
});

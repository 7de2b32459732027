import { makeTrailSearch, type TrailPlace, type TrailSearch } from '../../../src/catalogue/retention/trailSearch.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { clockAt, saveCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

export const at = Date.UTC(2026, 10, 24);

/** Lines of one recording and of none, the third of them by a clock that was set back. */
export async function writeTrail(database: TestDatabase): Promise<RecordingId> {
  const clock = clockAt(at - 86_400_000);
  const catalogue = await database.connect(clock);
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

  return id;
}

/** All pages, one behind the other. */
async function allOf(
  run: TestDatabase['run'],
  trail: ReturnType<typeof makeTrailSearch>,
  wanted: TrailSearch,
  limit: number,
): Promise<{ events: string[]; pages: number }> {
  const events: string[] = [];
  let place: TrailPlace | undefined;
  for (let pages = 1; ; pages += 1) {
    const { lines, next } = await run(() => trail.search(wanted, place, limit));
    events.push(...lines.map(({ event }) => event));
    if (next === undefined) return { events, pages };
    place = next;
  }
}

/** Pages of the audit trail, whatever database keeps it. */
export function trailSearchContract(newDatabase: () => TestDatabase): void {
  test.each([
    [
      'all of a time, the newest first',
      {},
      ['signed in', 'heard', 'listening begun', 'searched by number', 'signed in'],
    ],
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
    async (_, filter, wanted) => {
      const database = newDatabase();
      await writeTrail(database);
      for (const mostLookedAt of [1, 2, 5_000]) {
        const trail = makeTrailSearch(mostLookedAt);
        for (const limit of [1, 2, 50]) {
          expect((await allOf(database.run, trail, { from: at, ...filter }, limit)).events).toEqual(wanted);
        }
      }
    },
  );

  test('a line has its number, its recording and what it says', async () => {
    const database = newDatabase();
    const recording = await writeTrail(database);
    const { lines } = await database.run(() => makeTrailSearch().search({ event: 'heard' }, undefined, 1));
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
  });
}

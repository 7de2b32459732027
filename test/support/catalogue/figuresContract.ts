import { requestFailed, requestRefused } from '../../../src/catalogue/retention/auditTrail.ts';
import type { HoldId } from '../../../src/core/ids.ts';
import { erasureFailed } from '../../../src/retention/pass.ts';
import { callEnd, dayMs, idOf, policySql, recordingSql, type RowOptions } from './catalogueRows.ts';
import { clockAt } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Counts for reports and pictures, whatever database adds them up. */
export function figuresContract(newDatabase: () => TestDatabase): void {
  const hour = 3_600_000;
  const at = callEnd + 40 * dayMs;
  const times = { from: callEnd - dayMs, to: callEnd + dayMs, at, overdueBefore: at - 25 * hour };

  /** Each for training, whose end is that of the recording. */
  const rows: (RowOptions & { also?: string })[] = [
    { number: 1, status: 'archived', keepUntil: at + dayMs },
    { number: 2, status: 'archived', keepUntil: at - hour },
    { number: 3, status: 'recorded', keepUntil: at - 30 * hour },
    { number: 4, status: 'archived', keepUntil: at - 31 * hour },
    { number: 5, status: 'archived', keepUntil: at - 32 * hour },
    { number: 6, status: 'archived', keepUntil: at - 33 * hour },
    { number: 7, status: 'erased', keepUntil: at - 34 * hour },
    { number: 8, status: 'failed', keepUntil: at + 2 * dayMs },
    { number: 9, status: 'lost' },
  ];

  async function stage() {
    const database = newDatabase();
    const catalogue = await database.connect(clockAt(callEnd));
    const kept = rows.filter(({ keepUntil }) => keepUntil !== undefined);
    const end = ({ number, keepUntil }: RowOptions, purpose = 'training') =>
      `('${idOf(number)}', '${purpose}', ${keepUntil ?? 0})`;
    await database.execute(
      [
        policySql('older', { training: 14 }),
        policySql('one', { training: 28, agreement: 395 }),
        ...rows.map((row) => recordingSql({ ...row, purposes: ['training'] })),
        `INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES
          ${[...kept.map((row) => end(row)), end({ number: 1, keepUntil: at + 9 * dayMs }, 'agreement')].join()};`,
        `UPDATE recordings SET bytes = 1000;`,
        `UPDATE recordings SET controller = 'acme' WHERE id IN ('${idOf(1)}', '${idOf(8)}');
         UPDATE calls SET controller = 'acme' WHERE id IN ('${idOf(1)}', '${idOf(8)}');`,
        `UPDATE recordings SET failure = 'wav_invalid', flags = '["keys_unheard","silent","unwatched_blanked"]' WHERE id = '${idOf(8)}';`,
        `UPDATE calls SET result = NULL WHERE id = '${idOf(9)}';
         UPDATE calls SET result = 'unrecorded', reason = NULL, line = NULL WHERE id = '${idOf(7)}';
         UPDATE calls SET result = 'unrecorded', reason = 'refused', answer = 'refused' WHERE id = '${idOf(6)}';
         UPDATE calls SET result = 'unrecorded', reason = NULL WHERE id = '${idOf(5)}';
         UPDATE calls SET languages = '["nl"]', witness = 'agrees' WHERE id = '${idOf(1)}';`,
      ].join('\n'),
    );
    const note = (number: number, event: string, detail: Record<string, unknown>) =>
      catalogue.auditTrail.append(idOf(number), { event, actor: 'test', detail });
    const held = { ground: 'dispute', reason: 'x', author: 'a', expiresAt: at + 9 * dayMs } as const;
    const setHold = (id: string, number: number, reviewAt: number) =>
      catalogue.legalHolds.set({ ...held, id: id as HoldId, recording: idOf(number), reviewAt });
    await setHold('one', 4, at);
    await setHold('two', 4, at + 1);
    await catalogue.clockDoubts.raise(idOf(5), { apartMs: dayMs, endedAt: callEnd, witnesses: {}, actor: 'serve' });
    const cause = '{"rule":"subject"}';
    const decided = { event: 'erasure decided', actor: 'a', detail: {} };
    await catalogue.askedErasures.ask({ recordings: [idOf(6)], cause, at: callEnd, note: decided, ending: [] });
    await note(3, erasureFailed, { code: 'archive_denied' });
    await note(1, requestRefused, { exceptions: [{ ground: 'legalClaims' }, { ground: 'legalDuty' }] });
    await note(2, requestRefused, { exceptions: [{ ground: 'legalDuty' }] });
    await note(6, requestFailed, { code: 'archive_locked' });

    return { database, catalogue };
  }

  test('tell what is kept, why and until when, and what became of the calls of a period', async () => {
    const { catalogue } = await stage();
    const figures = await catalogue.figures.read(times, erasureFailed);
    const stated = (purpose: string) => ({ justification: `why ${purpose}`, legalBasis: 'law' });
    expect(figures).toEqual({
      purposes: [
        {
          purpose: 'agreement',
          stated: stated('agreement'),
          recordings: 1,
          bytes: 1_000,
          over: 0,
          oldestAt: callEnd - 30_000,
          nextEndAt: at + 9 * dayMs,
          lastEndAt: at + 9 * dayMs,
        },
        {
          purpose: 'training',
          stated: stated('training'),
          recordings: 7,
          bytes: 7_000,
          over: 5,
          oldestAt: callEnd - 30_000,
          nextEndAt: at + dayMs,
          lastEndAt: at + 2 * dayMs,
        },
      ],
      statuses: [
        { status: 'archived', recordings: 5 },
        { status: 'erased', recordings: 1 },
        { status: 'failed', recordings: 1 },
        { status: 'lost', recordings: 1 },
        { status: 'recorded', recordings: 1 },
      ],
      due: {
        held: 1,
        awaiting: 1,
        overdue: 2,
        overdueSince: at - 33 * hour,
        untried: 0,
        decided: 1,
        failures: [
          { code: 'archive_denied', recordings: 1 },
          { code: 'archive_locked', recordings: 1 },
        ],
      },
      doubts: { open: 1, oldestAt: callEnd },
      holds: { active: 2, reviewsOverdue: 1, nextReviewAt: at + 1 },
      calls: [
        { result: 'recorded', reason: null, calls: 5, refused: 0 },
        { result: 'unrecorded', reason: null, calls: 2, refused: 0 },
        { result: null, reason: null, calls: 1, refused: 0 },
        { result: 'unrecorded', reason: 'refused', calls: 1, refused: 1 },
      ],
      notices: [],
      witness: [
        { witness: null, calls: 8 },
        { witness: 'agrees', calls: 1 },
      ],
      ended: [],
      unwatched: [
        { flag: 'keys_unheard', recordings: 1 },
        { flag: 'unwatched_blanked', recordings: 1 },
      ],
      certificates: 0,
      requests: {
        erased: 0,
        kept: 2,
        failed: 1,
        grounds: [
          { ground: 'legalDuty', recordings: 2 },
          { ground: 'legalClaims', recordings: 1 },
        ],
        failures: [{ code: 'archive_locked', recordings: 1 }],
      },
    });
  });

  test('of one company, or of the own calls, count these alone; and what ended is told with why', async () => {
    const { catalogue } = await stage();
    const note = { event: 'test', actor: 'test' };
    await catalogue.recordings.move(idOf(1), 'archived', 'erased', {}, note);
    await catalogue.recordings.move(idOf(2), 'archived', 'erased', {}, note);
    const acme = await catalogue.figures.read(times, erasureFailed, 'acme');
    expect(acme.statuses).toEqual([
      { status: 'erased', recordings: 1 },
      { status: 'failed', recordings: 1 },
    ]);
    expect(acme.purposes).toMatchObject([
      { purpose: 'agreement', recordings: 0, bytes: 0, oldestAt: null },
      { purpose: 'training', recordings: 1 },
    ]);
    expect(acme.ended).toEqual([{ status: 'erased', failure: null, recordings: 1 }]);
    expect(acme.requests).toMatchObject({ erased: 1, kept: 0, failed: 0, grounds: [] });
    const own = await catalogue.figures.read(times, erasureFailed, null);
    expect(own.calls.reduce((sum, { calls }) => sum + calls, 0)).toBe(7);
    expect(own).toMatchObject({ due: { held: 1, overdue: 2 }, requests: { erased: 1, failed: 1 } });
    expect((await catalogue.figures.read({ ...times, from: 0, to: 1 }, erasureFailed)).calls).toEqual([]);
  });

  test('tell why calls were not recorded, by day, line and reason', async () => {
    const { catalogue } = await stage();
    const day = new Date(callEnd).toISOString().slice(0, 10);
    const period = { from: times.from, to: times.to };
    const unrecorded = [
      { day, line: null, reason: null, calls: 1 },
      { day, line: 'default', reason: null, calls: 1 },
      { day, line: 'default', reason: 'refused', calls: 1 },
    ];
    expect(await catalogue.figures.unrecorded(period)).toEqual({ calls: 9, unrecorded });
    expect(await catalogue.figures.unrecorded(period, [''])).toEqual({ calls: 7, unrecorded });
    expect(await catalogue.figures.unrecorded(period, ['acme'])).toEqual({ calls: 2, unrecorded: [] });
    const dayAfter = { from: times.from + 2 * dayMs, to: times.to + 2 * dayMs };
    expect(await catalogue.figures.unrecorded(dayAfter)).toEqual({ calls: 0, unrecorded: [] });
  });

  test('for pictures count calls by result and language, what is stored in parts, and recordings by their end', async () => {
    const { catalogue } = await stage();
    const { figures } = catalogue;
    const languages = '["fr"]';
    expect(await figures.calls(times.from, times.to, undefined)).toEqual([
      { result: null, languages, calls: 1 },
      { result: 'recorded', languages, calls: 4 },
      { result: 'recorded', languages: '["nl"]', calls: 1 },
      { result: 'unrecorded', languages, calls: 3 },
    ]);
    expect(await figures.calls(times.from, times.to, ['acme', 'bolt'])).toEqual([
      { result: 'recorded', languages, calls: 1 },
      { result: 'recorded', languages: '["nl"]', calls: 1 },
    ]);
    const parts = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const part: Awaited<ReturnType<typeof figures.storage>> = await figures.storage(after, 3);
      parts.push(part.purposes);
      after = part.next;
    }
    const training = (recordings: number) => ({ purpose: 'training', recordings, bytes: 1_000 * recordings });
    expect(parts).toEqual([
      [{ purpose: 'agreement', recordings: 1, bytes: 1_000 }, training(3)],
      [training(3)],
      [training(1)],
    ]);
    const first = await figures.byEnd({ keepUntil: 0, id: '' }, 2);
    expect(first.map(({ id }) => id)).toEqual([idOf(6), idOf(5)]);
    const [, last] = first;
    const rest = await figures.byEnd(last ?? { keepUntil: 0, id: '' }, 9);
    expect(rest.map(({ id }) => id)).toEqual([4, 3, 2, 1, 8].map(idOf));
  });

  test('say how long anything is kept at most, in parts, and what a hold may keep for longer', async () => {
    const { catalogue } = await stage();
    const { figures } = catalogue;
    // Of what is archived or will be, the days that its policy gives; more where its end was put back.
    expect(await figures.longestKeptDays('', 3)).toEqual({ days: 395, next: idOf(3) });
    expect(await figures.longestKeptDays(idOf(6), 9)).toEqual({ days: 0, next: undefined });
    expect([await figures.heldBeyond(48), await figures.heldBeyond(49)]).toEqual([1, 0]);
  });
}

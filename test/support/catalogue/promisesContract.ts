import type { HoldId } from '../../../src/core/ids.ts';
import { requestFailed, requestRefused } from '../../../src/catalogue/retention/auditTrail.ts';
import { erasureFailed } from '../../../src/retention/pass.ts';
import { makePromisedFigures } from '../../../src/services/metrics.ts';
import { idOf, policySql, recordingSql } from './catalogueRows.ts';
import { clockAt, dayMs } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** What stands of what is promised, as the metrics tell it, whatever database keeps it. */
export function promisesContract(newDatabase: () => TestDatabase): void {
  const hour = 3_600_000;
  const at = Date.UTC(2027, 0, 1);

  async function stage(rows: readonly { status?: string; overFor?: number }[]) {
    const database = newDatabase();
    const clock = clockAt(at);
    const catalogue = await database.connect(clock);
    const recordings = rows.map(({ status = 'archived', overFor = 0 }, number) =>
      recordingSql({ number, status, purposes: ['training'], keepUntil: at - overFor }),
    );
    await database.execute([policySql('one', { training: 28 }), ...recordings].join('\n'));

    return { catalogue, database, clock, figures: makePromisedFigures(catalogue, clock) };
  }

  test('counts as due at once, and as overdue once a daily pass has missed it; nothing else counts', async () => {
    const { figures } = await stage([
      { overFor: 0 },
      { overFor: 25 * hour - 1 },
      { overFor: 25 * hour },
      { overFor: 30 * dayMs, status: 'recorded' },
      { overFor: -1 },
      { overFor: 30 * dayMs, status: 'erased' },
      { overFor: 30 * dayMs, status: 'discarded' },
    ]);
    expect(await figures()).toMatchObject({
      due: 4,
      overdue: 2,
      locked: 0,
      failedErasures: { due: 0, subject: 0, decided: 0 },
    });
  });

  test('is not what a hold keeps, or whose clocks disagree', async () => {
    const { catalogue, figures } = await stage([
      { overFor: 2 * dayMs },
      { overFor: 2 * dayMs },
      { overFor: 2 * dayMs },
    ]);
    const about = { ground: 'dispute', reason: 'x', author: 'user alice' } as const;
    const hold = { id: '01K00000000000000000000000' as HoldId, recording: idOf(0), ...about };
    await catalogue.legalHolds.set({ ...hold, reviewAt: at, expiresAt: at + dayMs });
    const later = { id: '01K00000000000000000000001' as HoldId, recording: idOf(0), ...about };
    await catalogue.legalHolds.set({ ...later, reviewAt: at + 1, expiresAt: at + dayMs });
    await catalogue.clockDoubts.raise(idOf(1), { apartMs: dayMs, endedAt: at, witnesses: {}, actor: 'serve' });
    expect(await figures()).toMatchObject({ due: 1, overdue: 1, holds: { active: 2, reviewsOverdue: 1 } });
  });

  test('counts as a failed erasure while the last one failed', async () => {
    const { catalogue, figures } = await stage([{}, {}]);
    expect(await figures()).toMatchObject({ due: 2, failedErasures: { due: 0 } });
    await catalogue.auditTrail.append(idOf(0), {
      event: erasureFailed,
      actor: 'serve',
      detail: { code: 'archive_denied' },
    });
    expect(await figures()).toMatchObject({ due: 2, failedErasures: { due: 1, subject: 0 } });
  });

  test('and what a person asked for in vain, until it is erased, refused, or kept by a lock', async () => {
    const { catalogue, figures } = await stage([
      { overFor: -dayMs },
      { overFor: -dayMs },
      { overFor: -dayMs },
      { status: 'erased' },
    ]);
    const note = (number: number, event: string, detail: object) =>
      catalogue.auditTrail.append(idOf(number), { event, actor: 'user dpo', detail: { ...detail } });
    for (const number of [0, 1, 3]) await note(number, requestFailed, { code: 'archive_unreachable' });
    await note(0, requestFailed, { code: 'archive_denied' });
    await note(2, requestFailed, { code: 'archive_locked' });
    expect((await figures()).failedErasures).toEqual({ due: 0, subject: 2, decided: 0 });
    await note(0, requestRefused, { exceptions: [] });
    await note(1, requestFailed, { code: 'archive_locked' });
    expect((await figures()).failedErasures).toEqual({ due: 0, subject: 0, decided: 0 });
  });

  test('counts by why it is erased, and by the code of its last failure, once each', async () => {
    const { catalogue, database, figures } = await stage([{}, {}, {}, { overFor: 2 * dayMs }]);
    await database.execute(`
      INSERT INTO asked_erasures (recording_id, cause, asked_at) VALUES ('${idOf(1)}', '{"rule":"subject","operator":"user dpo"}', ${at}),
        ('${idOf(2)}', '{"rule":"decided","operator":"user dpo","ground":"unlawful","reference":null}', ${at})`);
    const note = (number: number, event: string, code: string) =>
      catalogue.auditTrail.append(idOf(number), { event, actor: 'serve', detail: { code } });
    await note(0, erasureFailed, 'archive_denied');
    await note(1, requestFailed, 'archive_unreachable');
    expect(await figures()).toMatchObject({
      due: 4,
      overdue: 1,
      failedErasures: { due: 1, subject: 1, decided: 0 },
      failureCodes: { archive_denied: 1, archive_unreachable: 1 },
    });
    await note(1, erasureFailed, 'archive_denied');
    await note(2, erasureFailed, 'archive_denied');
    expect(await figures()).toMatchObject({
      failedErasures: { due: 1, subject: 1, decided: 1 },
      failureCodes: { archive_denied: 3 },
    });
  });

  test('is counted over many more than are read at once, and then not at each reading', async () => {
    const { clock, database, figures } = await stage(Array.from({ length: 1_203 }, () => ({ overFor: 2 * dayMs })));
    expect(await figures()).toMatchObject({ due: 1_203, overdue: 1_203 });
    await database.execute("UPDATE recordings SET status = 'erased'");
    clock.at += 59_000;
    expect(await figures()).toMatchObject({ due: 1_203 });
    clock.at += 1_000;
    expect(await figures()).toMatchObject({ due: 0 });
  });

  test('is not what nobody watched, which is counted by why, nor what has no usable audio, which is counted by its status', async () => {
    const { database, figures } = await stage([
      { status: 'lost' },
      { status: 'failed', overFor: -1 },
      { status: 'lost' },
    ]);
    const interval = (from: number, why: string) => `('${idOf(0)}', ${from}, '${why}', 'bridge', '[]')`;
    await database.execute(`
      INSERT INTO unwatched (call_id, from_at, why, bridge, parties)
      VALUES ${[interval(0, 'process_ended'), interval(1, 'process_ended'), interval(2, 'connection_lost')].join()}`);
    const { unwatched, unusable } = await figures();
    expect(unusable).toEqual({ failed: 1, lost: 2 });
    expect(unwatched).toEqual([
      { why: 'connection_lost', intervals: 1 },
      { why: 'application_taken', intervals: 0 },
      { why: 'process_ended', intervals: 2 },
      { why: 'events_late', intervals: 0 },
    ]);
  });
}

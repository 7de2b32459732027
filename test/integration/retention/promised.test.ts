import { rename } from 'node:fs/promises';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { requestFailed, requestRefused } from '../../../src/catalogue/retention/auditTrail.ts';
import type { HoldId } from '../../../src/core/ids.ts';
import { passFigures } from '../../../src/serve/jobs.ts';
import { makePromisedFigures } from '../../../src/services/metrics.ts';
import { erasureFailed } from '../../../src/retention/pass.ts';
import { reconcile } from '../../../src/retention/reconcile/reconcile.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { insertPolicy, insertRecording, idOf } from '../../support/catalogue/catalogueRows.ts';
import { catalogues, clockAt, dayMs } from '../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
const hour = 3_600_000;
const at = Date.UTC(2027, 0, 1);
let files = 0;

function catalogueWith(rows: readonly { status?: string; overFor?: number }[]) {
  const file = folder.path(`${(files += 1)}.db`);
  const clock = clockAt(at);
  const catalogue = open(file, clock);
  const database = openSqlite(file);
  insertPolicy(database, 'one', { training: 28 });
  for (const [number, { status = 'archived', overFor = 0 }] of rows.entries()) {
    insertRecording(database, { number, status, purposes: ['training'], keepUntil: at - overFor });
  }

  return { catalogue, database, clock, figures: makePromisedFigures(catalogue, clock) };
}

describe('what is due and not erased', () => {
  test('counts as due at once, and as overdue once a daily pass has missed it; nothing else counts', async () => {
    const { figures } = catalogueWith([
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
    const { catalogue, figures } = catalogueWith([
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
    const { catalogue, figures } = catalogueWith([{}, {}]);
    expect(await figures()).toMatchObject({ due: 2, failedErasures: { due: 0 } });
    await catalogue.auditTrail.append(idOf(0), {
      event: erasureFailed,
      actor: 'serve',
      detail: { code: 'archive_denied' },
    });
    expect(await figures()).toMatchObject({ due: 2, failedErasures: { due: 1, subject: 0 } });
  });

  test('and what a person asked for in vain, until it is erased, refused, or kept by a lock', async () => {
    const { catalogue, figures } = catalogueWith([
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
    const { catalogue, database, figures } = catalogueWith([{}, {}, {}, { overFor: 2 * dayMs }]);
    const ask = database.prepare('INSERT INTO asked_erasures (recording_id, cause, asked_at) VALUES (?, ?, ?)');
    ask.run(idOf(1), JSON.stringify({ rule: 'subject', operator: 'user dpo' }), at);
    ask.run(
      idOf(2),
      JSON.stringify({ rule: 'decided', operator: 'user dpo', ground: 'unlawful', reference: null }),
      at,
    );
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
    const { clock, database, figures } = catalogueWith(Array.from({ length: 1_203 }, () => ({ overFor: 2 * dayMs })));
    expect(await figures()).toMatchObject({ due: 1_203, overdue: 1_203 });
    database.exec("UPDATE recordings SET status = 'erased'");
    clock.at += 59_000;
    expect(await figures()).toMatchObject({ due: 1_203 });
    clock.at += 1_000;
    expect(await figures()).toMatchObject({ due: 0 });
  });
});

test('what nobody watched is counted by why, and what has no usable audio by its status', async () => {
  const { database, figures } = catalogueWith([
    { status: 'lost' },
    { status: 'failed', overFor: -1 },
    { status: 'lost' },
  ]);
  const insert = database.prepare(
    `INSERT INTO unwatched (call_id, from_at, why, bridge, parties) VALUES (?, ?, ?, 'bridge', '[]')`,
  );
  for (const [from, why] of ['process_ended', 'process_ended', 'connection_lost'].entries())
    insert.run(idOf(0), from, why);
  const { unwatched, unusable } = await figures();
  expect(unusable).toEqual({ failed: 1, lost: 2 });
  expect(unwatched).toEqual([
    { why: 'connection_lost', intervals: 1 },
    { why: 'application_taken', intervals: 0 },
    { why: 'process_ended', intervals: 2 },
    { why: 'events_late', intervals: 0 },
  ]);
});

describe('a pass', () => {
  const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`stage-${(files += 1)}`), open);
  const doneAt = async ({ catalogue }: ArchiveStage, pass: 'upload' | 'retention' | 'reconcile') =>
    (await catalogue.passes.times(pass)).doneAt;

  test('of uploads is good when it came to its end and the archive works', async () => {
    const set = await stage();
    await set.finished();
    await rename(set.store.location, `${set.store.location}.aside`);
    expect(await uploadPass(set, { waitMs: 0, signal })).toMatchObject({ archive: { state: 'failing' } });
    expect(await doneAt(set, 'upload')).toBeUndefined();
    await rename(`${set.store.location}.aside`, set.store.location);
    await uploadPass(set, { waitMs: 0, signal, all: true });
    expect(await doneAt(set, 'upload')).toBe(set.clock.at);
  });

  test('of retention is good when it came to its end, and never where nothing was to be changed', async () => {
    const set = await stage();
    await archivedCall(set);
    set.clock.at = due;
    await erasePass(set, { dryRun: true });
    await erasePass(set, { signal: AbortSignal.abort() });
    expect(await doneAt(set, 'retention')).toBeUndefined();
    await erasePass(set);
    expect(await doneAt(set, 'retention')).toBe(due);
    set.clock.at = due + 400 * dayMs;
    await expect(erasePass(set)).rejects.toMatchObject({ code: 'clock_implausible' });
    expect(await doneAt(set, 'retention')).toBe(due);
  });

  test('of comparing is good when it could repair, too', async () => {
    const set = await stage();
    const options = { verify: false, waitMs: 0, signal, found: () => undefined };
    await reconcile({ ...set, repairs: undefined }, options);
    expect(await doneAt(set, 'reconcile')).toBeUndefined();
    await reconcile({ ...set, repairs: set }, options);
    expect(await doneAt(set, 'reconcile')).toBe(set.clock.at);
  });

  test('that was missed stays due when serve starts again, until one was made, by hand as well', async () => {
    const set = await stage();
    const { catalogue } = set;
    const figures = async (next: number) =>
      passFigures('retention', await catalogue.passes.times('retention'), next).dueAt;
    await catalogue.passes.plan('retention', 1_000, 0);
    await catalogue.passes.plan('retention', 2_000, 1_200);
    expect(await figures(3_000)).toBe(1_000);
    await catalogue.passes.noteDone('retention', 1_500);
    expect(await figures(2_000)).toBe(2_000);
    await catalogue.passes.plan('retention', 2_000, 1_600);
    await catalogue.passes.plan('retention', 4_000, 2_500);
    expect(await figures(4_000)).toBe(2_000);
    // A cron line that now comes sooner.
    expect(await figures(1_900)).toBe(1_900);
  });

  test('is due by the new cron line where serve starts with a rarer one before the planned time has come', async () => {
    const { catalogue } = await stage();
    await catalogue.passes.noteDone('retention', 1_000);
    await catalogue.passes.plan('retention', 2_000, 1_000);
    await catalogue.passes.plan('retention', 30_000, 1_500);
    expect(passFigures('retention', await catalogue.passes.times('retention'), 30_000).dueAt).toBe(30_000);
  });
});

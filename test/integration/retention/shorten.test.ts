import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { HoldId } from '../../../src/core/ids.ts';
import { shortenPass } from '../../../src/retention/shorten.ts';
import { archiveStage, withLocks, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callEnd, insertPolicy, insertRecording, idOf } from '../../support/catalogue/catalogueRows.ts';
import { catalogues, clockAt, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { decisionsIn } from '../../support/call/decisions.ts';
import { archivedCall, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const end = callEnd + 28 * dayMs;
/** Nothing of it stays for a hold or a lock. */
const unkept = { otherPurpose: 0, held: 0, locked: 0, lockedUntil: undefined };
const order = { purpose: 'training' };
const endOf = async (set: ArchiveStage, id: Parameters<ArchiveStage['receiptOf']>[0]): Promise<number | undefined> =>
  (await set.catalogue.recordings.purposeEnds(id)).find(({ purpose }) => purpose === 'training')?.keepUntil;

describe('a storage time that was shortened', () => {
  test('changes nothing in a preview, which says how many it would change and for how many the time is over', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = recorderEnd + 7 * dayMs;
    const before = [await set.catalogue.recordings.find(id), await set.catalogue.auditTrail.of(id)];
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: false })).toEqual({
      longer: 1,
      over: 1,
      ...unkept,
    });
    expect(await shortenPass(set, { ...order, keepMs: 8 * dayMs, apply: false })).toEqual({
      longer: 1,
      over: 0,
      ...unkept,
    });
    expect([await set.catalogue.recordings.find(id), await set.catalogue.auditTrail.of(id)]).toEqual(before);
  });

  test('says how many of those that are over a hold keeps, and a lock of the archive until when at the latest', async () => {
    const set = await stage();
    const locks = new Map([['training', 'compliance' as const]]);
    for (const keepDays of [28, 30]) {
      await set.finished(undefined, { keepDays });
      await uploadPass({ ...set, store: withLocks(set.store), locks }, { waitMs: 0, signal });
    }
    const [held, released] = [await archivedCall(set), await archivedCall(set)];
    for (const [number, { id: recording }] of [held, released].entries()) {
      const id = `01K0000000000000000000000${number}` as HoldId;
      const about = { ground: 'restriction', reason: 'asked for', author: 'user alice' } as const;
      const [reviewAt, expiresAt] = [recorderEnd + 10 * dayMs, recorderEnd + 500 * dayMs];
      await set.catalogue.legalHolds.set({ id, recording, ...about, reviewAt, expiresAt });
      if (recording === released.id) await set.catalogue.legalHolds.release(id, 'user alice');
    }
    set.clock.at = recorderEnd + 7 * dayMs;
    const lockedUntil = Math.floor((recorderEnd + 30 * dayMs) / 1_000) * 1_000;
    for (const apply of [false, true]) {
      expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply })).toEqual({
        longer: 4,
        over: 4,
        held: 1,
        otherPurpose: 0,
        locked: 2,
        lockedUntil,
      });
    }
  });

  test('does not count what holds and locks keep while the shorter time is not over, nor a lock that is', async () => {
    const set = await stage();
    await set.finished(undefined, { keepDays: 28 });
    const locks = new Map([['training', 'compliance' as const]]);
    await uploadPass({ ...set, store: withLocks(set.store), locks }, { waitMs: 0, signal });
    const short = { ...order, keepMs: 7 * dayMs, apply: false };
    expect(await shortenPass(set, short)).toEqual({ longer: 1, over: 0, ...unkept });
    set.clock.at = recorderEnd + 28 * dayMs;
    expect(await shortenPass(set, short)).toEqual({ longer: 1, over: 1, ...unkept });
  });

  test('is applied to earlier recordings, once, with a line in the audit trail; then they are due', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = recorderEnd + 7 * dayMs;
    expect(await erasePass(set)).toMatchObject({ due: 0 });
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: true })).toEqual({
      longer: 1,
      over: 1,
      ...unkept,
    });
    expect(await endOf(set, id)).toBe(recorderEnd + 7 * dayMs);
    expect((await set.catalogue.recordings.find(id))?.keepUntil).toBe(recorderEnd + 7 * dayMs);
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({
      event: 'kept shorter',
      actor: 'operator',
      detail: { purpose: 'training', from: recorderEnd + 28 * dayMs, to: recorderEnd + 7 * dayMs },
    });
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: true })).toEqual({
      longer: 0,
      over: 0,
      ...unkept,
    });
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
  });

  test('leaves alone what is kept shorter already, and a longer one changes nothing at all', async () => {
    const set = await stage();
    const long = await archivedCall(set);
    const short = await archivedCall(set, { keepDays: 5 });
    expect(await shortenPass(set, { ...order, keepMs: 365 * dayMs, apply: true })).toMatchObject({
      longer: 0,
      over: 0,
    });
    expect(await shortenPass(set, { ...order, keepMs: 10 * dayMs, apply: true })).toMatchObject({ longer: 1 });
    expect(await endOf(set, long.id)).toBe(recorderEnd + 10 * dayMs);
    expect(await endOf(set, short.id)).toBe(recorderEnd + 5 * dayMs);
  });

  test('reaches every one of more recordings than fit into one step', async () => {
    const file = folder.path('many.db');
    const catalogue = open(file);
    const database = openSqlite(file);
    insertPolicy(database, 'one', { training: 28 });
    const insertEnd = database.prepare(`INSERT INTO recording_purposes VALUES (?, 'training', ?)`);
    database.transaction(() => {
      for (let number = 1; number <= 1_100; number += 1) {
        const id = insertRecording(database, { number, purposes: ['training'], status: 'archived', keepUntil: end });
        insertEnd.run(id, end);
      }
      database.prepare(`INSERT INTO recording_purposes VALUES (?, 'agreement', ?)`).run(idOf(1), end);
    })();
    database.close();
    const clock = clockAt(callEnd + 2 * dayMs);
    const ports = { catalogue, clock, decisions: decisionsIn(folder.path('.'), catalogue, clock) };
    const short = { ...order, keepMs: dayMs, apply: true };
    expect(await shortenPass(ports, short)).toEqual({ longer: 1_100, over: 1_100, ...unkept, otherPurpose: 1 });
    expect(await shortenPass(ports, short)).toEqual({ longer: 0, over: 0, ...unkept });
  });
});

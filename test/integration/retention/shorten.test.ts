import { openSqlite } from '../../../src/catalogue/sqlite.ts';
import { shortenPass } from '../../../src/retention/shorten.ts';
import { archiveStage, type ArchiveStage } from '../../support/archiving.ts';
import { callEnd, insertPolicy, insertRecording } from '../../support/catalogueRows.ts';
import { catalogues, clockAt, dayMs, recorderEnd } from '../../support/catalogues.ts';
import { archivedCall, erasePass } from '../../support/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const end = callEnd + 28 * dayMs;
const order = { purpose: 'training', actor: 'user ops' };
const endOf = async (set: ArchiveStage, id: Parameters<ArchiveStage['receiptOf']>[0]): Promise<number | undefined> =>
  (await set.catalogue.purposeEnds(id)).find(({ purpose }) => purpose === 'training')?.keepUntil;

describe('a storage time that was shortened', () => {
  test('changes nothing in a preview, which says how many it would change and for how many the time is over', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = recorderEnd + 7 * dayMs;
    const before = [await set.catalogue.recording(id), await set.catalogue.audit(id)];
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: false })).toEqual({ longer: 1, over: 1 });
    expect(await shortenPass(set, { ...order, keepMs: 8 * dayMs, apply: false })).toEqual({ longer: 1, over: 0 });
    expect([await set.catalogue.recording(id), await set.catalogue.audit(id)]).toEqual(before);
  });

  test('is applied to earlier recordings, once, with a line in the audit trail; then they are due', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = recorderEnd + 7 * dayMs;
    expect(await erasePass(set)).toMatchObject({ due: 0 });
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: true })).toEqual({ longer: 1, over: 1 });
    expect(await endOf(set, id)).toBe(recorderEnd + 7 * dayMs);
    expect((await set.catalogue.recording(id))?.keepUntil).toBe(recorderEnd + 7 * dayMs);
    expect((await set.catalogue.audit(id)).at(-1)).toMatchObject({
      event: 'kept shorter',
      actor: 'user ops',
      detail: { purpose: 'training', from: recorderEnd + 28 * dayMs, to: recorderEnd + 7 * dayMs },
    });
    expect(await shortenPass(set, { ...order, keepMs: 7 * dayMs, apply: true })).toEqual({ longer: 0, over: 0 });
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
  });

  test('leaves alone what is kept shorter already, and a longer one changes nothing at all', async () => {
    const set = await stage();
    const long = await archivedCall(set);
    const short = await archivedCall(set, { keepDays: 5 });
    expect(await shortenPass(set, { ...order, keepMs: 365 * dayMs, apply: true })).toEqual({ longer: 0, over: 0 });
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
    })();
    database.close();
    const ports = { catalogue, clock: clockAt(callEnd + 2 * dayMs) };
    const short = { ...order, keepMs: dayMs, apply: true };
    expect(await shortenPass(ports, short)).toEqual({ longer: 1_100, over: 1_100 });
    expect(await shortenPass(ports, short)).toEqual({ longer: 0, over: 0 });
  });
});

import type { NewLegalHold } from '../../../src/catalogue/retention/legalHolds.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { aLegalHold } from '../../support/catalogue/legalHolds.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

const holdOf = (recording: RecordingId, more: Partial<NewLegalHold> = {}): NewLegalHold =>
  aLegalHold(recording, due, more);

// What does not depend on an archive stands in legalHoldContract.ts.
describe('a hold', () => {
  test('keeps a recording that is due, until it expires', async () => {
    const set = await stage();
    const held = await archivedCall(set);
    const free = await archivedCall(set);
    await set.catalogue.legalHolds.set(holdOf(held.id, { expiresAt: due + dayMs }));
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ due: 1, erased: 1, held: 1, recordings: [{ id: free.id }] });
    expect((await set.catalogue.recordings.find(held.id))?.status).toBe('archived');
    set.clock.at = due + dayMs;
    expect(await erasePass(set)).toMatchObject({ erased: 1, held: 0, recordings: [{ id: held.id }] });
  });

  test('keeps it until it is released, and no other hold keeps it any more', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const holds = Array.from({ length: 5 }, () => holdOf(id));
    for (const hold of holds) await set.catalogue.legalHolds.set(hold);
    set.clock.at = due;
    for (const hold of holds) {
      expect(await erasePass(set)).toMatchObject({ due: 0, held: 1 });
      expect(await set.catalogue.legalHolds.release(hold.id, 'user lawyer')).toBe(id);
    }
    expect(await erasePass(set)).toMatchObject({ erased: 1, held: 0 });
  });

  test('comes too late for a recording that is gone, or that is being erased; and none is set for one that never was', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = due;
    const store = {
      ...set.store,
      erase: async (key: string) => {
        // At this moment the erasure has begun.
        await expect(set.catalogue.legalHolds.set(holdOf(id))).rejects.toMatchObject({ code: 'hold_too_late' });
        return set.store.erase(key);
      },
    };
    expect(await erasePass({ ...set, store })).toMatchObject({ erased: 1 });
    await expect(set.catalogue.legalHolds.set(holdOf(id))).rejects.toMatchObject({ code: 'hold_too_late' });
    await expect(set.catalogue.legalHolds.set(holdOf(makeIds().recording()))).rejects.toMatchObject({
      code: 'recording_unknown',
    });
    expect(await set.catalogue.legalHolds.of(id)).toEqual([]);
  });

  test('wins that is set while a pass erases others', async () => {
    const set = await stage();
    const [one, two, three] = [await archivedCall(set), await archivedCall(set), await archivedCall(set)];
    set.clock.at = due;
    let isSet = false;
    const store = {
      ...set.store,
      erase: async (key: string) => {
        if (!isSet) await set.catalogue.legalHolds.set(holdOf(three.id));
        isSet = true;
        return set.store.erase(key);
      },
    };
    // All three were read as due before the first was erased.
    const { recordings } = await erasePass({ ...set, store });
    expect(recordings.map(({ id, outcome }) => [id, outcome])).toEqual([
      [one.id, 'erased'],
      [two.id, 'erased'],
      [three.id, 'recording_held'],
    ]);
    expect((await set.catalogue.recordings.find(three.id))?.status).toBe('archived');
    expect((await set.objects()).size).toBe(2);
  });

  test('still keeps what an erasure that failed has left', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    set.clock.at = due;
    const store = { ...set.store, versions: () => Promise.resolve(['older']), erase: () => Promise.resolve(0) };
    expect(await erasePass({ ...set, store })).toMatchObject({ due: 1, erased: 0 });
    await set.catalogue.legalHolds.set(holdOf(id));
    expect(await erasePass(set)).toMatchObject({ due: 0, held: 1 });
    expect((await set.objects()).size).toBe(2);
  });
});

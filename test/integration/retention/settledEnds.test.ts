import { utimes } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { eraseRecording } from '../../../src/retention/erasure.ts';
import { shortenPass } from '../../../src/retention/shorten.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** The ends of purposes, where it is doubted and then settled from when they count. */

const folder = temporaryFolder();
const open = catalogues();
const off = 60 * dayMs;
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

const shorten = (set: ArchiveStage, days: number) =>
  shortenPass(set, { purpose: 'training', keepMs: days * dayMs, apply: true });
const raise = (set: ArchiveStage, id: RecordingId, endedAt: number) =>
  set.catalogue.clockDoubts.raise(id, { apartMs: off, endedAt, witnesses: {}, actor: 'test' });

/** Of the purpose, of the recording, and from when both count. */
async function endsOf({ catalogue }: ArchiveStage, id: RecordingId) {
  const row = await catalogue.recordings.find(id);

  return {
    purposes: (await catalogue.recordings.purposeEnds(id)).map(({ keepUntil }) => keepUntil),
    keepUntil: row?.keepUntil,
    keptFrom: row?.keptFrom,
  };
}

const countedFrom = (keptFrom: number, days: number) => ({
  purposes: [keptFrom + days * dayMs],
  keepUntil: keptFrom + days * dayMs,
  keptFrom,
});

describe.each([
  ['later', off],
  ['earlier', -off],
])('where it is doubted whether it ended %s', (_, by) => {
  test('an end that was shortened before is what it was once the first end is settled', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await shorten(set, 20);
    await raise(set, id, recorderEnd + by);
    await set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
    expect(await endsOf(set, id)).toEqual(countedFrom(recorderEnd, 20));
  });

  test('it counts from the other where that is settled, shortened before or meanwhile', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await shorten(set, 20);
    await raise(set, id, recorderEnd + by);
    expect(await endsOf(set, id)).toEqual(countedFrom(recorderEnd + by, 20));
    await shorten(set, 15);
    expect(await endsOf(set, id)).toEqual(countedFrom(recorderEnd + by, 15));
    await set.catalogue.clockDoubts.settle(id, recorderEnd + by, 'operator');
    expect(await endsOf(set, id)).toEqual(countedFrom(recorderEnd + by, 15));
  });

  test('one that was shortened meanwhile counts from the first end once that is settled', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await raise(set, id, recorderEnd + by);
    await shorten(set, 15);
    await set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
    expect(await endsOf(set, id)).toEqual(countedFrom(recorderEnd, 15));
  });

  test('one that a person asked for stays', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const to = recorderEnd + 3 * dayMs;
    await set.catalogue.recordings.shorten('training', [{ id, from: due, to }], 'person', 'operator');
    await raise(set, id, recorderEnd + by);
    expect(await endsOf(set, id)).toMatchObject({ purposes: [to], keepUntil: to });
    await set.catalogue.clockDoubts.settle(id, recorderEnd + by / 2, 'operator');
    expect(await endsOf(set, id)).toMatchObject({ purposes: [to], keepUntil: to });
  });
});

test('a clock that was set ahead for a while, with all of it settled as before, has nothing shortened erased early', async () => {
  const set = await stage();
  const boot = '5f0c1c52-0d57-4d3c-a0a5-6a1e7c7f8a11';
  const since = { ms: 500_000 };
  Object.assign(set.clock, { sinceBoot: () => ({ boot, ms: since.ms }) });
  /** Both clocks go on; the one that can be set by `by` more. */
  const goOn = (ms: number, by = 0): void => {
    since.ms += ms;
    set.clock.at += ms + by;
  };
  const { id } = await set.finished(undefined, { heard: { at: recorderEnd, sinceBoot: { boot, ms: 380_000 } } });
  goOn(dayMs);
  expect(await erasePass(set)).toMatchObject({ due: 0, doubtful: 0 });
  goOn(dayMs, off);
  // Its line is the next of the audit trail: nothing says that it did not end so late.
  await shorten(set, 20);
  await expect(erasePass(set)).rejects.toMatchObject({ code: 'clock_implausible' });
  expect(await erasePass(set, { clockIsRight: true })).toMatchObject({ due: 0, doubtful: 1 });
  goOn(dayMs, -off);
  await set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
  for (let day = 3; day < 19; day += 1) {
    expect(await erasePass(set)).toMatchObject({ due: 0 });
    goOn(dayMs);
  }
  expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  expect(await set.catalogue.certificates.of(id)).toEqual([]);
  goOn(dayMs);
  expect(await erasePass(set)).toMatchObject({ due: 1, erased: 1 });
});

test('a clock that was wrong when the machine was started has nothing from before erased, however many passes there are', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  expect(await erasePass(set)).toMatchObject({ due: 0 });
  // Another boot: nothing of this one tells how the clock stood then.
  Object.assign(set.clock, { sinceBoot: () => ({ boot: '0d2f7f4c-8f2b-4f6e-9a43-3f9f0f8a7c55', ms: 60_000 }) });
  set.clock.at += off;
  for (let pass = 0; pass < 3; pass += 1) {
    await expect(erasePass(set)).rejects.toMatchObject({ code: 'clock_implausible' });
    set.clock.at += dayMs;
  }
  set.clock.at -= off;
  expect(await erasePass(set)).toMatchObject({ due: 0 });
  expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
});

test('what its file had said still counts when another clock is doubted later', async () => {
  const set = await stage();
  const fileSays = recorderEnd + 540_000;
  const boot = '5f0c1c52-0d57-4d3c-a0a5-6a1e7c7f8a11';
  const since = { ms: 1_000_000 };
  Object.assign(set.clock, { at: recorderEnd, sinceBoot: () => ({ boot, ms: since.ms }) });
  const call = await set.recorded(undefined, { heard: { at: recorderEnd, sinceBoot: { boot, ms: since.ms } } });
  await utimes(call.file, fileSays / 1_000, fileSays / 1_000);
  since.ms += 600_000;
  set.clock.at += 600_000;
  await finishRecordings(set);
  await set.catalogue.auditTrail.append(call.id, { event: 'a line after it', actor: 'test' });
  expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ keptFrom: fileSays });
  expect((await set.catalogue.recordings.find(call.id))?.flags).toContain('clock_differs');
  // By its age it ended before all that was said of it.
  set.clock.at -= 900_000;
  expect(await erasePass(set)).toMatchObject({ doubtful: 1 });
  expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ keptFrom: fileSays });
  expect((await set.catalogue.clockDoubts.of(call.id))?.witnesses).toMatchObject({ kept: fileSays });
});

test('nothing that is gone is settled', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  await raise(set, id, recorderEnd + off);
  const row = await set.catalogue.recordings.find(id);
  if (row === undefined) throw new Error('there is no row');
  await eraseRecording(row, { rule: 'subject', operator: 'operator' }, set);
  const before = await endsOf(set, id);
  const settled = set.catalogue.clockDoubts.settle(id, recorderEnd, 'operator');
  await expect(settled).rejects.toMatchObject({ code: 'doubt_unknown' });
  expect(await endsOf(set, id)).toEqual(before);
  expect(await set.catalogue.clockDoubts.of(id)).toMatchObject({ isOpen: false, settledAt: null });
});

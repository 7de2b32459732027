import { unlink, writeFile } from 'node:fs/promises';
import { Finisher } from '../../../../src/archive/finish/finisher.ts';
import { finishRecordings } from '../../../../src/archive/finish/finish.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

test('a recording is listened to once, however many ask at the same time that it be finished', async () => {
  const set = await stage();
  const { id } = await set.recorded();
  let checks = 0;
  const finisher = new Finisher({
    ...set,
    check: (file, options) => {
      checks += 1;
      return set.check(file, options);
    },
  });
  await Promise.all([finisher.finish(), finisher.sweepAndFinish(), finisher.finish()]);
  expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  expect(checks).toBe(1);
});

test('a lost recording whose file is there again is taken up by the pass that sweeps', async () => {
  const set = await stage();
  const { id, file, wav } = await set.recorded();
  await unlink(file);
  await finishRecordings(set);
  const finisher = new Finisher(set);
  await finisher.finish();
  expect((await set.catalogue.recordings.find(id))?.status).toBe('lost');
  await writeFile(file, wav);
  await finisher.sweepAndFinish();
  expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
});

test('a pass that fails is logged, or told to who waits to upload, and does not keep the next from its work', async () => {
  const set = await stage();
  const finisher = new Finisher({ ...set, spoolFolder: folder.path('no such folder') });
  await expect(finisher.sweepAndFinish()).rejects.toMatchObject({ code: 'spool_unusable' });
  const fails = new Finisher({
    ...set,
    catalogue: {
      ...set.catalogue,
      recordings: { ...set.catalogue.recordings, finishable: () => Promise.reject(new Error('locked')) },
    },
  });
  await fails.finish();
  expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', code: 'internal' }));
  await expect(finisher.finish()).resolves.toBeUndefined();
});

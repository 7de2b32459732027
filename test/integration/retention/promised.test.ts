import { rename } from 'node:fs/promises';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { passFigures } from '../../../src/serve/jobs.ts';
import { reconcile } from '../../../src/retention/reconcile/reconcile.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
let files = 0;

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

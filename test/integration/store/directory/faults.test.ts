import { chmod, chown, mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { ArchiveOutageMonitor } from '../../../../src/archive/outageMonitor.ts';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { canMount, mounts } from '../../../support/rig/mounts.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import {
  expectArchived,
  expectKept,
  keysOf,
  uploadStage,
  type UploadStage,
} from '../../../support/archive/uploadStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const mount = mounts();
let stages = 0;

/** Recordings that wait for an archive in this folder. */
async function stage(root: string, count: number, wavs: Buffer[] = []): Promise<UploadStage> {
  await mkdir(root, { recursive: true });
  const set = await archiveStage(folder.path(`stage-${(stages += 1)}`), open);
  const store = makeDirectoryStore({ folder: root, known: () => set.catalogue.recordings.knownObject(root) });

  return uploadStage(set, { store, direct: store }, count, wavs);
}

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
/** As somebody who is not root, from whom rights can be taken. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work();
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
const takeRights = (root: string): Promise<void> => (isRoot ? chown(root, 0, 0) : chmod(root, 0o500));
const giveRights = (root: string): Promise<void> => (isRoot ? chown(root, nobody, nobody) : chmod(root, 0o700));

const partials = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true })).filter((name) => /\.partial\/|\.check\./.test(name));

(canMount ? describe : describe.skip)('an archive folder on a disk of its own (needs the right to mount)', () => {
  test('that is full takes what fits, oldest first; the rest waits, with one alarm, and goes when there is room', async () => {
    const root = folder.path('full');
    await mkdir(root);
    const disk = await mount('-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'preavis-test', root);
    const wavs = [300, 400, 500, 600].map((frequency) => toneWav(frequency, 25_000));
    const set = await stage(root, 4, wavs);
    const watch = new ArchiveOutageMonitor(set);
    for (let passes = 0; passes < 5; passes += 1) {
      const result = await set.pass();
      watch.note(result);
      expect(result).toMatchObject({
        sent: passes === 0 ? 2 : 0,
        failures: { archive_full: 1 },
        archive: { state: 'failing', error: { code: 'archive_full' } },
      });
      set.clock.at += 60_000;
    }
    await expectKept(set, set.calls.slice(2));
    expect(await partials(root)).toEqual([]);
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { code: 'archive_full', msg: 'archive unavailable; recordings queued' },
    ]);
    await disk.remount('size=8m');
    watch.note(await set.pass());
    expect(watch.state.status).toBe('working');
    await expectArchived(set);
  });

  test('that has become read-only takes nothing, and everything when it can be written again', async () => {
    const root = folder.path('read-only');
    await mkdir(root);
    const disk = await mount('-t', 'tmpfs', '-o', 'size=8m,mode=0700', 'preavis-test', root);
    const set = await stage(root, 1);
    await set.pass();
    set.calls.push(await set.finished(), await set.finished());
    await disk.remount('ro');
    expect(await set.pass()).toMatchObject({
      sent: 0,
      failures: { archive_denied: 1 },
      archive: { state: 'failing', error: { code: 'archive_denied' } },
    });
    await expectKept(set, set.calls.slice(1));
    await disk.remount('rw');
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
  });

  test('that is mounted no more takes nothing, and nothing is put into the place where it was', async () => {
    const [disk, point] = [folder.path('disk'), folder.path('point')];
    await mkdir(disk);
    await mkdir(point);
    const mounted = await mount('--bind', disk, point);
    const set = await stage(point, 1);
    await set.pass();
    set.calls.push(await set.finished(), await set.finished());
    await mounted.end();
    for (let passes = 0; passes < 3; passes += 1) {
      expect(await set.pass({ ask: true })).toMatchObject({
        sent: 0,
        waiting: 2,
        failures: { archive_not_mounted: 1 },
        archive: { state: 'failing' },
      });
    }
    expect(await readdir(point)).toEqual([]);
    await rmdir(point);
    expect(await set.pass({ ask: true })).toMatchObject({ failures: { archive_bucket_missing: 1 } });
    expect(await readdir(folder.path())).not.toContain('point');
    await expectKept(set, set.calls.slice(1));
    await mkdir(point);
    await mount('--bind', disk, point);
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
  });
});

describe('an archive folder', () => {
  test('that Préavis may write to no more takes nothing, and everything when it may again', async () => {
    const root = folder.path('denied');
    const set = await stage(root, 3);
    if (isRoot) for (const path of await everythingBelow(folder.path())) await chown(path, nobody, nobody);
    await takeRights(root);
    const result = await asNobody(() => set.pass());
    expect(result).toMatchObject({
      sent: 0,
      failures: { archive_denied: 1 },
      archive: { state: 'failing', error: { code: 'archive_denied', cause: { code: 'EACCES' } } },
    });
    await expectKept(set, set.calls);
    await giveRights(root);
    expect(await asNobody(() => set.pass())).toMatchObject({ sent: 3, waiting: 0 });
    await expectArchived(set);
  });

  test('in which something is in the way of one recording takes the others', async () => {
    const root = folder.path('in-the-way');
    const set = await stage(root, 3);
    const [first] = set.calls;
    if (first === undefined) throw new Error('three calls were made');
    const inTheWay = `${root}/${keysOf(first).wav}`;
    await mkdir(inTheWay, { recursive: true });
    await writeFile(`${inTheWay}/mine`, 'mine');
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 1, archive: { state: 'working' } });
    expect(await readFile(`${inTheWay}/mine`, 'utf8')).toBe('mine');
    await expectKept(set, [first]);
    await rm(inTheWay, { recursive: true });
    set.clock.at += 3_600_000;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
  });
});

async function everythingBelow(root: string): Promise<string[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });

  return [root, ...found.map((entry) => `${entry.parentPath}/${entry.name}`)];
}

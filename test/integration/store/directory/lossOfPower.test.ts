/** What is flushed, and before what: whatever is not may be gone, or there again, after a loss of power. */
import { existsSync, readlinkSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { finishRecordings } from '../../../../src/archive/finish/finish.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { contentType, seconds } from '../storeContract.ts';

const folder = temporaryFolder();
const open = catalogues();
let stores = 0;
afterEach(() => {
  jest.restoreAllMocks();
});

/** Calls `note` with the path of whatever is flushed from now on, and flushes it. */
async function watchFlushes(note: (path: string) => void): Promise<void> {
  const handle = await openFile(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const flush = Reflect.get<typeof handle, 'sync'>(prototype, 'sync');
  jest.spyOn(prototype, 'sync').mockImplementation(function (this: typeof handle) {
    note(readlinkSync(`/proc/self/fd/${this.fd}`));

    return Reflect.apply(flush, this, []);
  });
}

describe('a loss of power', () => {
  test('finds the WAV and its name on the disk, once the catalogue calls it recorded', async () => {
    const set = await archiveStage(folder.path('stage'), open);
    const { id, file } = await set.recorded();
    const before: string[] = [];
    await watchFlushes((path) => before.push(path));
    const move = set.catalogue.recordings.move.bind(set.catalogue.recordings);
    const recorded: string[][] = [];
    jest.spyOn(set.catalogue.recordings, 'move').mockImplementation((...given) => {
      recorded.push([...before]);

      return move(...given);
    });
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded' });
    expect(recorded).toEqual([expect.arrayContaining([file, set.spoolFolder])]);
  });

  test('brings no temporary name of an object back into the archive folder', async () => {
    const root = folder.path(`store-${(stores += 1)}`);
    const store = makeDirectoryStore({ folder: root });
    await store.check();
    const later: string[] = [];
    await watchFlushes((path) => {
      if (existsSync(join(root, 'a/b.wav'))) later.push(path);
    });
    await store.putText('a/b.wav', 'x', contentType, seconds(5));
    expect(later).toEqual([join(root, 'a'), join(root, 'a/.partial')]);
  });

  test('brings nothing back by which an archive folder was tried out', async () => {
    const root = folder.path(`store-${(stores += 1)}`);
    const store = makeDirectoryStore({ folder: root });
    await store.check();
    const flushed: string[] = [];
    await watchFlushes((path) => flushed.push(path));
    await store.check();
    expect(flushed).toEqual([expect.stringContaining(join(root, '.check.')), root]);
  });
});

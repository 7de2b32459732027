import { rename, stat } from 'node:fs/promises';
import { Server } from '../../../src/serve/server.ts';
import { makeMarking, markCatalogue } from '../../../src/store/catalogueMarker.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart, configTree } from '../../support/call/calls.ts';
import { catalogues, clockAt } from '../../support/catalogue/catalogues.ts';
import { archivedCall } from '../../support/retention/erasing.ts';
import { collectingLog } from '../../support/logLines.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
let places = 0;
const newFile = (): string => folder.path(`${(places += 1)}.db`);
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`stage-${(places += 1)}`), open);
const markers = async ({ store }: Pick<ArchiveStage, 'store'>): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list('catalogues/')) keys.push(key);

  return keys;
};
const mark = (ports: Parameters<typeof markCatalogue>[0], isMeant = false) => markCatalogue(ports, { isMeant, signal });
const refused = { code: 'catalogue_new' };
const configAt = (set: ArchiveStage, file: string): Config =>
  parseConfig({
    ...configTree(),
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file },
    archive: { directory: { folder: set.store.location } },
  });
const start = (config: Config, newCatalogue: boolean): Promise<void> =>
  new Server({
    config,
    log: collectingLog('info').log,
    clock: systemClock,
    ids: makeIds(),
    takeOver: false,
    newCatalogue,
  }).start();

test('an archive is marked as the one of the catalogue that begins with it, once', async () => {
  const set = await stage();
  await mark(set);
  await mark(set);
  expect(await markers(set)).toEqual([`catalogues/${await set.catalogue.file.identity()}.mark`]);
});

test('a new catalogue does not begin with the archive of another one, unless that is meant', async () => {
  const set = await stage();
  await mark(set);
  const catalogue = open(newFile(), clockAt(callStart));
  for (const other of [catalogue, undefined]) {
    await expect(mark({ catalogue: other, store: set.store })).rejects.toMatchObject(refused);
  }
  expect(await markers(set)).toHaveLength(1);
  await mark({ catalogue, store: set.store }, true);
  await mark({ catalogue, store: set.store });
  expect(await markers(set)).toHaveLength(2);
});

test('two that begin at the same time with one catalogue mark it once: the mark of the other one is its own', async () => {
  const set = await stage();
  // As when the other one stores it between two looks.
  await mark(set);
  const [own] = await markers(set);
  let looks = 0;
  const store: typeof set.store = {
    ...set.store,
    stat: (key) => (key === own && (looks += 1) === 1 ? Promise.resolve(undefined) : set.store.stat(key)),
  };
  await mark({ catalogue: set.catalogue, store });
  expect([looks, await markers(set)]).toEqual([1, [own]]);
});

test('nor with recordings from before there were marks; the catalogue that knows them is the one of them', async () => {
  const set = await stage();
  await archivedCall(set);
  const catalogue = open(newFile(), clockAt(callStart));
  await expect(mark({ catalogue, store: set.store })).rejects.toMatchObject(refused);
  await mark(set);
  expect(await markers(set)).toHaveLength(1);
});

test('a pass asks until it was seen, stores nothing where it is refused, and waits for no archive', async () => {
  const set = await stage();
  const away = makeDirectoryStore({ folder: folder.path('not-there') });
  await makeMarking({ ...set, store: away })();
  await mark(set);
  const marking = makeMarking({ catalogue: open(newFile(), clockAt(callStart)), store: set.store });
  for (let pass = 0; pass < 2; pass += 1) await expect(marking()).rejects.toMatchObject(refused);
});

test('that a new catalogue is meant is said once, also where the archive is away at that start', async () => {
  const set = await stage();
  await mark(set);
  const { location } = set.store;
  const file = newFile();
  const config = configAt(set, file);
  await rename(location, `${location}.away`);
  // Asterisk is not there.
  await expect(start(config, true)).rejects.not.toMatchObject(refused);
  await rename(`${location}.away`, location);
  expect(await markers(set)).toHaveLength(1);
  await expect(start(config, false)).rejects.not.toMatchObject(refused);
  const catalogue = open(file, clockAt(callStart));
  await makeMarking({ catalogue, store: set.store })();
  expect(await markers(set)).toContain(`catalogues/${await catalogue.file.identity()}.mark`);
  // Another archive that belongs to somebody else was not meant.
  const other = await stage();
  await mark(other);
  await expect(makeMarking({ catalogue, store: other.store })()).rejects.toMatchObject(refused);
});

test('serve refuses to begin, says how it can be meant, and leaves no new catalogue behind', async () => {
  const set = await stage();
  await mark(set);
  const at = folder.path(`unmounted-${(places += 1)}`);
  const file = `${at}/catalogue.db`;
  const config = configAt(set, file);
  await expect(start(config, false)).rejects.toMatchObject({
    ...refused,
    hint: expect.stringContaining('--new-catalogue') as string,
  });
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  // Asterisk is not there.
  await expect(start(config, true)).rejects.not.toMatchObject(refused);
  expect(await markers(set)).toHaveLength(2);
  await expect(start(config, false)).rejects.not.toMatchObject(refused);
});

import { readFile, writeFile } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../../src/store/encryption/store.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { keyringOf, newKey, onlyKeyObject } from '../../../support/archive/encryption.ts';
import { archived, erased, lines, reconciled } from '../../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

async function stage(): Promise<
  ArchiveStage & { raw: RawStore; pathOf: (key: string) => string; withoutKey: () => ArchiveStage }
> {
  const at = folder.path(`${(stages += 1)}`);
  const set = await archiveStage(at, open);
  const raw = makeDirectoryStore({ folder: `${at}/archive` });
  const store = makeEncryptedStore(raw, keyringOf(newKey()));

  return {
    ...set,
    store,
    raw,
    pathOf: (key) => `${at}/archive/${key}`,
    withoutKey: () => ({ ...set, store: makeEncryptedStore(raw, keyringOf(undefined)) }),
  };
}

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(file, bytes);
}

describe('an encrypted archive', () => {
  test('has nothing to be found where nothing is wrong: wrapped keys are no objects of their own', async () => {
    const set = await stage();
    await erased(set);
    await archived(set);
    expect(await reconciled(set, { verify: true })).toEqual({
      reconciled: { recordings: 2, files: 0, objects: 2 },
      findings: [],
    });
    // Sizes are known without a key.
    expect((await reconciled(set.withoutKey())).findings).toEqual([]);
  });

  test('with a flipped byte has an object that differs; with a local file left, that is kept', async () => {
    const set = await stage();
    const { keys, file, wav } = await archived(set);
    await flip(set.pathOf(keys.wav), 100);
    expect((await reconciled(set)).findings).toEqual([]);
    expect(lines((await reconciled(set, { verify: true })).findings)).toEqual([`objectDiffers ${keys.wav} nothing`]);
    await writeFile(file, wav);
    expect(lines((await reconciled(set, { verify: true })).findings)).toEqual([
      `objectDiffers ${keys.wav} nothing`,
      `localFileNeeded ${file} nothing`,
    ]);
    expect(await set.spooled()).toHaveLength(1);
  });

  test('that was cut off differs without a byte being read, and a lost key is told', async () => {
    const set = await stage();
    const { keys } = await archived(set);
    const whole = await readFile(set.pathOf(keys.wav));
    await writeFile(set.pathOf(keys.wav), whole.subarray(0, -1));
    expect(lines((await reconciled(set)).findings)).toEqual([`objectDiffers ${keys.wav} nothing`]);
    await writeFile(set.pathOf(keys.wav), whole);
    await writeFile(set.pathOf(await onlyKeyObject(set.raw, keys.receipt)), '{}');
    expect(lines((await reconciled(set, { verify: true })).findings)).toEqual([
      `receiptDiffers ${keys.receipt} nothing`,
    ]);
    expect(lines((await reconciled(set.withoutKey(), { verify: true })).findings)).toEqual([
      `notComparable ${keys.wav} encryption_key_missing`,
    ]);
  });
});

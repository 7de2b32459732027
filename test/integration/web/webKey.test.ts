import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { parseConfig } from '../../../src/config/load.ts';
import { openWebKey } from '../../../src/services/webKey.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let folders = 0;

function fresh(): { at: string; config: ReturnType<typeof parseConfig> } {
  const at = folder.path(`${(folders += 1)}`);

  return { at, config: parseConfig({ ...configTree(), catalogue: { file: `${at}/catalogue.db` } }) };
}

test('processes that begin at once have one key, for its owner only, which the next one reads', async () => {
  const { at, config } = fresh();
  const keys = await Promise.all(Array.from({ length: 20 }, () => openWebKey(config)));
  expect(new Set(keys).size).toBe(1);
  expect(await openWebKey(config)).toBe(keys[0]);
  expect(await readdir(at)).toEqual(['web-key']);
  expect((await stat(`${at}/web-key`)).mode & 0o777).toBe(0o600);
  await rm(`${at}/web-key`);
  expect(await openWebKey(config)).not.toBe(keys[0]);
});

test.each([
  ['that everybody can read', async (file: string) => chmod(file, 0o644)],
  ['that was cut', async (file: string) => writeFile(file, (await readFile(file, 'utf8')).slice(0, 20))],
  ['that is empty', async (file: string) => writeFile(file, '')],
  ['that is a folder', async (file: string) => rm(file).then(() => mkdir(file))],
])('a key %s is refused, and is not told', async (_, spoil) => {
  const { at, config } = fresh();
  const key = await openWebKey(config);
  await spoil(`${at}/web-key`);
  const refused = await openWebKey(config).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: 'web_key_unusable' });
  expect(String(refused)).not.toContain(key.slice(0, 8));
});

import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installPrompts } from '../../../src/prompts/install.ts';
import { loadPrompts, type PromptLibrary } from '../../../src/prompts/library.ts';
import { promptFormats } from '../../../src/prompts/soundFile.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import type { LabFolder } from '../../../lab/machine/processes.ts';
import { canMount, mounts } from '../../support/rig/mounts.ts';
import { makePromptFolder, type PromptFolder } from '../../support/policy/promptFolder.ts';
import { makePrivateFolder } from '../../support/temporaryFolder.ts';

const needsMount = canMount ? test : test.skip;
let ours: PromptFolder;
let asterisk: string;
let asteriskFolder: LabFolder;
let library: PromptLibrary;

beforeEach(async () => {
  asteriskFolder = makePrivateFolder();
  asterisk = asteriskFolder.path;
  ours = makePromptFolder();
  await ours.yaml(`
languages: { fr: { made: placeholder, voice: a }, nl: { made: placeholder, voice: b } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { fr: Bonjour, nl: Dag } }
`);
  await ours.ship('fr/notice-training', 'fr/notice');
  await ours.ship('nl/notice-training', 'nl/notice');
  library = await loadPrompts(ours.path);
});
afterEach(() => {
  ours.remove();
  asteriskFolder.remove();
});

/** toEqual would look at each byte by itself, which takes long. */
async function expectSame(file: string, bytes: Buffer): Promise<void> {
  expect({ file, same: bytes.equals(await readFile(file)) }).toEqual({ file, same: true });
}

const nameOf = (language: string): string => library.find('notice', language)?.soundName ?? 'no such prompt';

test('every format lies where Asterisk looks for the sound name, readable by all', async () => {
  const { copied, kept } = await installPrompts(library, ours.path, asterisk);
  expect(kept).toEqual([]);
  expect(copied).toEqual(
    ['fr', 'nl'].flatMap((language) =>
      promptFormats.map((format) => join(asterisk, language, `${nameOf(language)}.${format}`)),
    ),
  );
  for (const file of copied) {
    const language = file.startsWith(join(asterisk, 'fr')) ? 'fr' : 'nl';
    const format = file.slice(file.lastIndexOf('.') + 1);
    await expectSame(file, await readFile(join(ours.path, language, `notice.${format}`)));
    expect((await stat(file)).mode & 0o7777).toBe(0o644);
  }
  expect((await stat(join(asterisk, 'fr', 'preavis'))).mode & 0o7777).toBe(0o755);
});

test('a strict umask does not hide the sounds from Asterisk', async () => {
  const before = process.umask(0o077);
  try {
    const { copied } = await installPrompts(library, ours.path, asterisk);
    expect((await stat(copied[0] ?? '')).mode & 0o7777).toBe(0o644);
    expect((await stat(join(asterisk, 'fr'))).mode & 0o7777).toBe(0o755);
  } finally {
    process.umask(before);
  }
});

test('a second run touches nothing', async () => {
  const { copied } = await installPrompts(library, ours.path, asterisk);
  const longAgo = new Date('2020-01-01T00:00:00Z');
  for (const file of copied) await utimes(file, longAgo, longAgo);
  expect(await installPrompts(library, ours.path, asterisk)).toEqual({ copied: [], kept: copied });
  for (const file of copied) expect((await stat(file)).mtime).toEqual(longAgo);
});

test('a damaged file is replaced', async () => {
  const { copied } = await installPrompts(library, ours.path, asterisk);
  const [first = ''] = copied;
  const whole = await readFile(first);
  await writeFile(first, whole.subarray(0, 100));
  expect((await installPrompts(library, ours.path, asterisk)).copied).toEqual([first]);
  await expectSame(first, whole);
});

test('an older version stays beside the new one, because receipts name it', async () => {
  await installPrompts(library, ours.path, asterisk);
  const older = nameOf('fr');
  await ours.ship('fr/notice-agreement', 'fr/notice');
  library = await loadPrompts(ours.path);
  await installPrompts(library, ours.path, asterisk);
  expect(nameOf('fr')).not.toBe(older);
  expect(await readdir(join(asterisk, 'fr', 'preavis'))).toHaveLength(2 * promptFormats.length);
  expect((await stat(join(asterisk, 'fr', `${older}.wav`))).isFile()).toBe(true);
});

test('nothing but the sounds is left behind', async () => {
  await installPrompts(library, ours.path, asterisk);
  const names = await readdir(asterisk, { recursive: true });
  expect(names.filter((name) => name.includes('tmp'))).toEqual([]);
});

test('only the languages asked for are installed', async () => {
  await installPrompts(library, ours.path, asterisk, ['nl']);
  expect(await readdir(asterisk)).toEqual(['nl']);
});

test('a language without prompts is refused before anything is copied', async () => {
  await expect(installPrompts(library, ours.path, asterisk, ['nl', 'es'])).rejects.toMatchObject({
    code: 'usage',
    message: 'There are no prompts in es',
  });
  expect(await readdir(asterisk)).toEqual([]);
});

test('a language folder of a package, even a link, is used as it is', async () => {
  await mkdir(join(asterisk, 'fr_CA_f_June'), { mode: 0o750 });
  await chmod(join(asterisk, 'fr_CA_f_June'), 0o750);
  await symlink('fr_CA_f_June', join(asterisk, 'fr'));
  await installPrompts(library, ours.path, asterisk, ['fr']);
  expect(await readdir(join(asterisk, 'fr_CA_f_June'))).toEqual(['preavis']);
  expect((await stat(join(asterisk, 'fr'))).mode & 0o7777).toBe(0o750);
});

test('a format that is not there is left out', async () => {
  await rm(join(ours.path, 'fr/notice.g722'));
  const { copied } = await installPrompts(library, ours.path, asterisk, ['fr']);
  expect(copied).toHaveLength(promptFormats.length - 1);
});

test('an old voice left beside a new WAV is refused, because Asterisk would play it', async () => {
  await ours.ship('fr/notice-both', 'fr/notice', ['wav']);
  library = await loadPrompts(ours.path);
  const refused = expect(installPrompts(library, ours.path, asterisk)).rejects;
  await refused.toMatchObject({ code: 'prompts_invalid' });
  await refused.toThrow('fr/notice.alaw');
  expect(await readdir(asterisk)).toEqual([]);
});

test('another sound under a name that receipts may hold already is never overwritten', async () => {
  await installPrompts(library, ours.path, asterisk, ['fr']);
  const target = join(asterisk, 'fr', `${nameOf('fr')}.alaw`);
  const played = await readFile(target);
  // Says the same: every check takes it.
  await ours.write('fr/notice.alaw', nearly(played));
  const refused = expect(installPrompts(library, ours.path, asterisk)).rejects;
  await refused.toMatchObject({ code: 'prompts_invalid' });
  await refused.toThrow(target);
  await expectSame(target, played);
  expect(await readdir(asterisk)).toEqual(['fr']);
});

test('a format that came later is added to those under the name', async () => {
  const file = join(ours.path, 'fr/notice.alaw');
  const bytes = await readFile(file);
  await rm(file);
  await installPrompts(library, ours.path, asterisk, ['fr']);
  await writeFile(file, bytes);
  const { copied } = await installPrompts(library, ours.path, asterisk, ['fr']);
  expect(copied).toEqual([join(asterisk, 'fr', `${nameOf('fr')}.alaw`)]);
});

/** Another last sample, by one step of the A-law scale, which nobody hears. */
function nearly(alaw: Buffer): Buffer {
  const copy = Buffer.from(alaw);
  copy.writeUInt8((copy.at(-1) ?? 0) ^ 1, copy.length - 1);

  return copy;
}

test('a missing sounds folder is named', async () => {
  const gone = join(asterisk, 'gone');
  await expect(installPrompts(library, ours.path, gone)).rejects.toMatchObject({
    code: 'usage',
    message: `There is no folder ${gone}`,
  });
});

test('a sounds folder that is a file is named', async () => {
  const file = join(asterisk, 'sounds');
  await writeFile(file, '');
  await expect(installPrompts(library, ours.path, file)).rejects.toMatchObject({
    message: `There is no folder ${file}`,
  });
});

describe('what cannot be installed whole', () => {
  const mount = mounts();

  /** Every path below the folder, with what it holds. */
  async function contents(): Promise<Record<string, string>> {
    const names = await readdir(asterisk, { recursive: true });
    const held = names.map(async (name): Promise<[string, string]> => {
      const path = join(asterisk, name);
      const entry = await lstat(path);
      if (entry.isSymbolicLink()) return [name, await readlink(path)];

      return [name, entry.isFile() ? sha256Of(await readFile(path)) : 'a folder'];
    });

    return Object.fromEntries(await Promise.all(held));
  }

  const refused = async (): Promise<unknown> =>
    installPrompts(library, ours.path, asterisk).catch((error: unknown) => error);

  test.each([
    [
      'a language folder that is a link to nowhere',
      '/nowhere/nl',
      'nl',
      /nl \(a link to \/nowhere\/nl, which is not there\)$/,
    ],
    [
      'our own folder that is a link to nowhere',
      '/nowhere/ours',
      'nl/preavis',
      /nl\/preavis \(a link to .*, which is not there\)$/,
    ],
    ['a link to itself', 'nl', 'nl', /nl \(a link to nl, which is not there\)$/],
  ])('is left out whole and named: %s', async (_, target, link, message) => {
    await mkdir(join(asterisk, 'de'));
    await writeFile(join(asterisk, 'de/hello.wav'), 'of the operator');
    if (link.includes('/')) await mkdir(join(asterisk, dirname(link)));
    await symlink(target, join(asterisk, link));
    const before = await contents();
    expect(await refused()).toMatchObject({
      code: 'prompts_missing',
      message: expect.stringMatching(message) as string,
      hint: 'Mend or remove that path, then run it again.',
    });
    expect(await contents()).toEqual(before);
  });

  test('a file where a folder must be is named', async () => {
    await writeFile(join(asterisk, 'nl'), '');
    expect(await refused()).toMatchObject({
      code: 'prompts_missing',
      message: `Nothing was copied: ${join(asterisk, 'nl')} (it is not a folder)`,
    });
    expect(await readdir(asterisk)).toEqual(['nl']);
  });

  test('a folder where a sound must be is named', async () => {
    const path = join(asterisk, 'nl', `${nameOf('nl')}.wav`);
    await mkdir(path, { recursive: true });
    expect(await refused()).toMatchObject({ code: 'prompts_missing', message: `Nothing was copied: ${path} (EISDIR)` });
    expect(await readdir(asterisk)).toEqual(['nl']);
  });

  needsMount('a disk that fills up gets nothing, and keeps what it had', async () => {
    await mkdir(join(asterisk, 'nl'));
    await mount('-t', 'tmpfs', '-o', 'size=64k', 'preavis-test', join(asterisk, 'nl'));
    await writeFile(join(asterisk, 'nl/hello.wav'), 'of the operator');
    const before = await contents();
    expect(await refused()).toMatchObject({
      code: 'prompts_missing',
      message: expect.stringMatching(/^Nothing was copied: .*\/nl\/preavis\/notice-.* \(ENOSPC\)$/) as string,
      hint: expect.stringContaining('Free space') as string,
    });
    expect(await contents()).toEqual(before);
  });

  needsMount('a read-only disk is named', async () => {
    await mkdir(join(asterisk, 'nl'));
    const disk = await mount('-t', 'tmpfs', '-o', 'size=4m', 'preavis-test', join(asterisk, 'nl'));
    await disk.remount('ro');
    expect(await refused()).toMatchObject({
      code: 'prompts_missing',
      message: expect.stringMatching(/^Nothing was copied: .*\(EROFS\)$/) as string,
      hint: expect.stringContaining('read-only') as string,
    });
    expect(await readdir(asterisk)).toEqual(['nl']);
  });

  needsMount('by its last file takes back those before it, also what it has replaced', async () => {
    await installPrompts(library, ours.path, asterisk);
    const [first, last] = [join(asterisk, 'fr', nameOf('fr')), join(asterisk, 'nl', `${nameOf('nl')}.wav`)];
    await writeFile(`${first}.wav`, 'damaged');
    await rm(`${first}.alaw`);
    await writeFile(join(asterisk, 'other'), 'other bytes');
    // A file that something is mounted over cannot be replaced.
    await mount('--bind', join(asterisk, 'other'), last);
    const before = await contents();
    expect(await refused()).toMatchObject({
      code: 'prompts_missing',
      message: `Nothing was copied: ${last} (EBUSY)`,
    });
    expect(await contents()).toEqual(before);
  });
});

test('what a killed run has left is taken away', async () => {
  await mkdir(join(asterisk, '.preavis-install-999999999/fr'), { recursive: true });
  await mkdir(join(asterisk, `.preavis-install-${process.ppid}`));
  await installPrompts(library, ours.path, asterisk);
  // Another run may be under way.
  expect((await readdir(asterisk)).sort()).toEqual([`.preavis-install-${process.ppid}`, 'fr', 'nl']);
  // Killed behind its last file: nothing is left to be placed.
  await mkdir(join(asterisk, 'fr/preavis/.preavis-install-999999999'));
  expect(await installPrompts(library, ours.path, asterisk)).toMatchObject({ copied: [] });
  expect(await readdir(join(asterisk, 'fr/preavis'))).not.toContain('.preavis-install-999999999');
});

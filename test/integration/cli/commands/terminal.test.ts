import { mkdir, stat, writeFile } from 'node:fs/promises';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { configTree } from '../../../support/call/calls.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { runOnTerminal } from '../../../support/terminal.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;

type Place = { set: ArchiveStage; id: string; file: string; wav: Buffer; with: (...args: string[]) => string[] };

/** One recording, archived; due since yesterday. */
async function place(): Promise<Place> {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);
  const set = await archiveStage(at, open);
  const tree = {
    ...configTree(),
    catalogue: { file: `${at}/catalogue.db` },
    archive: { directory: { folder: `${at}/archive` } },
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
  };
  await writeFile(`${at}/preavis.yaml`, JSON.stringify(tree), { mode: 0o600 });
  const { id, file, wav } = await set.finished(undefined, { keepDays: 28 });
  const args = (...words: string[]): string[] => [...words, '--config', `${at}/preavis.yaml`];
  expect(await runCommand(args('upload'))).toMatchObject({ code: 0 });
  const database = openSqlite(tree.catalogue.file);
  const yesterday = Date.now() - 86_400_000;
  database.prepare('UPDATE recording_purposes SET keep_until = ?').run(yesterday);
  database.prepare('UPDATE recordings SET keep_until = ?').run(yesterday);
  database.close();

  return { set, id, file, wav, with: args };
}

const statusOf = async ({ set, id }: Place): Promise<string | undefined> =>
  (await set.catalogue.recordings.find(id))?.status;

describe('retention run', () => {
  test('on a terminal says what it would erase and asks; nothing is changed without a yes', async () => {
    const here = await place();
    const before = await here.set.catalogue.passes.last('retention');
    for (const answer of ['n\r', '\r', 'maybe\r', '\u0004']) {
      const { code, shown } = await runOnTerminal(here.with('retention', 'run'), [answer]);
      expect(shown).toMatch(new RegExp(`RECORDING +KEPT UNTIL .*\n${here.id} .* due\n1 recording is due\n`));
      expect(shown).toContain('Erase 1 recording? It cannot be undone. [y/N]');
      expect(shown).toMatch(/nothing was changed\n$/);
      expect(code).toBe(3);
    }
    const { code, shown } = await runOnTerminal(here.with('retention', 'run'), ['\u0003']);
    expect([code, shown]).toEqual([1, expect.stringContaining('interrupted: nothing was changed')]);
    expect([await statusOf(here), await here.set.catalogue.passes.last('retention')]).toEqual(['archived', before]);
  });

  test('on a terminal erases after a yes, with a progress bar', async () => {
    const here = await place();
    const { code, shown } = await runOnTerminal(here.with('retention', 'run'), ['y\r']);
    expect(shown).toMatch(/progress \[=+\] 100% .* 1\/1/);
    expect(shown).toContain('1 due, 1 erased');
    expect([code, await statusOf(here)]).toEqual([0, 'erased']);
    const nothing = await runOnTerminal(here.with('retention', 'run'));
    expect([nothing.code, nothing.shown]).toEqual([0, expect.stringContaining('0 due, 0 erased')]);
    expect(nothing.shown).not.toContain('[y/N]');
  });

  test.each([[['--yes']], [['--json']]])('on a terminal with %j asks nothing', async (flags) => {
    const here = await place();
    const { code, shown } = await runOnTerminal(here.with('retention', 'run', ...flags));
    expect(shown).not.toContain('[y/N]');
    expect([code, await statusOf(here)]).toEqual([0, 'erased']);
  });

  test('in a pipe asks nothing, and shows no bar', async () => {
    const here = await place();
    const { code, stdout, stderr } = await runCommand(here.with('retention', 'run'));
    expect([code, stderr, await statusOf(here)]).toEqual([0, '', 'erased']);
    expect(stdout).toMatch(/\n1 due, 1 erased\n$/);
  });
});

describe('recordings reconcile', () => {
  test('on a terminal says what it would repair and asks first', async () => {
    const here = await place();
    await writeFile(here.file, here.wav);
    const reconcile = here.with('recordings', 'reconcile');
    const left = await runOnTerminal(reconcile, ['n\r']);
    expect(left.shown).toMatch(/\n {2}would be repaired: remove the file\n/);
    expect([left.code, left.shown]).toEqual([
      3,
      expect.stringMatching(/Repair 1 finding\? [^]*nothing was changed\n$/),
    ]);
    expect((await stat(here.file)).isFile()).toBe(true);
    const done = await runOnTerminal(reconcile, ['yes\r']);
    expect([done.code, done.shown]).toEqual([0, expect.stringContaining('1 found, 1 repaired')]);
    await expect(stat(here.file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('on a terminal is a pass, too, where nothing is to be repaired; a dry run is none', async () => {
    const here = await place();
    const doneAt = async (): Promise<number | undefined> => (await here.set.catalogue.passes.times('reconcile')).doneAt;
    await runOnTerminal(here.with('recordings', 'reconcile', '--dry-run'));
    expect(await doneAt()).toBeUndefined();
    const { code, shown } = await runOnTerminal(here.with('recordings', 'reconcile'));
    expect([code, shown]).toEqual([0, expect.stringContaining('nothing found')]);
    expect(await doneAt()).toBeDefined();
  });

  test('in a pipe repairs at once, as with --yes on a terminal', async () => {
    const here = await place();
    const reconcile = here.with('recordings', 'reconcile');
    await writeFile(here.file, here.wav);
    expect(await runCommand(reconcile)).toMatchObject({ code: 0, stderr: '' });
    await writeFile(here.file, here.wav);
    const { code, shown } = await runOnTerminal([...reconcile, '--yes']);
    expect([code, shown]).toEqual([0, expect.not.stringContaining('[y/N]')]);
  });
});

test('upload has a progress bar on a terminal and none in a pipe', async () => {
  const here = await place();
  await here.set.finished();
  const { code, shown } = await runOnTerminal(here.with('upload'));
  expect([code, shown]).toEqual([0, expect.stringMatching(/progress \[=+\] 100% .* 1\/1[^]*1 recording sent/)]);
  await here.set.finished();
  expect(await runCommand(here.with('upload'))).toMatchObject({ code: 0, stderr: '' });
});

test('a pipe gets the same table as a terminal, with the times of the zone', async () => {
  const here = await place();
  const list = here.with('recordings', 'list');
  const { shown } = await runOnTerminal(list);
  const piped = await runCommand(list, { TZ: 'Europe/Brussels' });
  expect(piped.stdout).toBe(shown);
  expect(shown).toMatch(/^RECORDING +STATUS +STARTED \+02:00 .*\n\S+ +archived +2026-08-24 12:00:\d\d /);
  expect((await runCommand(list, { TZ: 'America/St_Johns' })).stdout).toMatch(
    /STARTED -02:30 .*\n.* 2026-08-24 07:30:\d\d /,
  );
});

test('times on both sides of a change of the clock say the zone each', async () => {
  const here = await place();
  await here.set.finished();
  const database = openSqlite(here.with().at(-1)?.replace('preavis.yaml', 'catalogue.db') ?? '');
  database.prepare('UPDATE recordings SET started_at = ? WHERE id = ?').run(Date.UTC(2026, 10, 24, 10), here.id);
  database.close();
  const { stdout } = await runCommand(here.with('recordings', 'list'), { TZ: 'Europe/Brussels' });
  expect(stdout).toMatch(/STARTED {2,}/);
  expect(stdout).toContain('2026-11-24 11:00:00 +01:00');
  expect(stdout).toMatch(/2026-08-24 12:00:\d\d \+02:00/);
  const day = async (name: string): Promise<string> =>
    (await runCommand(here.with('recordings', 'list', '--day', name), { TZ: 'Europe/Brussels' })).stdout;
  expect(await day('2026-11-24')).toContain(here.id);
  expect((await day('2026-08-24')).split('\n')).toHaveLength(3);
  expect(await day('2026-08-25')).toBe('no recordings\n');
});

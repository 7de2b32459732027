import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, rmdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makeLabFolder, type LabFolder } from '../../../lab/machine/processes.ts';
import { makeCallerHash, makePreferences } from '../../../src/call/plan/preferences.ts';
import { installedVersion } from '../../../src/core/installation.ts';
import { requestFailed } from '../../../src/catalogue/retention/auditTrail.ts';
import { erasureFailed } from '../../../src/retention/pass.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';

import { configTree, eventsTo } from '../../support/call/calls.ts';
import { catalogues, servedLast } from '../../support/catalogue/catalogues.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = temporaryFolder();
const open = catalogues();

/**
 * The package as it is installed: a copy of what its own build made, which `npm test` keeps current, apart from sources, so that it can
 * need none of them. Below node_modules, so that its dependencies are found.
 */
let folderBelow: LabFolder | undefined;
let installed = '';
beforeAll(async () => {
  folderBelow = makeLabFolder(join(root, 'node_modules', '.cache'), `preavis-lab-commands-${process.pid}`);
  installed = folderBelow.path;
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  for (const name of ['package.json', 'sounds', 'texts']) await symlink(join(root, name), join(installed, name));
});
afterAll(() => {
  folderBelow?.remove();
});

type Run = { code: number; stdout: string; stderr: string };

/** The command itself, in a process of its own. */
function preavis(args: readonly string[], environment: NodeJS.ProcessEnv = {}, input = ''): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(installed, 'dist', 'main.js'), ...args],
      { cwd: folder.path(), env: { PATH: process.env['PATH'], ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    // A command that reads nothing may be over before this is written.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

let places = 0;
async function place(change: Record<string, unknown> = {}): Promise<{ config: string; set: ArchiveStage; at: string }> {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);
  const set = await archiveStage(at, open);
  const config = join(at, 'preavis.yaml');
  const tree = {
    ...configTree(),
    ari: { url: 'http://127.0.0.1:9', password: 'zebra', requestTimeoutMs: 500 },
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: join(at, 'catalogue.db') },
    archive: { directory: { folder: join(at, 'archive') } },
    ...change,
  };
  await writeFile(config, JSON.stringify(tree), { mode: 0o600 });

  return { config, set, at };
}

/** A line that names where in the code something was thrown. */
const stackTrace = /^\s+at .*:\d+:\d+\)?$/m;

/** One line with the code and what is wrong, and perhaps one that says what to do. */
function expectRefusal(run: Run, exitCode: number, errorCode: string): void {
  expect(run).toMatchObject({ code: exitCode, stdout: '' });
  expect(run.stderr).toMatch(new RegExp(`^preavis: ${errorCode}: .+\\n( {2}.+\\n)?$`));
  expect(run.stderr).not.toMatch(stackTrace);
}

describe('the help', () => {
  test('names every command that there is, and the exit codes', async () => {
    const { code, stdout } = await preavis(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'web', 'check', 'upload', 'retention', 'recordings', 'evidence', 'prompts']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done');
  });

  test('of a group names its commands', async () => {
    const { code, stdout } = await preavis(['recordings', '--help']);
    expect(code).toBe(0);
    for (const command of ['list', 'show', 'fetch', 'reconcile'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  });

  test.each([
    ['recordings', 'list'],
    ['recordings', 'fetch'],
    ['recordings', 'reconcile'],
    ['evidence', 'bundle'],
    ['evidence', 'verify'],
    ['calls', 'receipt'],
    ['calls', 'pause'],
    ['calls', 'resume'],
    ['calls', 'record'],
    ['calls', 'erase'],
    ['calls', 'agreement'],
    ['calls', 'exemplary'],
    ['purposes', 'register'],
    ['users', 'hash'],
    ['users', 'totp'],
    ['users', 'token'],
    ['users', 'list'],
    ['users', 'may'],
    ['users', 'code'],
    ['users', 'sign-out'],
    ['papers'],
    ['catalogue', 'move'],
    ['certificates', 'show'],
    ['certificates', 'export'],
    ['prompts', 'check'],
    ['dialplan', 'lint'],
  ])('of %s %s has the exit codes and --json', async (...args) => {
    const { code, stdout, stderr } = await preavis([...args, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: preavis ${args.join(' ')}`);
    expect(stdout).toContain('--json');
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done');
  });

  test.each<[string[], string[]]>([
    [
      ['recordings', 'hold'],
      ['--ground', '--reason', '--until'],
    ],
    [
      ['recordings', 'fetch'],
      ['--purpose', '-o, --output'],
    ],
    [['evidence', 'bundle'], ['-o, --output']],
    [['certificates', 'export'], ['-o, --output']],
    [['subject', 'export'], ['-o, --output']],
    [['subject', 'erase'], []],
    [['prompts', 'install'], ['--to']],
    [['recordings', 'list'], []],
  ])('of %j marks the options that it cannot do without, and no others: %j', async (args, required) => {
    const { stdout } = await preavis([...args, '--help']);
    // An option begins with its flags; what it is goes on in the lines below.
    const [, options = ''] = stdout.split('Options:\n');
    const marked = options.split(/\n(?= {2}-)/).filter((option) => /\(required\)\s*(\n\n|$)/.test(option));
    expect(marked.map((option) => option.trim().replace(/ <.*/s, ''))).toEqual(required);
  });

  test('and the version are on standard output', async () => {
    expect(await preavis(['--version'])).toMatchObject({
      code: 0,
      stdout: `${installedVersion()}\n`,
      stderr: '',
    });
  });
});

describe('bad usage', () => {
  test.each<[string, string[], string]>([
    ['an unknown command', ['record'], 'record'],
    ['an unknown command of a group', ['recordings', 'burn'], 'burn'],
    ['an unknown option', ['upload', '--fast'], '--fast'],
    ['a misspelt option', ['serve', '--takeover'], "'--takeover' (Did you mean --take-over?)"],
    ['a missing value', ['prompts', 'install'], '--to <folder> is missing'],
    ['a missing id', ['recordings', 'show'], 'id'],
    ['nobody to forget', ['languages', 'forget'], 'one of --number and --all'],
    [
      'somebody and everybody to forget',
      ['languages', 'forget', '--all', '--number', '-'],
      'one of --number and --all',
    ],
    ['no purpose', ['recordings', 'fetch', 'ID', '-o', 'a.wav'], '--purpose <purpose> is missing'],
    [
      'a purpose that is none',
      ['recordings', 'fetch', 'ID', '-o', 'a.wav', '--purpose', 'A b'],
      '--purpose is the name',
    ],
    ['no file', ['recordings', 'fetch', 'ID', '--purpose', 'training'], '--output <file> is missing'],
    ['no name of a file', ['recordings', 'fetch', 'ID', '--purpose', 'training', '-o', '-'], '--output is the name'],
    ['an argument too many', ['serve', 'now'], 'argument'],
    ['a status that is none', ['recordings', 'list', '--status', 'gone'], '--status is one of'],
    ['a limit that is none', ['recordings', 'list', '--limit', '0'], '--limit is a number'],
    ['no command', [], 'command'],
    ['a group without its command', ['recordings'], 'command'],
  ])('is refused with exit code 2: %s', async (_, args, named) => {
    const run = await preavis(args);
    expectRefusal(run, 2, 'usage');
    expect(run.stderr).toContain(named);
  });
});

test.each([
  [['+32475123456']],
  [['languages', '+32 475 12 34 56']],
  [['languages', 'forget', '+32475123456']],
  [['languages', 'forget', '--numbr=0475123456']],
  [['languages', 'forget', '--all=0475/12.34.56']],
])('a telephone number in a wrong place is not told back: %j', async (args) => {
  const run = await preavis(args);
  expectRefusal(run, 2, 'usage');
  expect(run.stderr.replace(/[^0-9]/g, '')).not.toContain('475');
});

test('a sounds folder that is not there is bad usage, and its name is told', async () => {
  const { config } = await place();
  const run = await preavis(['prompts', 'install', '--to', '/nowhere/sounds', '--config', config]);
  expectRefusal(run, 2, 'usage');
  expect(run.stderr).toContain('There is no folder /nowhere/sounds\n  Name Asterisk');
});

describe('a configuration that cannot be used', () => {
  test('because it is missing is refused with its path', async () => {
    const run = await preavis(['upload'], { PREAVIS_CONFIG: '/nowhere/preavis.yaml' });
    expectRefusal(run, 2, 'config_unreadable');
    expect(run.stderr).toContain('/nowhere/preavis.yaml cannot be read (ENOENT)');
  });

  test.each([['serve'], ['web'], ['check'], ['upload'], ['retention', 'run'], ['recordings', 'list']])(
    'because of an unknown key is refused by %s %s with the key',
    async (...args) => {
      const { config } = await place({ colour: 'red' });
      const run = await preavis([...args, '--config', config]);
      expectRefusal(run, 2, 'config_invalid');
      expect(run.stderr).toContain('colour: no such key');
    },
  );

  test('because of a misspelt variable is refused with its name', async () => {
    const { config } = await place();
    const run = await preavis(['--config', config, 'upload'], { PREAVIS_ARI_PASWORD: 'zebra' });
    expectRefusal(run, 2, 'config_invalid');
    expect(run.stderr).toContain('PREAVIS_ARI_PASWORD');
    expect(run.stderr).not.toContain('zebra');
  });

  test('because it contradicts the prompts is refused by serve', async () => {
    const { purposes } = configTree() as { purposes: Record<string, unknown> };
    const { config } = await place({
      purposes: { ...purposes, spare: purposes['training'] },
      lines: { default: { purposes: ['spare'], defaultLanguages: ['fr'] } },
    });
    const run = await preavis(['serve', '--config', config]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('there is no notice for spare in fr');
    expect(run.stderr).not.toMatch(stackTrace);
  });
});

describe('an error with --json', () => {
  test.each<[string, string[], number, string]>([
    ['a configuration that is missing', ['recordings', 'list'], 2, 'config_unreadable'],
    ['an unknown option', ['upload', '--fast'], 2, 'usage'],
    ['a missing value', ['prompts', 'install'], 2, 'usage'],
    ['a receipt', ['calls', 'receipt', '01ARZ3NDEKTSV4RRFFQ69G5FAV'], 2, 'config_unreadable'],
    ['a serve that cannot start', ['serve'], 2, 'config_unreadable'],
  ])('is one JSON object on standard error: %s', async (_, args, exitCode, errorCode) => {
    const run = await preavis([...args, '--json'], { PREAVIS_CONFIG: '/nowhere/preavis.yaml' });
    expect(run).toMatchObject({ code: exitCode, stdout: '' });
    expect(run.stderr).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(run.stderr)).toEqual({
      error: {
        code: errorCode,
        message: expect.stringMatching(/./) as string,
        hint: expect.stringMatching(/\.$/) as string,
      },
    });
  });
});

describe('a catalogue that is missing', () => {
  test.each([
    ['recordings', 'list'],
    ['recordings', 'show', '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ['recordings', 'reconcile'],
    ['upload'],
    ['retention', 'run'],
  ])('is refused and not made by %s %s', async (...args) => {
    const file = folder.path('none/catalogue.db');
    const { config } = await place({ catalogue: { file } });
    const run = await preavis([...args, '--config', config]);
    expectRefusal(run, 1, 'catalogue_unusable');
    expect(run.stderr).toContain(`${file} does not exist`);
  });
});

describe('recordings', () => {
  test('are listed as one documented object', async () => {
    const { config, set } = await place();
    const { id } = await set.finished();
    const { code, stdout, stderr } = await preavis(['recordings', 'list', '--json', '--config', config]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      recordings: [
        {
          id,
          status: 'recorded',
          startedAt: '2026-08-24T10:00:20.000Z',
          durationMs: 1_000,
          bytes: 16_044,
          line: 'default',
          controller: null,
          dialled: null,
          pbx: null,
          purposes: ['training'],
          languages: ['fr'],
          keepUntil: '2026-09-21T10:01:20.010Z',
          purposeEnds: [{ purpose: 'training', keepUntil: '2026-09-21T10:01:20.010Z', inForce: false }],
          objectKey: null,
          // The recorder of this call ran for a minute.
          held: false,
          erasureDecided: null,
          exemplary: false,
          flags: ['shorter_than_expected'],
          failure: null,
          attempts: 0,
          nextAttemptAt: null,
        },
      ],
    });
  });

  test('that the archive did not take are listed with the reason, how often, and when it is tried again', async () => {
    const { config, set } = await place();
    const { id } = await set.finished();
    for (let count = 0; count < 3; count += 1) {
      await set.catalogue.recordings.postpone(id, Date.parse('2026-08-24T12:00:00Z'), 'archive_mismatch');
    }
    const list = (...args: string[]) => preavis(['recordings', 'list', '--config', config, ...args]);
    const [json, people] = await Promise.all([list('--json'), list()]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      recordings: [
        {
          status: 'recorded',
          failure: 'archive_mismatch',
          attempts: 3,
          nextAttemptAt: '2026-08-24T12:00:00.000Z',
        },
      ],
    });
    expect(people.stdout.replace(/\s+/g, ' ')).toContain(`${id} recorded `);
    expect(people.stdout).toMatch(/\(archive_/);
    expect(people.stdout).toMatch(/3 +attempts\)|3 attempts\)|attempts\)/);
  });

  test('are listed as a table for people, by status and up to a limit', async () => {
    const { config, set } = await place();
    const { id } = await set.finished();
    await set.recorded(undefined, { until: 'talking' });
    const list = (...args: string[]) => preavis(['recordings', 'list', '--config', config, ...args]);
    const [all, some, one] = await Promise.all([list(), list('--status', 'recorded'), list('--limit', '1')]);
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(some.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(some.stdout).toMatch(new RegExp(`^RECORDING.*\\n${id}  recorded `));
    expect(one.stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('that are none are said to be none', async () => {
    const { config } = await place();
    expect(await preavis(['recordings', 'list', '--config', config])).toMatchObject({
      code: 0,
      stdout: 'no recordings\n',
    });
  });

  test('are shown with the notice that was heard and every step', async () => {
    const { config, set } = await place();
    const { id } = await set.finished();
    const show = (...args: string[]) => preavis(['recordings', 'show', id, '--config', config, ...args]);
    const [json, people] = await Promise.all([show('--json'), show()]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      gapMs: 16_980,
      notice: [{ verified: true }, { verified: true }],
      audit: [{ to: 'recording' }, { to: 'recorded' }],
    });
    expect(people.stdout).toContain('heard whole');
    expect(people.stdout).toContain('recording -> recorded');
    expect(json.stdout + people.stdout).not.toContain('PJSIP');
  });

  test.each(['01ARZ3NDEKTSV4RRFFQ69G5FAV', '../../etc/passwd', "' OR 1=1 --"])(
    'that do not exist are refused, and the id is not repeated: %s',
    async (id) => {
      const { config } = await place();
      const run = await preavis(['recordings', 'show', id, '--config', config]);
      expectRefusal(run, 2, 'recording_unknown');
      expect(run.stderr).not.toContain(id);
    },
  );
});

describe('recordings fetch', () => {
  /** Kept for ten years, whatever the day on which this runs. */
  const long = { keepDays: 3_653 };

  test('makes the file, prints one object or says who may listen, and shows in the history', async () => {
    const { config, set, at } = await place();
    const { id, wav } = await set.finished(undefined, long);
    const fetch = (file: string, ...args: string[]) =>
      preavis(['recordings', 'fetch', id, '--purpose', 'training', '-o', join(at, file), '--config', config, ...args], {
        SUDO_USER: 'alice',
      });
    const json = await fetch('json.wav', '--json');
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const sha256 = createHash('sha256').update(wav).digest('hex');
    expect(JSON.parse(json.stdout)).toEqual({
      id,
      purpose: 'training',
      keepUntil: '2036-08-24T10:01:20.010Z',
      mayListen: [],
      from: 'spool',
      file: join(at, 'json.wav'),
      bytes: wav.length,
      sha256,
      durationMs: 1_000,
    });
    expect((await readFile(join(at, 'json.wav'))).equals(wav)).toBe(true);
    const people = await fetch('people.wav');
    expect(people.stdout).toMatch(
      /^16044 bytes from the spool to .*people\.wav, as they were finished \(SHA-256 [0-9a-f]{64}\)\nfor training, until 2036-08-24 .*\nwho may listen, by the register of processing: nobody is named\n$/,
    );
    const { stdout } = await preavis(['recordings', 'show', id, '--config', config]);
    expect(stdout).toMatch(
      new RegExp(`fetched  training  \\(user ${userInfo().username},.* not proved: .*sudo from alice\\)`),
    );
  });

  test('replaces a file only by --force, and writes nothing down when it does not', async () => {
    const { config, set, at } = await place();
    const { id } = await set.finished(undefined, long);
    const file = join(at, 'out.wav');
    await writeFile(file, 'mine');
    const args = ['recordings', 'fetch', id, '--purpose', 'training', '-o', file, '--config', config];
    const refused = await preavis(args);
    expectRefusal(refused, 2, 'usage');
    expect(refused.stderr).toContain('--force');
    expect((await set.catalogue.auditTrail.of(id)).map(({ event }) => event)).not.toContain('fetch begun');
    expect((await preavis([...args, '--force'])).code).toBe(0);
    expect((await stat(file)).size).toBe(16_044);
  });

  test('is refused with the exit codes of the list of errors, and says so as JSON', async () => {
    const { config, set, at } = await place();
    const { id } = await set.finished(undefined, long);
    const { id: over } = await set.finished(undefined, { keepDays: 0 });
    const fetch = (of: string, purpose: string, ...args: string[]) =>
      preavis(['recordings', 'fetch', of, '--purpose', purpose, '-o', join(at, 'a'), '--config', config, ...args]);
    expectRefusal(await fetch(id, 'agreement'), 2, 'purpose_foreign');
    expectRefusal(await fetch('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'training'), 2, 'recording_unknown');
    if (Date.now() > Date.UTC(2026, 7, 24, 10, 1, 20, 10)) {
      expectRefusal(await fetch(over, 'training'), 1, 'purpose_over');
      const { code, stdout, stderr } = await fetch(over, 'training', '--json');
      expect([code, stdout]).toEqual([1, '']);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'purpose_over' } });
    }
    expect(await readdir(at)).not.toContain('a');
  });
});

describe('languages forget', () => {
  const hashKey = 'k'.repeat(32);
  const withKey = { privacy: { hashKey } };
  /** The catalogue of a place in which these numbers have chosen. */
  async function chosen(...numbers: string[]): ReturnType<typeof place> {
    const made = await place(withKey);
    const table = made.set.catalogue.preferences;
    const clock = { now: () => Date.now() };
    const preferences = makePreferences({ table, hashKey, keepDays: 30, defaultCountry: 'BE', clock });
    for (const number of numbers) await preferences.remember(number, 'nl');

    return made;
  }
  const forget = (config: string, args: string[], input?: string) =>
    preavis(['languages', 'forget', '--json', '--config', config, ...args], {}, input);

  test('takes the number from standard input, in any form, and prints how many it forgot', async () => {
    const { config } = await chosen('+32475123456', '+3292661234');
    expect(await forget(config, ['--number', '-'], '0475 12 34 56\n')).toEqual({
      code: 0,
      stdout: '{\n  "forgotten": 1,\n  "unsearchedKeys": [],\n  "logEmptied": true,\n  "copyFailure": null\n}\n',
      stderr: '',
    });
    expect(await forget(config, ['--number', '-'], '0475 12 34 56')).toMatchObject({
      code: 0,
      stdout: '{\n  "forgotten": 0,\n  "unsearchedKeys": [],\n  "logEmptied": true,\n  "copyFailure": null\n}\n',
    });
    const people = await preavis(['languages', 'forget', '--all', '--config', config]);
    expect(people).toEqual({ code: 0, stdout: '1 remembered language forgotten\n', stderr: '' });
  });

  test.each(['nonsense 0475', '1001', '', 'anonymous'])('of what is no number is bad usage: %j', async (number) => {
    const { config } = await chosen();
    for (const run of [await forget(config, [`--number=${number}`]), await forget(config, ['--number', '-'], number)]) {
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(JSON.parse(run.stderr)).toMatchObject({
        error: { code: 'usage', message: '--number is not a telephone number' },
      });
    }
  });

  test('cannot look anybody up without the key of the hashes', async () => {
    const { config } = await place();
    const run = await forget(config, ['--number', '+32475123456']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('privacy.hashKey: is missing');
    expect(run.stderr).not.toContain('475');
  });
});

describe('subject', () => {
  const hashKey = 'k'.repeat(32);
  const number = '+32475123456';
  const digits = /475\W?12\W?34\W?56/;

  test('takes the number from standard input, and it is in nothing that is printed', async () => {
    const { config, set, at } = await place({ privacy: { hashKey }, log: { level: 'debug' } });
    const { id, facts } = await set.finished();
    const hash = makeCallerHash(hashKey, 'BE')(number) ?? '';
    await set.catalogue.callers.keep({ call: facts.id, hash, sealed: null });
    const zip = join(at, 'person.zip');
    const run = (args: string[], input = '0475 12 34 56\n') =>
      preavis(['subject', ...args, '--number', '-', '--config', config], {}, input);
    const exported = await run(['export', '-o', zip]);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect((await stat(zip)).mode & 0o777).toBe(0o600);
    const taken = await run(['export', '-o', zip, '--json']);
    expect(taken).toMatchObject({ code: 2, stdout: '' });
    const preview = await run(['erase']);
    expect(preview).toMatchObject({ code: 0, stderr: '' });
    expect(preview.stdout).toContain(`${id}  would be erased`);
    const erased = await run(['erase', '--apply', '--json']);
    expect(erased.code).toBe(0);
    expect(JSON.parse(erased.stdout)).toMatchObject({
      applied: true,
      recordings: [{ id, outcome: { certificate: 1 } }],
    });
    const after = await run(['export', '-o', zip, '--force']);
    expect(after).toMatchObject({ code: 0, stdout: 'no calls of this number\n' });
    const nonsense = await run(['erase'], '0475 12 34 56 x');
    expect(nonsense).toMatchObject({ code: 2, stdout: '' });
    const missing = await preavis(['subject', 'erase', '--config', config]);
    expect(missing.code).toBe(2);
    const misplaced = await preavis(['subject', 'erase', '0475123456', '--number', '-', '--config', config]);
    expect(misplaced.code).toBe(2);
    for (const { stdout, stderr } of [exported, taken, preview, erased, after, nonsense, missing, misplaced]) {
      expect(stdout + stderr).not.toMatch(digits);
    }
  });

  test('answers an employee by their telephone, which is in nothing that is printed but where it was typed', async () => {
    const { config, set, at } = await place({ privacy: { hashKey, keepExtensions: true }, log: { level: 'debug' } });
    const { id, facts } = await set.finished();
    await set.catalogue.extensions.keep(facts.id, 'annas-desk');
    const zip = join(at, 'anna.zip');
    const run = (args: string[], input = 'annas-desk\n') =>
      preavis(['subject', ...args, '--extension', '-', '--config', config], {}, input);
    const found = await run(['find', '--json']);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(found.stdout)).toMatchObject({ calls: [{ id: facts.id, recording: { id } }] });
    const exported = await run(['export', '-o', zip]);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect((await stat(zip)).mode & 0o777).toBe(0o600);
    const erased = await run(['erase', '--apply', '--json']);
    expect(JSON.parse(erased.stdout)).toMatchObject({ recordings: [{ id, outcome: { certificate: 1 } }] });
    const after = await run(['find']);
    expect(after).toMatchObject({ code: 0, stderr: '' });
    expect(after.stdout).toContain('no calls of this extension');
    const nonsense = await run(['find'], 'PJSIP/annas-desk');
    expect(nonsense).toMatchObject({ code: 2, stdout: '' });
    const both = await run(['erase', '--number', '0475 12 34 56']);
    expect(both).toMatchObject({ code: 2, stdout: '' });
    for (const { stdout, stderr } of [found, exported, erased, after, nonsense, both]) {
      expect(stdout + stderr).not.toMatch(/anna(?!\.zip)/);
    }
  });
});

describe('upload and retention', () => {
  test('say what they would do, do it, and have nothing left to do', async () => {
    const { config, set } = await place();
    const { id, wav } = await set.finished();
    const dry = await preavis(['upload', '--dry-run', '--json', '--config', config]);
    expect(JSON.parse(dry.stdout)).toEqual({
      dryRun: true,
      waiting: 1,
      recordings: [{ id, bytes: wav.length }],
      unended: [],
    });
    expect((await set.objects()).size).toBe(0);
    const sent = await preavis(['upload', '--json', '--config', config]);
    expect(sent.code).toBe(0);
    expect(JSON.parse(sent.stdout)).toMatchObject({ dryRun: false, sent: 1, waiting: 0, bytes: wav.length });
    expect((await set.objects()).size).toBe(2);
    const again = await preavis(['upload', '--config', config]);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 recordings sent to .*, 0 waiting\n$/) as string,
    });
  });

  test('upload names recordings whose calls nobody has seen end, and exits with 3', async () => {
    const { config, set } = await place();
    const { id } = await set.recorded(undefined, { events: (facts) => eventsTo('talking', facts) });
    const left = await preavis(['upload', '--config', config]);
    expect(left.code).toBe(3);
    expect(left.stdout).toContain(
      `${id} waits: its call was on when serve ended or lost Asterisk, and its end is not known\n  Start preavis serve`,
    );
    expect(JSON.parse((await preavis(['upload', '--json', '--config', config])).stdout)).toMatchObject({
      unended: [id],
    });
    const dry = await preavis(['upload', '--dry-run', '--json', '--config', config]);
    expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([3, { waiting: 0, unended: [id] }]);
  });

  test('upload ends them where no serve comes back: what nobody watched is silence before it is sent', async () => {
    const { config, set, at } = await place();
    const { id, file } = await set.recorded(toneWav(440, 30_000), { events: (facts) => eventsTo('talking', facts) });
    const startedAt = (await set.catalogue.recordings.find(id))?.startedAt ?? NaN;
    await set.catalogue.timeline.saveWatchedUntil(startedAt + 20_000);
    await servedLast(join(at, 'catalogue.db'), Date.now() - 631_000);
    await utimes(file, (startedAt + 30_000) / 1_000, (startedAt + 30_000) / 1_000);
    expect(await preavis(['upload', '--config', config])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        'found in what was finished now: 1 unwatched_blanked\n1 recording sent',
      ) as string,
    });
    const row = await set.catalogue.recordings.find(id);
    expect(row).toMatchObject({ status: 'archived', finishedAt: null });
    expect(row?.flags).toContain('unwatched_blanked');
    const sound = ((await set.objects()).get(row?.objectKey ?? '') ?? Buffer.alloc(0)).subarray(44);
    const msOfBytes = 16;
    const isSilent = (from: number, to: number): boolean =>
      sound.subarray(from * msOfBytes, to * msOfBytes).every((byte) => byte === 0);
    expect(sound).toHaveLength(30_000 * msOfBytes);
    // From a second before the last of what was seen.
    expect([isSilent(0, 100), isSilent(18_900, 19_000), isSilent(19_000, 30_000)]).toEqual([false, false, true]);
    expect(await set.catalogue.journal.open()).toEqual([]);
  });

  test('upload leaves to serve what has to be collected from another machine, however long no serve is there', async () => {
    const { config, set, at } = await place({
      recording: { spoolFolder: folder.path(`${places + 1}/spool`), minimumFreeMib: 0, spool: 'collected' },
    });
    const talking = await set.recorded(undefined, { events: (facts) => eventsTo('talking', facts) });
    const ended = await set.recorded();
    await rm(ended.file);
    await servedLast(join(at, 'catalogue.db'), Date.now() - 631_000);
    const { code, stdout } = await preavis(['upload', '--config', config]);
    expect(code).toBe(3);
    expect(stdout).toContain('Only serve brings recordings from Asterisk (recording.spool: collected).');
    const rows = await set.catalogue.recordings.list({ limit: 9 });
    expect(rows.map(({ id, status }) => [id, status]).sort()).toEqual(
      [talking, ended].map(({ id }) => [id, 'recording']).sort(),
    );
    expect(await set.catalogue.journal.open()).toHaveLength(1);
  });

  test('with recordings that wait exit with 3; with an archive that does not work, with 1', async () => {
    const { config, set, at } = await place();
    const { file, wav } = await set.finished();
    const changed = Buffer.from(wav);
    changed.fill(1, 100, 200);
    await writeFile(file, changed);
    const waiting = await preavis(['upload', '--config', config]);
    expect(waiting.code).toBe(3);
    expect(waiting.stdout).toContain('1 waiting (1 archive_mismatch)');
    expect(waiting.stdout).toMatch(/^[0-9A-Z]{26} waits: archive_mismatch: .+\n {2}.+$/m);
    await writeFile(file, wav);
    const { config: wrong } = await place({
      catalogue: { file: join(at, 'catalogue.db') },
      recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      archive: { directory: { folder: join(at, 'not-mounted') } },
    });
    const failed = await preavis(['upload', '--config', wrong]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('preavis: archive_bucket_missing: nothing was sent');
    expect(
      failed.stderr
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n'),
    ).not.toMatch(stackTrace);
  });

  test('find a WAV whose process died before it was written down', async () => {
    const { config, set } = await place();
    const { id, file } = await set.recorded(undefined, {
      events: ({ order }) => [...eventsTo('dialling', { order }), { type: 'callerLeft', at: undefined }],
    });
    await utimes(file, 1_787_000_000, 1_787_000_000);
    const sent = await preavis(['upload', '--json', '--config', config]);
    expect(JSON.parse(sent.stdout)).toMatchObject({ sent: 1, waiting: 0 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  });

  test('erase what is due and say so', async () => {
    const { config, set } = await place();
    const { id } = await set.finished(undefined, { keepDays: 0 });
    const run = (...args: string[]) => preavis(['retention', 'run', '--json', '--config', config, ...args]);
    const dry = await run('--dry-run');
    // The end of its time, 24 August 2026, may lie before or after the day on which this runs.
    const due = Date.now() >= Date.UTC(2026, 7, 24, 10, 1, 20, 10) ? 1 : 0;
    expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, due, erased: 0 });
    const real = await run();
    expect(real.code).toBe(0);
    expect(JSON.parse(real.stdout)).toMatchObject({ dryRun: false, due, erased: due });
    expect((await set.catalogue.recordings.find(id))?.status).toBe(due === 1 ? 'erased' : 'recorded');
  });
});

describe('recordings reconcile', () => {
  const reconcile = (config: string, ...args: string[]) =>
    preavis(['recordings', 'reconcile', '--config', config, ...args]);

  test('says what it found and would repair, repairs it, and has nothing left to do', async () => {
    const { config, set } = await place();
    const { id, file, wav } = await set.finished();
    expect((await preavis(['upload', '--config', config])).code).toBe(0);
    await writeFile(file, wav);
    const finding = { kind: 'localFileLeft', recording: id, where: file };
    const compared = { recordings: 1, files: 1, objects: 2 };
    const dry = await reconcile(config, '--dry-run', '--json');
    expect([dry.code, dry.stderr]).toEqual([3, '']);
    expect(JSON.parse(dry.stdout)).toEqual({ reconciled: compared, findings: [{ ...finding, done: 'repairable' }] });
    expect((await stat(file)).isFile()).toBe(true);
    const real = await reconcile(config, '--json');
    expect([real.code, real.stderr]).toEqual([0, '']);
    expect(JSON.parse(real.stdout)).toEqual({
      reconciled: compared,
      findings: [{ ...finding, done: 'repaired' }],
    });
    const again = await reconcile(config, '--verify');
    expect(again).toEqual({
      code: 0,
      stdout: '1 recording, 0 files and 2 objects compared: nothing found\n',
      stderr: '',
    });
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({
      event: 'removed from the spool',
      actor: expect.stringContaining(userInfo().username) as string,
    });
  });

  test('with something that needs attention exits with 3 and says what to do', async () => {
    const { config, set } = await place();
    const { id, file } = await set.finished();
    await rm(file);
    await set.store.putText('recordings/foreign.txt', 'x', 'text/plain', AbortSignal.timeout(5_000));
    const { code, stdout, stderr } = await reconcile(config);
    expect([code, stderr]).toEqual([3, '']);
    const [missing = '', foreign = '', sum = ''] = stdout.trimEnd().split(/\n(?! )/);
    expect(missing).toMatch(
      new RegExp(`^${id}\n {2}it waits for the archive, [^]*\n {2}${file}\n {2}to do: see whether`),
    );
    expect(foreign).toMatch(/^-\n {2}the archive has an object [^]*\n {2}recordings\/foreign\.txt\n {2}to do: /);
    expect(sum).toBe('1 recording, 0 files and 1 object compared: 2 found, 0 repaired');
  });

  test('shows a terminal no character of a foreign key that it would obey', async () => {
    const { config, at } = await place();
    await mkdir(join(at, 'archive', 'recordings'));
    await writeFile(join(at, 'archive', 'recordings', 'a\u001b[2Jb\u009bé'), 'x');
    const { code, stdout } = await reconcile(config);
    expect(code).toBe(3);
    expect(stdout).toContain('recordings/a\\u{1b}[2Jb\\u{9b}\\u{e9}');
    expect(stdout).toMatch(/^[\x20-\x7e\né]*$/);
  });

  test('with an archive that does not work fails', async () => {
    const { config, at } = await place();
    await rm(join(at, 'archive'), { recursive: true });
    expectRefusal(await reconcile(config), 1, 'archive_bucket_missing');
  });
});

describe('an archive folder whose mount is gone while its mount point stays', () => {
  test('takes nothing, is named by check, erases nothing, and goes on when it is mounted again', async () => {
    const { config, set, at } = await place();
    await set.finished(undefined, { keepDays: 0 });
    expect((await preavis(['upload', '--config', config])).code).toBe(0);
    const { id, file } = await set.finished();
    const [archive, away] = [join(at, 'archive'), join(at, 'away')];
    await rename(archive, away);
    await mkdir(archive);

    const upload = await preavis(['upload', '--config', config]);
    expect(upload.code).toBe(1);
    expect(upload.stderr).toContain(
      `preavis: archive_not_mounted: nothing was sent to ${archive}; 1 recording waits: The archive folder `,
    );
    expect(upload.stderr).toContain('\n  Mount it; ');
    const { checks } = JSON.parse((await preavis(['check', '--json', '--config', config])).stdout) as {
      checks: { check: string }[];
    };
    expect(checks.find(({ check }) => check === 'archive')).toMatchObject({ ok: false, code: 'archive_not_mounted' });
    const retention = await preavis(['retention', 'run', '--json', '--config', config]);
    expect((JSON.parse(retention.stdout) as { erased: number }).erased).toBe(0);
    expect(await readdir(archive)).toEqual([]);
    expect((await stat(file)).isFile()).toBe(true);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');

    await rmdir(archive);
    await rename(away, archive);
    expect((await preavis(['upload', '--config', config])).code).toBe(0);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  });
});

describe('check', () => {
  test('says of each thing whether it is well, and what to do when it is not', async () => {
    const { config } = await place();
    const [json, people] = await Promise.all([
      preavis(['check', '--json', '--config', config]),
      preavis(['check', '--config', config]),
    ]);
    expect([json.code, people.code]).toEqual([1, 1]);
    const { ok, checks } = JSON.parse(json.stdout) as { ok: boolean; checks: Record<string, unknown>[] };
    expect(ok).toBe(false);
    expect(checks.map((each) => [each['check'], each['ok']])).toEqual([
      ['schedule', true],
      ['prompts and purposes', true],
      ['how long callers wait', true],
      ['purposes checked by counsel', true],
      ['second witness', true],
      ['voices', true],
      ['callers told how long', true],
      ['erased within the legal maximum', true],
      ['spool', true],
      ['catalogue', true],
      ['clocks', true],
      ['retention', true],
      ['erasures', true],
      ['requests of persons by their number', true],
      ['archive', true],
      ['encryption of the archive', true],
      ['what the archive can do', true],
      ['erasure ledger', true],
      ['audit trail', true],
      ['signing key', true],
      ['asterisk', false],
    ]);
    expect(people.stdout).toContain('placeholder voice, spoken by a machine: fr, nl, de, en. ');
    expect(checks.at(-1)).toMatchObject({ code: 'ari_unreachable', hint: expect.stringMatching(/\.$/) as string });
    expect(people.stdout).toContain('WRONG  asterisk: ');
    expect(json.stdout + people.stdout + people.stderr).not.toContain('zebra');
  });
});

describe('check of retention', () => {
  test('says that nothing is erased since the clock has leapt', async () => {
    const { config, set } = await place();
    await set.catalogue.passes.note('retention', Date.now() - 30 * 86_400_000);
    const { stdout } = await preavis(['check', '--json', '--config', config]);
    const { checks } = JSON.parse(stdout) as { checks: { check: string }[] };
    expect(checks.find(({ check }) => check === 'retention')).toMatchObject({ ok: false, code: 'clock_implausible' });
  });
});

test('check warns of what is overdue and of erasures that failed, and notes what a known lock keeps', async () => {
  const { config, set } = await place();
  const erasures = async (): Promise<unknown> => {
    const { checks } = JSON.parse((await preavis(['check', '--json', '--config', config])).stdout) as {
      checks: { check: string }[];
    };

    return checks.find(({ check }) => check === 'erasures');
  };
  const { id } = await set.finished(undefined, { keepDays: 0 });
  const actor = 'serve';
  const detail = { code: 'archive_locked' };
  expect(await erasures()).toMatchObject({ ok: true, warning: expect.stringContaining('25 hours ago: 1 (') as string });
  await set.catalogue.auditTrail.append(id, { event: erasureFailed, actor, detail });
  expect(await erasures()).toMatchObject({
    warning: expect.stringContaining('could not be erased: 1 archive_locked (') as string,
  });
  await set.catalogue.auditTrail.append(id, { event: requestFailed, actor, detail });
  expect(await erasures()).toEqual({
    check: 'erasures',
    ok: true,
    notes: ['recordings that are due and that only a lock in the archive keeps: 1'],
  });
});

describe('serve', () => {
  test('that cannot reach Asterisk says so, leaves nothing running and exits with 1', async () => {
    const { config } = await place();
    const run = await preavis(['serve', '--config', config]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^preavis: ari_unreachable: GET \/asterisk: ECONNREFUSED \(127\.0\.0\.1:9\)$/m);
    expect(run.stderr).not.toMatch(stackTrace);
  });

  test('says with --json what stopped it as one JSON object', async () => {
    const { config } = await place();
    const run = await preavis(['serve', '--json', '--config', config]);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { code: 'ari_unreachable' } });
    for (const line of run.stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
  });
});

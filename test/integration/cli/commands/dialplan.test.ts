import { execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dialplanLint, type LintOptions } from '../../../../src/cli/commands/dialplan.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { installedPath } from '../../../../src/core/installation.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let printed: string[] = [];
let context: CommandContext;
const at = (name: string): string => folder.path(name);

beforeAll(async () => {
  const configFile = at('preavis.yaml');
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });
  context = { configFile, environment: {}, clock: { now: () => 0 }, print: (text) => printed.push(text) };
  await mkdir(at('etc/more'), { recursive: true });
  await writeFile(
    at('etc/extensions.conf'),
    `[incoming]
exten => 100,1,Gosub(preavis,s,1(PJSIP/100,30,line=sales))
 same => n,Hangup()
#include "more/*.conf"
#include "${installedPath('dialplan', 'preavis.conf')}"
`,
  );
  await writeFile(
    at('etc/more/one.conf'),
    '[one]\nexten => 1,1,Gosub(preavis-tell,s,1())\n same => n,Dial(PJSIP/1,30,X)\n',
  );
  await writeFile(at('etc/more/.two.conf'), '[two]\nexten => 1,1,MixMonitor(a)\n');
  await writeFile(at('etc/features.conf'), '[featuremap]\nautomixmon => *9\n');
});
beforeEach(() => {
  printed = [];
});

const lint = (names: string[], options: Partial<LintOptions> = {}): Promise<number> =>
  dialplanLint(context, names, { live: false, json: false, ...options });
const faults = (): string[] => {
  const { faults } = JSON.parse(printed.join('\n')) as { faults: { file: string; line: number; code: string }[] };

  return faults.map(({ file, line, code }) => `${file.slice(folder.path().length + 1)}:${line} ${code}`);
};

describe('dialplan lint FILE', () => {
  test('names the place, what is wrong and what to write, and exits with 3', async () => {
    expect(await lint([at('etc/extensions.conf')])).toBe(3);
    expect(printed).toEqual([
      `${at('etc/extensions.conf')}:2: error: The argument line is not a line of the configuration. [unknown-line]\n` +
        '  Write one of these: default; or add the line to the configuration.',
      `${at('etc/more/one.conf')}:3: error: With the option X, automixmon of features.conf takes the keys of *9: no caller can refuse in a talk. [code-collision]\n` +
        '  Take the option X away, or: Choose another consent.featureCode in the configuration, or another code in features.conf.',
      expect.stringMatching(/^\d+ lines of 3 files: 2 errors and 0 warnings$/),
    ]);
  });

  test('prints one JSON document', async () => {
    expect(await lint([at('etc/extensions.conf')], { json: true })).toBe(3);
    expect(JSON.parse(printed.join('\n'))).toEqual({
      source: 'files',
      files: 3,
      lines: expect.any(Number) as number,
      unknownJumps: 0,
      errors: 2,
      warnings: 0,
      faults: [
        {
          file: at('etc/extensions.conf'),
          line: 2,
          severity: 'error',
          code: 'unknown-line',
          problem: 'The argument line is not a line of the configuration.',
          remedy: 'Write one of these: default; or add the line to the configuration.',
        },
        expect.objectContaining({ code: 'code-collision' }),
      ],
    });
  });

  test('that is well exits with 0', async () => {
    await writeFile(at('good.conf'), '[incoming]\nexten => 100,1,Dial(PJSIP/100,30)\n');
    expect(await lint([at('good.conf')])).toBe(0);
    expect(printed).toEqual(['2 lines of 1 file: nothing found']);
  });

  test('takes several files as one dialplan', async () => {
    await writeFile(at('one.conf'), '[incoming]\nexten => 1,1,Goto(rec,s,1)\n');
    await writeFile(at('two.conf'), '[rec]\nexten => s,1,MixMonitor(a)\n');
    await lint([at('one.conf'), at('two.conf')], { json: true });
    expect(faults()).toEqual(['two.conf:2 recorder-without-notice']);
  });

  test('finds included files below --etc, and takes the codes of --features', async () => {
    await writeFile(at('elsewhere.conf'), '[incoming]\n#include "more/one.conf"\n');
    await writeFile(at('codes.conf'), '[featuremap]\nautomixmon => *3\n');
    await lint([at('elsewhere.conf')], { json: true });
    expect(faults()).toEqual(['elsewhere.conf:2 include-missing']);
    printed = [];
    await lint([at('elsewhere.conf')], { json: true, etc: at('etc'), features: at('codes.conf') });
    expect(faults()).toEqual(['etc/more/one.conf:2 preavis-not-included']);
  });

  test('shows a terminal no character of a file that it would obey', async () => {
    await writeFile(at('a\u001b[2J.conf'), '[in]\nexten => 1,1,MixMonitor(a)\n');
    await lint([at('a\u001b[2J.conf')]);
    expect(printed.join('\n')).toContain('a\\u{1b}[2J.conf:2: error');
  });
});

describe('dialplan lint refuses, with a code and what to do,', () => {
  test.each<[string, string, () => Promise<void> | void, RegExp]>([
    ['a file that is not there', 'none.conf', () => undefined, /none\.conf: there is no such file$/],
    ['a folder', 'etc', () => undefined, /etc: it is a folder$/],
    [
      'a file that is no text',
      'binary.conf',
      () => writeFile(at('binary.conf'), Buffer.concat([randomBytes(100_000), Buffer.alloc(1)])),
      /binary\.conf: it is no text$/,
    ],
    [
      'a pipe that nobody writes to',
      'pipe.conf',
      () => {
        execFileSync('mkfifo', [at('pipe.conf')]);
      },
      /pipe\.conf: it is no file$/,
    ],
    [
      'a text that is no dialplan',
      'letter.conf',
      () => writeFile(at('letter.conf'), 'Dear sir,\n'),
      /letter\.conf: there is no \[context\] in it/,
    ],
    [
      'a file that includes itself',
      'round.conf',
      () => writeFile(at('round.conf'), '[in]\n#include round.conf\n'),
      /round\.conf:2: #include goes round in a circle/,
    ],
  ])('%s', async (_, name, make, message) => {
    await make();
    await expect(lint([at(name)])).rejects.toMatchObject({
      code: 'dialplan_unreadable',
      exitCode: 2,
      message: expect.stringMatching(message) as string,
    });
  });

  test.each<[string, string[], boolean]>([
    ['neither a file nor --live', [], false],
    ['both', ['a.conf'], true],
  ])('%s', async (_, names, live) => {
    await expect(lint(names, { live })).rejects.toMatchObject({ code: 'usage', exitCode: 2 });
  });
});

describe('dialplan lint --live', () => {
  /** A program in the place of Asterisk's: how it fails, no real one shows at will. The real one: acceptance/serve/dialplan. */
  const program = async (text: string): Promise<void> => {
    await mkdir(at('bin'), { recursive: true });
    await writeFile(at('bin/asterisk'), `#!/bin/sh\n${text}\n`);
    await chmod(at('bin/asterisk'), 0o755);
    context = { ...context, environment: { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` } };
  };

  test.each<[string, string, RegExp]>([
    ['reaches no Asterisk', 'echo "Unable to connect to remote asterisk"; exit 1', /reaches no running Asterisk/],
    ['shows no context', 'echo nothing', /shows no context$/],
  ])('says so where asterisk %s', async (_, text, message) => {
    await program(text);
    await expect(lint([], { live: true })).rejects.toMatchObject({
      code: 'dialplan_not_shown',
      exitCode: 1,
      message: expect.stringMatching(message) as string,
    });
  });

  test.each<[string, string, string[]]>([
    ['22.10.1', 'no', ['function-refused']],
    ['22.10.1', 'yes', []],
    ['22.10.0', 'no', []],
  ])('of Asterisk %s with live_dangerously = %s', async (version, value, codes) => {
    await writeFile(at('asterisk.conf'), `[options]\nlive_dangerously = ${value}\n`);
    const shown = [
      "[ Context 'in' created by 'pbx_config' ]",
      "  '1' => 1. Gosub(preavis-tell,s,1) [e.conf:2]",
      '         2. Set(x=${DB(a/b)}) [e.conf:3]',
      "[ Context 'preavis-tell' created by 'pbx_config' ]",
      "  's' => 1. Return() [e.conf:5]",
    ];
    await writeFile(at('shown'), shown.join('\n'));
    await program(`case "$2" in
      "dialplan show") cat '${at('shown')}';;
      "core show version") echo 'Asterisk ${version} built by nobody';;
      "core show settings") echo '  Configuration directory:     ${at('.')}';;
    esac`);
    await lint([], { live: true, json: true });
    const { faults } = JSON.parse(printed.join('\n')) as { faults: { code: string }[] };
    expect(faults.map(({ code }) => code)).toEqual(codes);
  });
});

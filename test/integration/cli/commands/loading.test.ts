import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, product } from '../../../../build.mjs';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { configTree } from '../../../support/call/calls.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** What a command loads: most of the time of a short one goes there. */

const root = join(import.meta.dirname, '..', '..', '..', '..');
const folder = temporaryFolder();

type Loaded = { modules: string[]; packages: string[] };

/** By the build's own list: a file of it is made of many modules. */
const { outputs } = bundle({ ...product, write: false }).metafile;
function modulesIn(file: string): string[] {
  const output = outputs[file];
  if (output === undefined) throw new Error(`${file} is not of this build: npm run build`);

  return Object.entries(output.inputs).flatMap(([module, { bytesInOutput }]) => (bytesInOutput > 0 ? [module] : []));
}

let runs = 0;
/** Our modules, and the packages, that a command loads: Node lists every script that it has run for its coverage. */
async function loadedBy(...args: string[]): Promise<Loaded> {
  const coverage = folder.path(`coverage-${(runs += 1)}`);
  expect(await runCommand(args, { NODE_V8_COVERAGE: coverage })).toMatchObject({ stderr: '' });
  const [report = ''] = await readdir(coverage);
  const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8')) as { result: { url: string }[] };
  const files = result.flatMap(({ url }) => (url.startsWith('file:') ? [relative(root, fileURLToPath(url))] : []));
  const loaded = files.flatMap((file) => (file.startsWith('dist/') ? modulesIn(file) : [file]));
  const below = (place: string): string[] =>
    loaded.flatMap((file) => (file.startsWith(`${place}/`) ? [file.slice(place.length + 1)] : []));
  const packages = below('node_modules').map((file) => file.split('/', file.startsWith('@') ? 2 : 1).join('/'));

  return { modules: below('src').toSorted(), packages: [...new Set(packages)].toSorted() };
}

/** The arguments of all commands, and the words in their help. */
const commandLine = [
  'catalogue/holdGrounds.ts',
  'catalogue/statuses.ts',
  'cli/arguments/archive.ts',
  'cli/arguments/calls.ts',
  'cli/arguments/catalogue.ts',
  'cli/arguments/commandLine.ts',
  'cli/arguments/dialplan.ts',
  'cli/arguments/evidence.ts',
  'cli/arguments/policy.ts',
  'cli/arguments/recordings.ts',
  'cli/arguments/retention.ts',
  'cli/arguments/subject.ts',
  'cli/arguments/users.ts',
  'cli/context.ts',
  'core/clock.ts',
  'core/errors.ts',
  'core/installation.ts',
  'core/text/oneLine.ts',
  'dataSubject/languages.ts',
  'main.ts',
  'papers/languages.ts',
];

test.each(['--version', '--help', 'recordings list --help'])(
  'the modules of no command are loaded by %s',
  async (line) => {
    expect(await loadedBy(...line.split(' '))).toEqual({ modules: commandLine, packages: ['commander'] });
  },
);

describe('with an archive in a folder', () => {
  let config = '';
  beforeAll(async () => {
    config = folder.path('preavis.yaml');
    for (const name of ['spool', 'archive']) await mkdir(folder.path(name));
    const tree = {
      ...configTree(),
      recording: { spoolFolder: folder.path('spool'), minimumFreeMib: 0 },
      catalogue: { file: folder.path('catalogue.db') },
      archive: { directory: { folder: folder.path('archive') } },
    };
    await writeFile(config, JSON.stringify(tree), { mode: 0o600 });
    openCatalogue(folder.path('catalogue.db'), systemClock).close();
  });

  const network = ['ari-client', 'minio', 'undici', 'ws'];

  test.each(['report --json', 'retention run'])('%s loads nothing that speaks with Asterisk or S3', async (line) => {
    const { packages } = await loadedBy('--config', config, ...line.split(' '));
    expect(packages).toContain('zod');
    for (const name of network) expect(packages).not.toContain(name);
  });

  test('retention run loads no log, since it writes none', async () => {
    const { packages } = await loadedBy('--config', config, 'retention', 'run');
    expect(packages).not.toContain('pino');
  });

  test.each(['recordings list', 'recordings holds', 'calls list', 'purposes list', 'prompts list'])(
    '%s loads nothing that speaks with others, signs, logs, counts or reads telephone numbers',
    async (line) => {
      const { modules, packages } = await loadedBy('--config', config, ...line.split(' '));
      expect(packages).toContain('zod');
      for (const name of [...network, 'jose', 'pino', 'prom-client']) expect(packages).not.toContain(name);
      expect(modules).not.toContain('core/phoneNumbers.ts');
      expect(modules).not.toContain('core/text/texts.ts');
    },
  );
});

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = temporaryFolder();
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: { lint: string; 'lint:unused': string };
};

const manifest = { name: 'tree', type: 'module', scripts: { start: 'node src/main.ts' } };

/** What `npm run lint:unused` says of a tree with these files. */
async function lint(files: Readonly<Record<string, string>>): Promise<{ code: number | string; output: string }> {
  const all = {
    'package.json': JSON.stringify(manifest),
    'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'nodenext', allowImportingTsExtensions: true } }),
    ...files,
  };
  rmSync(folder.path('src'), { recursive: true, force: true });
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(folder.path(name)), { recursive: true });
    writeFileSync(folder.path(name), text);
  }
  cpSync(join(root, 'knip.jsonc'), folder.path('knip.jsonc'));
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  return new Promise((resolve) => {
    // The hints speak of entries of knip.jsonc that so small a tree has not.
    const command = `${scripts['lint:unused']} --no-config-hints`;
    execFile('sh', ['-c', command], { cwd: folder.path('.'), env: { ...process.env, PATH: path } }, (error, stdout) => {
      resolve({ code: error === null ? 0 : (error.code ?? 1), output: stdout });
    });
  });
}

const main = "import { used } from './core/a.ts';\nprocess.exitCode = used;\n";
const used = 'export const used = 1;\n';

test.each([
  ['an export that nobody imports', { 'src/core/a.ts': `${used}export const forgotten = 2;\n` }, 'forgotten'],
  ['an exported type that nobody imports', { 'src/core/a.ts': `${used}export type Forgotten = 2;\n` }, 'Forgotten'],
  [
    'an export that its own file alone uses',
    { 'src/core/a.ts': 'export const forgotten = 1;\nexport const used = forgotten;\n' },
    'forgotten',
  ],
  ['a file that nobody imports', { 'src/core/a.ts': used, 'src/core/forgotten.ts': 'export {};\n' }, 'forgotten.ts'],
  [
    'a package that nobody imports',
    {
      'src/core/a.ts': used,
      'package.json': JSON.stringify({ ...manifest, dependencies: { forgotten: '1.0.0' } }),
    },
    'forgotten',
  ],
])('%s is refused by lint', async (_what, files, name) => {
  const { code, output } = await lint({ 'src/main.ts': main, ...files });
  expect(output).toContain(name);
  expect(code).not.toBe(0);
});

test('a tree in which all is used passes', async () => {
  await expect(lint({ 'src/main.ts': main, 'src/core/a.ts': used })).resolves.toEqual({ code: 0, output: '' });
});

test.each([
  ['npm run lint', scripts.lint],
  ['.ci/run', readFileSync(join(root, '.ci', 'run'), 'utf8')],
])('%s asks for it', (_name, text) => {
  expect(text).toContain('npm run lint:unused');
});

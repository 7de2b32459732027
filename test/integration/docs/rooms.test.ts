import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomPicture, withPicture } from '../../../docs/rooms.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = temporaryFolder();

/** What `npm run lint:rooms` says of a tree with these files. */
async function lint(files: Readonly<Record<string, string>>): Promise<{ code: number | string; output: string }> {
  cpSync(join(root, '.dependency-cruiser.mjs'), folder.path('.dependency-cruiser.mjs'));
  writeFileSync(
    folder.path('tsconfig.json'),
    JSON.stringify({ compilerOptions: { allowImportingTsExtensions: true } }),
  );
  rmSync(folder.path('src'), { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder.path('src'), name, '..'), { recursive: true });
    writeFileSync(join(folder.path('src'), name), text);
  }
  const program = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  return new Promise((resolve) => {
    const args = [program, 'src', '--config', '.dependency-cruiser.mjs'];
    execFile(process.execPath, args, { cwd: folder.path('.') }, (error, stdout) => {
      resolve({ code: error === null ? 0 : (error.code ?? 1), output: stdout });
    });
  });
}

test('the picture of docs/architecture.md is what `npm run docs` makes of the imports', async () => {
  const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  expect(page).toBe(withPicture(page, await roomPicture()));
});

test.each([
  [
    'an import from a room above',
    { 'core/a.ts': "import { b } from '../cli/b.ts';\nexport const a = b;\n" },
    'upward-from-core',
  ],
  [
    'an import of a type alone from a room above',
    { 'core/a.ts': "import type { B } from '../cli/b.ts';\nexport type A = B;\n" },
    'upward-from-core',
  ],
  [
    'an import from a part of call above',
    {
      'call/decide/a.ts': "import { b } from '../session/b.ts';\nexport const a = b;\n",
      'call/session/b.ts': 'export const b = 1;\n',
    },
    'upward-from-call-decide',
  ],
  [
    'a file in no part of call',
    { 'call/a.ts': "import { b } from '../core/b.ts';\nexport const a = b;\n", 'core/b.ts': 'export const b = 1;\n' },
    'no-file-outside-a-part-of-call',
  ],
  [
    'two files that import each other',
    {
      'core/a.ts': "import { b } from './b.ts';\nexport const a = (): unknown => b;\n",
      'core/b.ts': "import { a } from './a.ts';\nexport const b = a;\n",
    },
    'no-circle',
  ],
  [
    'a file in no room',
    { 'things/a.ts': "import { b } from '../core/b.ts';\nexport const a = b;\n", 'core/b.ts': 'export const b = 1;\n' },
    'no-file-outside-a-room',
  ],
])('%s is refused by lint', async (_what, files, rule) => {
  const others = { 'cli/b.ts': 'export const b = 1;\nexport type B = 1;\n' };
  const { code, output } = await lint({ ...others, ...files });
  expect(output).toContain(rule);
  expect(code).not.toBe(0);
});

test('imports from rooms below pass', async () => {
  const { code, output } = await lint({
    'core/b.ts': 'export const b = 1;\n',
    'cli/a.ts': "import { b } from '../core/b.ts';\nexport const a = b;\n",
    'main.ts': "import { a } from './cli/a.ts';\nprocess.exitCode = a;\n",
  });
  expect(output).toContain('no dependency violations');
  expect(code).toBe(0);
});

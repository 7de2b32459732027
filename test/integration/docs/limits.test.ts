import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = temporaryFolder();

/** Lines of code with comments and blank lines between them, which do not count. */
const spaced = (lines: number, line: (index: number) => string): string =>
  Array.from({ length: lines }, (_, index) => `// A comment.\n${line(index)}\n`).join('\n');

const fileOf = (lines: number): string => spaced(lines, (index) => `export const value${index} = ${index};`);

/** Its signature, the sum, the return and the brace are four of them. */
const functionOf = (lines: number): string =>
  `export function added(start: number): number {
  let sum = start;
${spaced(lines - 4, (index) => `  sum += ${index};`)}
  return sum;
}
`;

const files = {
  'src/core/tooLong.ts': fileOf(401),
  'src/core/longest.ts': fileOf(400),
  'src/core/tooLongFunction.ts': functionOf(61),
  'src/core/longestFunction.ts': functionOf(60),
  'test/long.test.ts': fileOf(401) + functionOf(61),
};

/** What `npm run lint:rules` says of a tree with these files: the rules that each breaks. */
const broken = new Map<string, (string | null)[]>();
beforeAll(async () => {
  for (const rules of ['eslint.config.mjs', 'tsconfig.json']) cpSync(join(root, rules), folder.path(rules));
  writeFileSync(folder.path('package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(join(root, 'node_modules'), folder.path('node_modules'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(folder.path(name)), { recursive: true });
    writeFileSync(folder.path(name), text);
  }
  const program = join(root, 'node_modules', 'eslint', 'bin', 'eslint.js');
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [program, '--format', 'json', '.'], { cwd: folder.path() }, (_error, stdout) => {
      resolve(stdout);
    });
  });
  const results = JSON.parse(output) as { filePath: string; messages: { ruleId: string | null; severity: number }[] }[];
  for (const name of Object.keys(files)) {
    const found = results.find(({ filePath }) => filePath.endsWith(`/${name}`));
    const errors = found?.messages.filter(({ severity }) => severity === 2);
    if (errors !== undefined)
      broken.set(
        name,
        errors.map(({ ruleId }) => ruleId),
      );
  }
});

test.each([
  ['a file of more than 400 lines', 'src/core/tooLong.ts', 'max-lines'],
  ['a function of more than 60 lines', 'src/core/tooLongFunction.ts', 'max-lines-per-function'],
])('%s in src is refused by lint', (_what, name, rule) => {
  expect(broken.get(name)).toEqual([rule]);
});

test.each([
  ['a file of 400 lines in src', 'src/core/longest.ts'],
  ['a function of 60 lines in src', 'src/core/longestFunction.ts'],
  ['a long file of the tests', 'test/long.test.ts'],
])('%s passes', (_what, name) => {
  expect(broken.get(name)).toEqual([]);
});

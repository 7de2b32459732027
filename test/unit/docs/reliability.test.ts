import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

test('docs/reliability.md names tests that there are', () => {
  const [tried = ''] = readFileSync(join(root, 'docs/reliability.md'), 'utf8').split('\n## What can be lost\n');
  const rows = tried.split('\n').filter((line) => line.startsWith('|'));
  const named = rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
  const tests = named.filter((name) => /^[\w./]+$/.test(name));
  expect(tests).toContain('acceptance/crash/refusal');
  expect(tests.filter((name) => !existsSync(join(root, 'test', `${name}.test.ts`)))).toEqual([]);
});

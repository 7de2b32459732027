import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rooms } from '../../../.dependency-cruiser.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');

test.each(['architecture.md', 'call.md', 'decisions.md'])('docs/%s names files of src that there are', (name) => {
  const named = [...page(name).matchAll(/`([\w/]+\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(5);
  // A name without a folder stands beside one that has it.
  const folders = named.filter((path) => path.includes('/')).map((path) => path.slice(0, path.lastIndexOf('/') + 1));
  const exists = (path: string): boolean =>
    ['', ...(path.includes('/') ? [] : folders)].some((folder) => existsSync(join(root, 'src', folder, path)));
  expect(named.filter((path) => !exists(path))).toEqual([]);
});

test('docs/architecture.md tells the duty of every room, in their order', () => {
  const told = [...page('architecture.md').matchAll(/^\| `(\w+)\/`/gm)].map(([, room = '']) => room);
  expect(told).toEqual(rooms);
});

describe('CONTRIBUTING.md', () => {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

  test('names files that there are, but for those that are to be made', () => {
    const named = [...text.matchAll(/`((?:src|test|lab|docs|config)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((path) => !/NAME|GROUP/.test(path) && !existsSync(join(root, path)))).toEqual([]);
  });

  test('has ten rules, each with a file as its example', () => {
    const rules = [...text.matchAll(/^\| (\d+)\. .* \| +\[[^\]]+\]\(([^)]+)\) +\|$/gm)].map(([, number]) =>
      Number(number),
    );
    expect(rules).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('is read in ten minutes', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(10_000);
  });

  test('names scripts of npm that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
  });
});

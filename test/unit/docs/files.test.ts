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

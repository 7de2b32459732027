import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rooms } from '../../../.dependency-cruiser.mjs';
import { parseOrder } from '../../../lab/pane/orders.ts';

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

test.each(['security.md', 'pbx/features.md'])('docs/%s names tests that there are', (file) => {
  // `unit/call/plan/arguments.property`, `integration/catalogue` for all of a folder, `unit/call/*.property` for those below it.
  const named = [...page(file).matchAll(/`((?:unit|integration|acceptance)\/[\w./*]+)`/g)];
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.test.ts'),
  );
  const exists = (name: string): boolean => {
    const pattern = name.replaceAll('.', '\\.').replaceAll('*', '.+');

    return tests.some((path) => new RegExp(`^${pattern}(\\.test\\.ts$|/)`).test(path));
  };
  expect(named.length).toBeGreaterThan(15);
  expect(named.map(([, name = '']) => name).filter((name) => !exists(name))).toEqual([]);
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

  const code = ['src', 'lab', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((name) => /\.m?ts$/.test(name) && name !== 'test/unit/docs/files.test.ts')
    .map((name) => readFileSync(join(root, name), 'utf8'))
    .join('\n');

  test('quotes messages that Préavis and the lab print', () => {
    const quoted = [...text.matchAll(/`(?:preavis|lab) \| ([^`]+)`/g)].flatMap(([, message = '']) =>
      message.split('...').map((part) => part.trim()),
    );
    const parts = quoted.filter((part) => part !== '');
    expect(parts).toContain('call state changed');
    expect(parts.filter((part) => !code.includes(part))).toEqual([]);
  });

  test('names functions and types that there are', () => {
    const named = [...text.matchAll(/`([A-Za-z]+[a-z][A-Z]\w*)[`(]/g)].map(([, name = '']) => name);
    expect(named).toEqual(expect.arrayContaining(['PreavisError', 'AriEvent', 'describeStoreContract']));
    expect(named.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });

  test('gives the limits of lint for files and functions', () => {
    const lint = readFileSync(join(root, 'eslint.config.mjs'), 'utf8');
    const limits = /at most\s+(\d+) lines of code and a function (\d+)/.exec(text)?.slice(1);
    const rules = ['max-lines', 'max-lines-per-function'].map(
      (rule) => new RegExp(`'${rule}': \\['error', \\{ max: (\\d+)`).exec(lint)?.[1],
    );
    expect(limits).toBeDefined();
    expect(rules).toEqual(limits);
  });

  test('names keys that the pane of the lab knows', () => {
    const keys = [...text.matchAll(/`([chqru9](?: [^`]+)?)`/g)].map(([, key = '']) => key);
    expect(keys).toEqual(expect.arrayContaining(['c', '9', 'h', 'r', 'q']));
    expect(keys.filter((key) => parseOrder(key).do === 'refuse')).toEqual([]);
  });
});

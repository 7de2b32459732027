import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs/operations/troubleshooting.md'), 'utf8');
const index = readFileSync(join(root, 'docs/operations/README.md'), 'utf8');
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n')
  .replaceAll(String.raw`\'`, "'");

test('every log message that docs/operations/troubleshooting.md explains is one that Préavis logs', () => {
  const heads = [...page.matchAll(/^- (.+):$/gm)].map(([, head = '']) => head);
  const messages = heads.flatMap((head) => [...head.matchAll(/`([^`]+ [^`]+)`/g)].map(([, message = '']) => message));
  const logged = messages.filter((message) => !message.startsWith('preavis '));
  expect(logged.length).toBeGreaterThan(40);
  expect(logged.filter((message) => !source.includes(message))).toEqual([]);
});

test('docs/operations/README.md leads to every page of its folder', () => {
  const pages = readdirSync(join(root, 'docs/operations')).filter((name) => name !== 'README.md');
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

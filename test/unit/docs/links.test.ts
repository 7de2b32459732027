import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/load.ts';
import { withPurposeFiles } from '../../../src/config/purposeFiles.ts';
import type { Tree } from '../../../src/config/tree.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const pages = [
  'README.md',
  'CHANGELOG.md',
  'lab/README.md',
  'sounds/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');

/** As GitHub and most others make them. */
function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchors(read(target)).includes(anchor);
  });
}

test.each(pages)('every relative link in %s leads to a file, and to a heading that it has', (page) => {
  expect(brokenLinks(page)).toEqual([]);
});

test('the complete configuration in the README is valid', async () => {
  const example = /```yaml\n(# \/etc\/preavis\/preavis\.yaml\n[\s\S]*?)```/.exec(read('README.md'))?.[1];
  expect(example).toBeDefined();
  const tree = await withPurposeFiles(parse(example ?? '') as Tree, root);
  expect(() => parseConfig(tree)).not.toThrow();
});

test('docs/dialplan.md explains every reason for which a call goes on unrecorded', () => {
  const union = /export type UnrecordedReason =([^;]+);/.exec(read('src/call/events.ts'))?.[1] ?? '';
  const reasons = [...union.matchAll(/'([a-z_]+)'/g)].map(([, reason = '']) => reason);
  expect(reasons).not.toEqual([]);
  const explained = [...read('docs/dialplan.md').matchAll(/^\| `([a-z_]+)` /gm)].map(([, reason = '']) => reason);
  expect(reasons.filter((reason) => !explained.includes(reason))).toEqual([]);
});

test('docs/dialplan.md explains every argument of Stasis()', () => {
  const list = /const knownArguments = \[([^\]]+)\]/.exec(read('src/call/arguments.ts'))?.[1] ?? '';
  const known = [...list.matchAll(/'([a-z]+)'/g)].map(([, argument = '']) => argument);
  expect(known).not.toEqual([]);
  const text = read('docs/dialplan.md');
  expect(known.filter((argument) => !text.includes(`| \`${argument}\` `))).toEqual([]);
});

test('the compose file is YAML and names what the configuration knows', async () => {
  const compose = parse(read('config/compose.yaml')) as {
    services: { preavis: { environment: Record<string, string> } };
  };
  const example = await withPurposeFiles(parse(read('config/preavis.yaml')) as Tree, join(root, 'config'));
  expect(() => parseConfig(example, compose.services.preavis.environment)).not.toThrow();
});

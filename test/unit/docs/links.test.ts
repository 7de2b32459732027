import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { unrecordedReasons } from '../../../src/call/decide/unrecordedReasons.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'lab/README.md',
  'sounds/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .toSorted()
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

test.each([
  ['README.md', /```yaml\n([\s\S]*?)```/],
  ['docs/install.md', /```yaml\n(# \/etc\/preavis\/preavis\.yaml\n[\s\S]*?)```/],
])('the complete configuration in %s is valid', async (page, fence) => {
  const example = fence.exec(read(page))?.[1];
  expect(example).toBeDefined();
  const file = folder.path('preavis.yaml');
  await writeFile(file, example ?? '', { mode: 0o600 });
  // The files with secrets that it names are only on the operator's machine.
  const environment = page === 'README.md' ? {} : { PREAVIS_ARI_PASSWORD_FILE: file };
  await expect(loadConfig(file, environment)).resolves.toMatchObject({
    purposes: { training: { jurisdiction: 'BE' } },
  });
});

test('docs/dialplan.md explains every reason for which a call goes on unrecorded', () => {
  expect(unrecordedReasons).toEqual(expect.arrayContaining(['arguments_invalid', 'refused', 'not_sampled']));
  const explained = [...read('docs/dialplan.md').matchAll(/^\| `([a-z_]+)` /gm)].map(([, reason = '']) => reason);
  expect(unrecordedReasons.filter((reason) => !explained.includes(reason))).toEqual([]);
});

test('docs/dialplan.md explains every argument of Stasis()', () => {
  const list = /const knownArguments = \[([^\]]+)\]/.exec(read('src/call/plan/arguments.ts'))?.[1] ?? '';
  const known = [...list.matchAll(/'([a-z]+)'/g)].map(([, argument = '']) => argument);
  expect(known).not.toEqual([]);
  const text = read('docs/dialplan.md');
  expect(known.filter((argument) => !text.includes(`| \`${argument}\` `))).toEqual([]);
});

test('the compose file is YAML and names what the configuration knows', async () => {
  const compose = parse(read('config/compose.yaml')) as {
    services: { preavis: { environment: Record<string, string> } };
  };
  const example = loadConfig(join(root, 'config/preavis.yaml'), compose.services.preavis.environment);
  await expect(example).resolves.toMatchObject({ archive: expect.anything() as unknown });
});

import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { startWebProcess, type WebProcess } from '../../support/web/webProcess.ts';

/**
 * What `npm pack` makes, in a folder of its own, with the packages of `npm ci --omit=dev` and no others beside it. They are not installed anew, which
 * would need the network: what is of no use in operation is left out of a folder of links.
 */

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = temporaryFolder();
let web: WebProcess | undefined;

afterEach(async () => {
  await web?.stop();
});

/** @return the folder of the program */
async function unpacked(): Promise<string> {
  const at = folder.path('installed');
  await mkdir(at);
  // Nothing is built here: tests of commands run what was built, too.
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', at], { cwd: root });
  await run('sh', ['-c', 'tar -xzf preavis-*.tgz && rm preavis-*.tgz'], { cwd: at });

  return join(at, 'package');
}

async function linkPackages(program: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  // Those within another package come with it.
  const names = Object.entries(packages).flatMap(([path, { dev }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];

    return name === undefined || dev === true ? [] : [name];
  });
  expect(names).toContain('fastify');
  expect(names).not.toContain('vite');
  expect(names).not.toContain('preact');
  for (const name of names) {
    const link = join(program, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
}

test('an installed package serves the console, with every file that its page asks for', async () => {
  const program = await unpacked();
  await linkPackages(program);
  const catalogue = folder.path('catalogue.db');
  openCatalogue(catalogue, systemClock).close();
  web = await startWebProcess(
    folder.path('preavis.yaml'),
    { ...configTree(), catalogue: { file: catalogue }, web: { listen: '127.0.0.1:0' } },
    join(program, 'dist/main.js'),
  );
  const page = await fetch(`${web.url}/calls`);
  expect(page.status).toBe(200);
  const named = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(named.filter((path) => path.endsWith('.css'))).toHaveLength(1);
  const scripts = named
    .filter((path) => path.endsWith('.js'))
    .map(async (path) => (await fetch(`${web?.url ?? ''}${path}`)).text());
  const script = (await Promise.all(scripts)).join('\n');
  // Those of the languages are asked for when they are spoken.
  const later = [...script.matchAll(/["'`.]\/?((?:assets\/)?(?:de|en|fr|nl)-[\w-]+\.js)/g)].map(([, path = '']) =>
    path.startsWith('assets/') ? `/${path}` : `/assets/${path}`,
  );
  expect(new Set(later).size).toBe(4);
  const found = await Promise.all(
    [...named, ...later].map(async (path) => [path, (await fetch(`${web?.url ?? ''}${path}`)).status]),
  );
  expect(found.filter(([, status]) => status !== 200)).toEqual([]);
});

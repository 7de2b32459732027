import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { isPage } from '../../../console/src/pages.ts';
import { readConsole } from '../../../src/web/console.ts';
import { startWeb, type WebServer } from '../../../src/web/server.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { webStage, type WebStage } from '../../support/web/webStage.ts';

/** The console as it is built and served: its files, its policy, its size. */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = temporaryFolder();
const open = catalogues();
const largestBytes = 120 * 1_024;

let stage: WebStage;
let server: WebServer;
const built = (): string => folder.path('console');

beforeAll(async () => {
  const script = `import(${JSON.stringify(pathToFileURL(join(root, 'build.mjs')).href)}).then((b) => b.buildConsole(${JSON.stringify(built())}))`;
  const child = spawn(process.execPath, ['-e', script], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  stage = await webStage(folder.path('stage'), open);
  server = await startWeb(stage.ports, { host: '127.0.0.1', port: 0, console: readConsole(built()) });
});

afterAll(async () => {
  await server.stop();
  await stage.server.stop();
});

const files = async (): Promise<string[]> =>
  (await readdir(built(), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('it is at most 120 KiB as it is sent, all languages together', async () => {
  const sizes = await Promise.all(
    (await files())
      .filter((file) => /\.(js|css|html|svg)$/.test(file))
      .map(async (file) => gzipSync(await readFile(file)).length),
  );
  expect(sizes.length).toBeGreaterThan(5);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(largestBytes);
});

test('none of its files names an address of others, but for names of XML', async () => {
  const texts = await Promise.all(
    (await files()).filter((file) => !file.endsWith('.md')).map((file) => readFile(file, 'utf8')),
  );
  const found = texts.flatMap((text) => text.match(/https?:\/\/[\w.-]+/g) ?? []);
  expect([...new Set(found)].filter((address) => address !== 'http://www.w3.org')).toEqual([]);
});

test('its page lets in nothing that stands within it, by a policy with a number of its own each time', async () => {
  const answers = await Promise.all(
    ['/', '/calls', '/calls/01KBJ3Q0V8Q4J2M9W6T5R1N7XA'].map((path) => fetch(server.url + path)),
  );
  const policies = answers.map((answer) => answer.headers.get('content-security-policy') ?? '');
  const nonces = policies.map((policy) => /'nonce-([\w-]{22})'/.exec(policy)?.[1]);
  expect(new Set(nonces).size).toBe(3);
  for (const [index, answer] of answers.entries()) {
    expect(answer.status).toBe(200);
    expect(policies[index]).not.toMatch(/unsafe|\*|https?:/);
    expect(policies[index]).toContain("default-src 'none'; script-src 'self';");
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const page = await answer.text();
    expect(page).toContain(`content="${nonces[index] ?? ''}"`);
    expect(page).not.toMatch(/<style|<script(?![^>]* src=)| on\w+=|\{\{/);
  }
});

test('its files are sent by their names alone, compressed, and kept by the browser', async () => {
  const page = await (await fetch(server.url)).text();
  const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page) ?? [];
  const answer = await fetch(server.url + script);
  expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  expect(answer.headers.get('cache-control')).toContain('immutable');
  const again = await fetch(server.url + script, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } });
  expect(again.status).toBe(304);
  const icon = await fetch(`${server.url}/icon.svg`);
  expect(icon.headers.get('cache-control')).toBe('no-cache');
});

test.each([
  '/assets/../../package.json',
  '/assets/%2e%2e/index.html',
  '/index.html',
  '/assets/',
  '/etc/passwd',
  '/calls/x/y',
])('%s is nothing', async (path) => {
  expect((await fetch(server.url + path)).status).toBe(404);
});

test('the browser shows a page at the addresses that the server says are pages, and at no others', async () => {
  const paths = ['/', '/calls', '/calls/x', '/calls/', '/calls/x/y', '/figures', '/figures/x', '/audit/x', '/live/'];
  const more = ['/collections/x', '/retention/held', '/retention/held/x', '/approvals/own', '/approvals/x'];
  for (const path of [...paths, ...more])
    expect([path, isPage(path)]).toEqual([path, (await fetch(server.url + path)).status === 200]);
  expect(isPage('/figures/x')).toBe(false);
});

test('who opens a wrong address in a browser reads that there is nothing, and a program has its problem', async () => {
  const answered = (path: string, accept: string) => fetch(server.url + path, { headers: { accept } });
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  const page = await answered('/no/such/page', browser);
  expect(page.status).toBe(404);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('id="console"');
  for (const [path, accept] of [
    ['/no/such/page', 'application/json'],
    ['/no/such/page', '*/*'],
    ['/api/v1/no/such/route', browser],
  ] as const) {
    const problem = await answered(path, accept);
    expect(problem.status).toBe(404);
    expect(await problem.json()).toMatchObject({ code: 'address_unknown' });
  }
});

test('without it the API stands alone', async () => {
  expect(stage.server.url).not.toBe(server.url);
  expect((await fetch(stage.server.url)).status).toBe(404);
  expect((await fetch(`${stage.server.url}/calls`)).status).toBe(404);
});

test('a folder in which nothing was built is no console', async () => {
  const empty = folder.path('empty');
  await mkdir(empty, { recursive: true });
  await writeFile(join(empty, 'main.js'), '');
  expect(readConsole(empty)).toBeUndefined();
});

test('a page and a file of it are asked for their headers alone, too', async () => {
  const asset = (await readdir(join(built(), 'assets'))).find((name) => name.endsWith('.js')) ?? '';
  for (const path of ['/', '/calls', `/assets/${asset}`]) {
    const [head, get] = [await fetch(`${server.url}${path}`, { method: 'HEAD' }), await fetch(`${server.url}${path}`)];
    expect([path, head.status, head.headers.get('content-type')]).toEqual([path, 200, get.headers.get('content-type')]);
    expect(await head.text()).toBe('');
  }
});

/** What `npm run package:npm` packs, installed by npm into an empty folder, and run there beside a real Asterisk. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { bundle, product } from '../../../build.mjs';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import { eventually } from '../../support/poll.ts';
import { useRig } from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');
const folder = temporaryFolder();
const manifest = z.looseObject({ name: z.string().optional(), version: z.string() });
const manifestIn = async (path: string) =>
  manifest.parse(JSON.parse(await readFile(join(path, 'package.json'), 'utf8')));

const at = useRig(() => ({ idle: true }));
let serve: LiveProcess | undefined;

afterEach(async () => {
  await serve?.stop();
});

const installed = (...names: string[]): string => folder.path(join('installed', 'node_modules', ...names));
const command = (): string => installed('.bin', 'preavis');
/** What an operator has in the environment. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], ...at.rig.variables });

beforeAll(async () => {
  const [packed, into] = [folder.path('packed'), folder.path('installed')];
  for (const path of [packed, into]) await mkdir(path);
  await run(process.execPath, ['packaging/npm.mjs', '--as-built', '--to', packed], { cwd: root });
  const [archive = ''] = await readdir(packed);
  // What npm has kept of `npm ci` is enough: no network is asked for what is there. No scripts: see below.
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...options, join(packed, archive)], { cwd: into });
  // On Node 20 SQLite is compiled where there is no ready-made one. That was done for this machine by `npm ci`, and takes a minute.
  const compiled = join(root, 'node_modules/better-sqlite3/build');
  const sqlite = [installed('better-sqlite3'), installed('preavis', 'node_modules', 'better-sqlite3')].find(existsSync);
  if (existsSync(compiled) && sqlite !== undefined) await cp(compiled, join(sqlite, 'build'), { recursive: true });
});

test('what was built asks for no other package than those that are in it', () => {
  const { metafile } = bundle({ ...product, write: false });
  const asked = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports
      .filter(({ external, path }) => external === true && !path.startsWith('node:') && !isBuiltin(path))
      .map(({ path }) => path),
  );
  // Faster parts of ws and of pg, where somebody has installed them.
  expect(new Set(asked)).toEqual(new Set(['ari-client', 'bufferutil', 'pg-native', 'utf-8-validate']));
});

test('its packages are those that were tested, with what replaces outdated ones', async () => {
  const tested = z
    .looseObject({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
    .parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))).packages;
  const home = installed('preavis');
  const files = await readdir(join(home, 'node_modules'), { recursive: true });
  const own = files
    .filter((path) => /(^|\/node_modules\/)(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
    .map((path) => dirname(path));
  expect(own.length).toBeGreaterThan(50);
  const found = await Promise.all(
    own.map(async (path) => ({ path, version: (await manifestIn(join(home, 'node_modules', path))).version })),
  );
  expect(found).toEqual(found.map(({ path }) => ({ path, version: tested[`node_modules/${path}`]?.version })));
  for (const name of ['ari-client', 'ws', 'uuid', 'better-sqlite3-13']) expect(own).toContain(name);
  expect((await manifestIn(join(home, 'node_modules/request'))).name).toBe('@cypress/request');
  // Nothing of them beside it, where npm would have chosen the versions.
  expect((await readdir(installed())).filter((name) => !name.startsWith('.')).sort()).not.toContain('ws');
});

test('it says its version, and what is wrong', async () => {
  const { version } = await manifestIn(root);
  expect((await run(command(), ['--version'])).stdout).toBe(`${version}\n`);
  // Code 3: the purposes of the lab are for people to look at.
  const checked = await run(command(), ['check'], { env: environment() }).catch((error: unknown) =>
    z.looseObject({ stdout: z.string() }).parse(error),
  );
  expect(checked.stdout).toMatch(/^ok {5}asterisk$/m);
  expect(checked.stdout).not.toMatch(/^WRONG/m);
});

test('it serves, and ends when it is asked to', async () => {
  const logFile = folder.path('serve.log');
  serve = await spawnLive(command(), ['serve'], { logFile, env: environment() });
  await eventually(async () => {
    if (serve?.isRunning() !== true) throw new Error(await readFile(logFile, 'utf8'));
    const health: unknown = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`)).json();
    expect(health).toMatchObject({ status: 'ok', asterisk: 'connected' });
  });
  process.kill(serve.pid, 'SIGTERM');
  expect(await serve.exited).toBe(0);
});

/**
 * Makes the Debian package: what `npm pack` gives, with the npm packages that it loads, in the folders of Debian, put together by
 * debhelper. Nothing is fetched: the npm packages are those of the checkout.
 *
 *   npm run package:deb [-- --to FOLDER]        default: packages/
 *
 * DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools; SOURCE_DATE_EPOCH the date.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle, product } from '../../build.mjs';
import {
  debianChangelog,
  jobs,
  jobService,
  jobTimer,
  manualPage,
  packagedConfiguration,
  packagedDialplan,
  packagedService,
  packagedWorker,
} from './forms.ts';
import { closureOf, licenceText, productionPackages, readLock } from './licences.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const templates = fileURLToPath(new URL('debian', import.meta.url));

class Refusal extends Error {}

const textOf = (...names: string[]): string => readFileSync(join(root, ...names), 'utf8');

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Output of a command. Throws with what it has said. */
function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  try {
    return execFileSync(command, args, {
      ...options,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Refusal(`${command} ${args.join(' ')} failed.\n${said}`, { cause });
  }
}

// --- npm packages ----------------------------------------------------------------------------------------------------

const sqliteOf20 = 'better-sqlite3';
const sqliteOf22 = 'better-sqlite3-13';

/** Whether the checkout has SQLite for Node 20: npm has built it for the Node that it ran on. */
function hasSqliteOf20(): boolean {
  return process.versions.node.startsWith('20.') && existsSync(join(root, 'node_modules', sqliteOf20, 'build/Release'));
}

/** What dist/ imports and does not contain, and SQLite, which it imports by a name that is chosen when it runs. */
function importedPackages(): string[] {
  const { outputs } = bundle({ ...product, write: false }).metafile;
  const imported = Object.values(outputs).flatMap(({ imports }) =>
    imports.flatMap(({ path, external }) => (external === true && !isBuiltin(path) ? [path] : [])),
  );

  return [...new Set([...imported, ...(hasSqliteOf20() ? [sqliteOf20] : []), sqliteOf22])];
}

/** At the top of a package: for people and for its developers. Their licences are in one file. */
const notForRunning =
  /^(\..*|.*\.(md|markdown|gyp|map|txt|yml)|licen[cs]e.*|copying.*|notice.*|readme.*|changelog.*|changes|history.*|authors.*|makefile|gruntfile.*|bower\.json|test|tests|spec|docs?|examples?|bench|benchmark|bin|tools|deps|src|build|prebuilds|node_modules)$/i;

function copyPackage(place: string, to: string): void {
  const from = join(root, place);
  mkdirSync(join(to, place), { recursive: true });
  const { main } = JSON.parse(textOf(place, 'package.json')) as { main?: unknown };
  // Anything but a text is none to Node, either.
  const program = typeof main === 'string' ? main.replace(/^\.\//, '') : '';
  for (const name of readdirSync(from)) {
    // A few have their program in such a folder.
    const isMain = program === name || program.startsWith(`${name}/`);
    if (name === 'node_modules' || (notForRunning.test(name) && !isMain)) continue;
    cpSync(join(from, name), join(to, place, name), {
      recursive: true,
      filter: (file) => !/(\.d\.[cm]?ts|\.map|\.md|\/\.[^/]+|\/LICENSE[^/]*|\/bin)$/.test(file.slice(from.length)),
    });
  }
}

/** The native code of SQLite for this machine, without its sources and those of other machines. */
function copySqlite(to: string): void {
  const native = [
    ...(hasSqliteOf20() ? [join('node_modules', sqliteOf20, 'build/Release/better_sqlite3.node')] : []),
    join('node_modules', sqliteOf22, 'prebuilds', `linux-${process.arch}.node`),
  ];
  for (const file of native) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(root, file), join(to, file));
  }
}

// --- the files -------------------------------------------------------------------------------------------------------

/** What `npm pack` gives, unpacked. */
function unpacked(work: string): string {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], { cwd: root }),
  ) as { filename: string }[];
  if (packed === undefined) throw new Refusal('npm pack gives no file.');
  run('tar', ['-xzf', join(work, basename(packed.filename)), '-C', work]);

  return join(work, 'package');
}

function placeProgram(from: string, files: string): void {
  const program = join(files, 'usr/lib/preavis');
  mkdirSync(program, { recursive: true });
  for (const name of ['package.json', 'dist', 'sounds', 'texts', 'config']) {
    const isWanted = (path: string): boolean => basename(path) !== '.gitattributes';
    cpSync(join(from, name), join(program, name), { recursive: true, filter: isWanted });
  }
  rmSync(join(program, 'dist/console/licenses.md'));
  const lock = readLock(root);
  // It fetches SQLite while npm installs.
  for (const place of closureOf(lock, importedPackages(), ['prebuild-install'])) copyPackage(place, program);
  copySqlite(program);
  // Not whatever `node` is found first: the package depends on Debian's.
  write(join(files, 'usr/bin/preavis'), '#!/bin/sh\nexec /usr/bin/node /usr/lib/preavis/dist/main.js "$@"\n');
  chmodSync(join(files, 'usr/bin/preavis'), 0o755);
}

function placePages(from: string, files: string): void {
  const pages = join(files, 'usr/share/doc/preavis');
  mkdirSync(pages, { recursive: true });
  cpSync(join(from, 'docs'), join(pages, 'docs'), { recursive: true, filter: (file) => !file.endsWith('.ts') });
  copyFileSync(join(from, 'README.md'), join(pages, 'README.md'));
  // The pages speak of what lies beside them in a checkout.
  for (const name of ['config', 'sounds', 'texts']) symlinkSync(`../../../lib/preavis/${name}`, join(pages, name));
  cpSync(join(from, 'dialplan'), join(pages, 'dialplan'), { recursive: true });
  const licences = licenceText(root, productionPackages(readLock(root)), textOf('dist/console/licenses.md'));
  write(join(pages, 'licences.txt'), licences);
}

function placeConfiguration(files: string): void {
  const service = textOf('config/preavis.service');
  const units = join(files, 'usr/lib/systemd/system');
  write(join(files, 'etc/preavis/preavis.yaml'), packagedConfiguration(textOf('config/preavis.yaml')));
  // Where it stays when the package is removed: without it Asterisk could not connect the calls that still come to it.
  write(join(files, 'etc/asterisk/preavis.conf'), packagedDialplan(textOf('dialplan/preavis.conf')));
  write(join(units, 'preavis.service'), packagedService(service));
  write(join(units, 'preavis@.service'), packagedWorker(textOf('config/preavis@.service')));
  for (const job of jobs) {
    write(join(units, `preavis-${job.name}.service`), jobService(service, job));
    write(join(units, `preavis-${job.name}.timer`), jobTimer(job));
  }
}

// --- debian/ ---------------------------------------------------------------------------------------------------------

function placeTemplates(source: string, version: string, at: Date): void {
  const name = process.env['DEBFULLNAME'] ?? 'The Préavis authors';
  const maintainer = `${name} <${process.env['DEBEMAIL'] ?? 'preavis@example.org'}>`;
  const [, licence = ''] = textOf('LICENSE').split(/^Copyright .*\n\n/m);
  const values: Readonly<Record<string, string>> = {
    MAINTAINER: maintainer,
    NODE: hasSqliteOf20() ? 'nodejs (>= 20.19)' : 'nodejs (>= 22)',
    VERSION: version,
    LICENSE: `License: Expat\n${licence.trim().replace(/^/gm, ' ').replace(/^ $/gm, ' .')}`,
  };
  const folder = join(source, 'debian');
  cpSync(templates, folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8');
    writeFileSync(
      join(folder, file),
      text.replace(/@([A-Z]+)@/g, (whole, key: string) => values[key] ?? whole),
    );
  }
  writeFileSync(join(folder, 'changelog'), debianChangelog(textOf('CHANGELOG.md'), version, at, maintainer));
  const help = run(process.execPath, [join(root, 'dist/main.js'), '--help']);
  writeFileSync(join(folder, 'preavis.1'), manualPage(help, version));
  writeFileSync(join(folder, 'preavis.manpages'), 'debian/preavis.1\n');
  copyFileSync(join(root, 'CHANGELOG.md'), join(source, 'CHANGELOG.md'));
}

/** Of the last change, so that two builds of it are alike. */
function dateOfChange(): Date {
  const epoch = process.env['SOURCE_DATE_EPOCH'] ?? run('git', ['log', '-1', '--format=%ct'], { cwd: root }).trim();

  return new Date(Number(epoch) * 1000);
}

function build(to: string): string {
  for (const [tool, debian] of [
    ['dh', 'debhelper'],
    ['dpkg-deb', 'dpkg'],
  ] as const) {
    if (!(process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, tool)))) {
      throw new Refusal(`There is no ${tool}. Install it: sudo apt-get install ${debian}`);
    }
  }
  if (!existsSync(join(root, 'dist/main.js'))) throw new Refusal('There is no dist/. Run: npm run build');
  const work = mkdtempSync(join(tmpdir(), 'preavis-deb-'));
  try {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    const at = dateOfChange();
    const source = join(work, 'preavis');
    const from = unpacked(work);
    const files = join(source, 'files');
    placeProgram(from, files);
    placePages(from, files);
    placeConfiguration(files);
    placeTemplates(source, version, at);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(at.getTime() / 1000), LC_ALL: 'C.UTF-8' };
    run('debian/rules', ['binary'], { cwd: source, env });
    const made = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (made === undefined) throw new Refusal('debhelper made no package.');
    mkdirSync(to, { recursive: true });
    copyFileSync(join(work, made), join(to, made));

    return join(to, made);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  const { values } = parseArgs({ options: { to: { type: 'string', default: join(root, 'packages') } } });
  process.stdout.write(`${build(values.to)}\n`);
} catch (thrown) {
  process.stderr.write(`package:deb: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}

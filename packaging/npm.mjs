/**
 * Packs Préavis for npm, as preavis-VERSION.tgz with the packages that it was tested with in it:
 *
 *   npm run package:npm                        builds, then packs into this checkout
 *   npm run package:npm -- --to FOLDER --as-built
 *
 * `npm pack` alone would leave their versions to whoever installs it: npm applies `overrides` and a lock only in the project that it
 * installs, and Préavis replaces outdated packages under ari-client by them. Nor does npm look at npm-shrinkwrap.json of a file.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const write = (folder, name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);

function run(command, args, cwd) {
  const { status, stdout } = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} failed`);

  return stdout.trim();
}

/**
 * The build has the modules of all others in its files (build.mjs). SQLite for Node 20 is not here: npm compiles it where it is
 * installed.
 */
const loadedAtRunTime = ['ari-client', 'better-sqlite3-13'];

/** The folders of these packages and of all that they need, as Node finds them from `path`. */
function bundled(names) {
  const found = new Set();
  const { packages } = read('package-lock.json');
  const above = (from) => from.slice(0, Math.max(from.lastIndexOf('/node_modules/'), 0));
  const placeOf = (name, from) => {
    const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (from === '') throw new Error(`package-lock.json has no ${name}`);

    return placeOf(name, above(from));
  };
  const add = (each, from) => {
    const place = placeOf(each, from);
    if (found.has(place)) return;
    found.add(place);
    for (const needed of Object.keys(packages[place].dependencies ?? {})) add(needed, place);
  };
  for (const name of names) add(name, '');

  return [...found];
}

function pack(to) {
  const { devDependencies: _, scripts: __, allowScripts: ___, ...manifest } = read('package.json');
  const stage = mkdtempSync(join(tmpdir(), 'preavis-npm-'));
  const copy = (name, filter) => cpSync(join(root, name), join(stage, name), { recursive: true, filter });
  try {
    for (const name of manifest.files) copy(name);
    // What lies within a package comes by itself where it is one of these, and what was compiled is of this machine.
    for (const path of bundled(loadedAtRunTime)) {
      copy(path, (source) => !/^(node_modules|build)$/.test(relative(join(root, path), source).split(sep)[0]));
    }
    const dependencies = Object.fromEntries(loadedAtRunTime.map((name) => [name, manifest.dependencies[name]]));
    write(stage, 'package.json', { ...manifest, dependencies, bundleDependencies: loadedAtRunTime });

    return join(to, run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', to], stage));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { to: { type: 'string', default: root }, 'as-built': { type: 'boolean' } } });
if (values['as-built'] !== true) run('npm', ['run', '--silent', 'build'], root);
process.stdout.write(`${pack(resolve(values.to))}\n`);

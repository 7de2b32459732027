import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { migrations } from '../../../src/catalogue/migrations.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');

/** The package of this checkout, as `npm run package:deb` makes it; its path. */
export async function buildDebianPackage(folder: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['--import', 'tsx', join(root, 'packaging/debian/build.ts'), '--to', folder],
    // Compressed as little as can be: that would take longest.
    { cwd: root, env: { ...process.env, NODE_OPTIONS: '', DPKG_DEB_COMPRESSOR_LEVEL: '0' } },
  );

  return stdout.trim();
}

export async function fieldOf(file: string, field: string): Promise<string> {
  return (await run('dpkg-deb', ['--field', file, field])).stdout.trim();
}

/** What lintian says of it; empty where it has nothing to say. */
export async function lintian(file: string): Promise<string> {
  const { stdout } = await run('lintian', ['--no-cfg', '--tag-display-limit', '0', file], {
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  }).catch((error: unknown) => ({ stdout: (error as { stdout: string }).stdout }));

  return stdout.trim();
}

function replaceIn(file: string, text: string, by: string): void {
  const before = readFileSync(file, 'utf8');
  if (!before.includes(text)) throw new Error(`${file} has no ${text}`);
  writeFileSync(file, before.replaceAll(text, by));
}

/** Where earlierPackage leaves its files. */
export const unpackedEarlier = (folder: string): string => join(folder, 'earlier');

/** The version of SQLite that an unpacked package has for this Node. */
export async function sqliteOf(tree: string, node: string): Promise<string> {
  const script = `
    const name = Number.parseInt(process.versions.node, 10) >= 22 ? 'better-sqlite3-13' : 'better-sqlite3';
    console.log(new (require(name))(':memory:').prepare('SELECT sqlite_version()').pluck().get());`;
  const cwd = join(tree, 'usr/lib/preavis');

  return (await run(node, ['-e', script], { cwd, env: { ...process.env, NODE_OPTIONS: '' } })).stdout.trim();
}

/** The same as another version, with what `change` does to its unpacked files. Its path. */
async function otherVersion(
  file: string,
  version: string,
  tree: string,
  change: (tree: string) => void,
): Promise<string> {
  const now = await fieldOf(file, 'Version');
  mkdirSync(dirname(tree), { recursive: true });
  await run('dpkg-deb', ['--raw-extract', file, tree]);
  replaceIn(join(tree, 'DEBIAN/control'), `Version: ${now}`, `Version: ${version}`);
  replaceIn(join(tree, 'DEBIAN/postinst'), `lt "${now}"`, `lt "${version}"`);
  replaceIn(join(tree, 'usr/lib/preavis/package.json'), `"version": "${now}"`, `"version": "${version}"`);
  change(tree);
  const made = join(dirname(tree), `preavis_${version}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, made]);

  return made;
}

/** The same as an earlier version, which ships another text of the configuration. Its path. */
export const earlierPackage = (file: string, version: string, folder: string): Promise<string> =>
  otherVersion(file, version, unpackedEarlier(folder), (tree) => {
    replaceIn(join(tree, 'etc/preavis/preavis.yaml'), '# The configuration of Préavis', '# The settings of Préavis');
  });

/** The same as a later version, whose catalogue has one step more: it makes the table `carried` of what it finds. Its path. */
export const laterPackage = (file: string, version: string, folder: string): Promise<string> =>
  otherVersion(file, version, join(folder, 'later'), (tree) => {
    const last = `${migrations.at(-1) ?? ''}\``;
    const program = readdirSync(join(tree, 'usr/lib/preavis/dist'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
      .map(({ parentPath, name }) => join(parentPath, name));
    const holders = program.filter((name) => readFileSync(name, 'utf8').includes(last));
    if (holders.length === 0)
      throw new Error('No file of the program has the last step of the schema as it is in its source.');
    for (const name of holders) {
      replaceIn(name, last, `${last}, 'CREATE TABLE carried AS SELECT id, status FROM recordings'`);
    }
  });

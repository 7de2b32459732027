import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

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

/** The same as an earlier version, which ships another text of the configuration. Its path. */
export async function earlierPackage(file: string, version: string, folder: string): Promise<string> {
  const now = await fieldOf(file, 'Version');
  const tree = unpackedEarlier(folder);
  mkdirSync(folder, { recursive: true });
  await run('dpkg-deb', ['--raw-extract', file, tree]);
  replaceIn(join(tree, 'DEBIAN/control'), `Version: ${now}`, `Version: ${version}`);
  replaceIn(join(tree, 'DEBIAN/postinst'), `lt "${now}"`, `lt "${version}"`);
  replaceIn(join(tree, 'usr/lib/preavis/package.json'), `"version": "${now}"`, `"version": "${version}"`);
  replaceIn(join(tree, 'etc/preavis/preavis.yaml'), '# The configuration of Préavis', '# The settings of Préavis');
  const made = join(folder, `preavis_${version}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, made]);

  return made;
}

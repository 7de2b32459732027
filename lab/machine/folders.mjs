/** Where the lab keeps things. Plain JavaScript without dependencies, because prepare.mjs needs it before all else. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Where what takes long to make is kept, outside every checkout. */
export function cacheFolder() {
  const own = process.env['PREAVIS_LAB_CACHE'];
  if (own) return own;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'preavis-lab');
}

/** TMPDIR cannot be used; the message says why and what to do. */
export class NoFolder extends Error {}

function look(path) {
  const found = statSync(path);
  return { isFolder: found.isDirectory(), owner: found.uid };
}

/** Records and short-lived folders of this user. Throws NoFolder, and what the disk says. */
export function runFolder() {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `preavis-lab-${uid}`);
  // One level only: with `recursive`, mkdir never ends below /proc. A TMPDIR that is not there is a mistake.
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch (error) {
    if (error.code === 'ENOENT') throw new NoFolder(`${folder} cannot be made. Set TMPDIR to a folder that is there.`);
    if (error.code !== 'EEXIST') throw error;
  }
  const { isFolder, owner } = look(folder);
  if (!isFolder) throw new NoFolder(`${folder} is not a folder. Remove it, or set TMPDIR.`);
  // Records say what is killed and removed, so nobody else may write them.
  if (owner !== uid) throw new NoFolder(`${folder} belongs to another user. Remove it, or set TMPDIR.`);
  return folder;
}

/** The Debian release asked for by PREAVIS_LAB_RELEASE (bullseye has Asterisk 16); then a host's own Asterisk is left aside. */
export function askedRelease() {
  return process.env['PREAVIS_LAB_RELEASE'] || undefined;
}

/** The Debian release that the cached Asterisk comes from: forky, or the one asked for. */
export function asteriskRelease() {
  return askedRelease() ?? 'forky';
}

/** The small Debian with an Asterisk. */
export function asteriskRoot() {
  return join(cacheFolder(), `asterisk-${asteriskRelease()}`);
}

/** Prometheus and promtool, unpacked from Debian's packages and not installed: no service of it is made or started. */
export function prometheusPrograms() {
  const programs = join(cacheFolder(), 'prometheus/usr/bin');
  return { prometheus: join(programs, 'prometheus'), promtool: join(programs, 'promtool') };
}

/** Kamailio with kamcmd and its modules, unpacked in the same way. The folder of modules has the name of the machine's architecture in its path. */
export function kamailioPrograms() {
  const usr = join(cacheFolder(), 'kamailio/usr');
  const libraries = join(usr, 'lib');
  const modules = (existsSync(libraries) ? readdirSync(libraries) : [])
    .map((architecture) => join(libraries, architecture, 'kamailio/modules'))
    .find((folder) => existsSync(folder));
  const programs = { kamailio: join(usr, 'sbin/kamailio'), kamcmd: join(usr, 'sbin/kamcmd') };
  return modules !== undefined && Object.values(programs).every((program) => existsSync(program))
    ? { ...programs, modules }
    : undefined;
}

/**
 * PostgreSQL, unpacked likewise: of the newest release that is there, or the older one that is asked for. `tree` has its programs, what they read,
 * and the libraries that this machine lacked. It may be moved: its programs find what they read from where they are. undefined: there is none.
 */
export function postgresServer(older = askedPostgres()) {
  return older ? olderPostgresServer(older) : postgresIn('postgres', ['postgres', 'initdb', 'pg_basebackup']);
}

/** The release asked for by PREAVIS_LAB_POSTGRES, where it is an older one: 15 or 16. */
export function askedPostgres() {
  return process.env['PREAVIS_LAB_POSTGRES'] || undefined;
}

/** An older release of it, from the package of npm that has the server alone. */
export function olderPostgresServer(release) {
  return postgresIn(`postgres-${release}`, ['postgres', 'initdb']);
}

function postgresIn(part, programs) {
  const tree = join(cacheFolder(), part, 'usr');
  const releases = join(tree, 'lib/postgresql');
  const [release] = (existsSync(releases) ? readdirSync(releases) : []).toSorted((one, other) => other - one);
  const isWhole = programs.every((name) => existsSync(join(releases, release ?? '', 'bin', name)));
  return release !== undefined && isWhole ? { tree, release } : undefined;
}

/** libfaketime of the Debian in this folder, if it is there. Of the two that the package brings, the one for programs with threads. */
export function fakeClockLibrary(root) {
  const libraries = join(root, 'usr/lib');
  return readdirSync(libraries)
    .map((architecture) => join(libraries, architecture, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}

/** A small Debian with Node and npm, in which the image can be built where no registry of images is reached, and where it is from. */
export function imageBase() {
  return { folder: join(cacheFolder(), 'image-base'), release: 'trixie', node: '26' };
}

/** Litestream, from the package of npm that has its program. */
export function litestreamProgram() {
  return join(cacheFolder(), 'litestream/package/litestream');
}

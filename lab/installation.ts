/**
 * Which Asterisk the lab runs: the machine's own (16 or later on PATH), or the one in the cache folder, a small Debian that
 * prepare.mjs makes where the machine's packages have none. Paths `inside` are as that Asterisk sees them.
 */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { askedRelease, asteriskRoot, runFolder } from './places.mjs';

const run = promisify(execFile);

export const oldestAsterisk = 16;

export type Installation = {
  readonly version: string;
  /** The folder that Asterisk sees as `/`. */
  readonly root: string;
  /** Where instances get their folders, as Asterisk sees it. */
  readonly instances: string;
  /** Folder with rest-api, documentation and sounds, as Asterisk sees it. */
  readonly dataFolder: string;
  /** Numeric user and group that Asterisk runs as. */
  readonly uid: number;
  readonly gid: number;
  /** Program and arguments that run Asterisk with these arguments. */
  command(args: readonly string[]): [string, string[]];
};

export async function findInstallation(): Promise<Installation> {
  const onPath = askedRelease() === undefined ? await versionOf('asterisk', ['-V']) : undefined;
  if (onPath !== undefined && majorOf(onPath) >= oldestAsterisk) return hostInstallation(onPath);
  const root = asteriskRoot();
  if (existsSync(join(root, 'usr/sbin/asterisk'))) return await rootInstallation(root);
  throw new Error(`The lab has no Asterisk >= ${oldestAsterisk}. Run: node lab/prepare.mjs --with asterisk`);
}

function majorOf(version: string): number {
  return Number(/\d+/.exec(version)?.[0] ?? 0);
}

async function versionOf(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, [...args]);
    return stdout.replace(/^Asterisk\s+/, '').trim();
  } catch {
    return undefined;
  }
}

function hostInstallation(version: string): Installation {
  const { uid, gid } = runAs('/');
  const command =
    userInfo().uid === 0
      ? (args: readonly string[]): [string, string[]] => [
          'chroot',
          [`--userspec=${uid}:${gid}`, '/', 'asterisk', ...args],
        ]
      : (args: readonly string[]): [string, string[]] => ['asterisk', [...args]];
  return {
    version,
    root: '/',
    instances: join(runFolder(), 'asterisk'),
    dataFolder: findDataFolder('/'),
    uid,
    gid,
    command,
  };
}

async function rootInstallation(root: string): Promise<Installation> {
  const { uid, gid } = runAs(root);
  const chroot = ['chroot', `--userspec=${uid}:${gid}`, root, '/usr/sbin/asterisk'];
  const command = (args: readonly string[]): [string, string[]] =>
    userInfo().uid === 0 ? ['chroot', [...chroot.slice(1), ...args]] : ['sudo', ['-n', ...chroot, ...args]];
  const version = await versionOf(...command(['-V']));
  if (version === undefined) {
    const needs =
      userInfo().uid === 0
        ? 'Remove that folder'
        : 'It needs root, or sudo without a password; else remove that folder';
    throw new Error(`The Asterisk in ${root} does not run. ${needs}, then run: node lab/prepare.mjs`);
  }
  return { version, root, instances: '/srv/preavis-lab', dataFolder: findDataFolder(root), uid, gid, command };
}

/** Not root: as ourselves, so that the spool is ours. Root: as the package's user (Asterisk gives up too much as root). */
function runAs(root: string): { uid: number; gid: number } {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const line = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('asterisk:'));
  const [, , ownUid, ownGid] = line?.split(':') ?? [];
  return { uid: Number(ownUid ?? uid), gid: Number(ownGid ?? gid) };
}

function findDataFolder(root: string): string {
  const folder = ['/usr/share/asterisk', '/var/lib/asterisk', '/usr/local/share/asterisk'].find((candidate) =>
    existsSync(join(root, candidate, 'rest-api')),
  );
  if (folder === undefined) throw new Error(`The Asterisk under ${root} has no rest-api folder: its ARI cannot work.`);
  return folder;
}

/** A path inside, with its symbolic links followed as Asterisk would follow them: from its own root. */
export function resolveInside(root: string, inside: string): string {
  let path = inside;
  for (let hops = 0; hops < 10; hops += 1) {
    const host = join(root, path);
    if (!lstatSync(host, { throwIfNoEntry: false })?.isSymbolicLink()) return path;
    const target = readlinkSync(host);
    path = target.startsWith('/') ? target : join(dirname(path), target);
  }
  return path;
}

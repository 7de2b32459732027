/**
 * Which Asterisk the lab runs: the machine's own (hostAsterisk.mjs decides), or the one in the cache folder, a small Debian
 * that prepare.mjs makes where the machine's packages have none. Paths `inside` are as that Asterisk sees them.
 */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import {
  findDataFolder,
  findHostAsterisk,
  hostCommand,
  oldestAsterisk,
  runAs,
  versionIn,
  type HostAsterisk,
} from './asterisk/hostAsterisk.mjs';
import { asteriskRoot, runFolder } from './machine/folders.mjs';

const run = promisify(execFile);

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
  /** Program and arguments that run Asterisk with these arguments, with these variables in its own environment alone. */
  command(args: readonly string[], variables?: Readonly<Record<string, string>>): [string, string[]];
};

export async function findInstallation(): Promise<Installation> {
  const { asterisk, passedOver } = findHostAsterisk();
  if (asterisk) return hostInstallation(asterisk);
  const root = asteriskRoot();
  if (existsSync(join(root, 'usr/sbin/asterisk'))) return await rootInstallation(root);
  throw new Error(
    [...passedOver, `The lab has no Asterisk >= ${oldestAsterisk}. Run: node lab/prepare.mjs --with asterisk`].join(
      '\n',
    ),
  );
}

function hostInstallation({ program, version, dataFolder }: HostAsterisk): Installation {
  return {
    version,
    root: '/',
    instances: join(runFolder(), 'asterisk'),
    dataFolder,
    ...runAs('/'),
    command: (args, variables = {}) => {
      const [command = program, ...before] = withVariables(variables);
      return hostCommand(command, [...before, ...(command === program ? [] : [program]), ...args]);
    },
  };
}

/** Of the program alone: what runs it may be another user's, or see other folders. */
function withVariables(variables: Readonly<Record<string, string>>): string[] {
  const all = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return all.length === 0 ? [] : ['/usr/bin/env', ...all];
}

async function rootInstallation(root: string): Promise<Installation> {
  const { uid, gid } = runAs(root);
  const chroot = [`--userspec=${uid}:${gid}`, root];
  const command = (args: readonly string[], variables: Readonly<Record<string, string>> = {}): [string, string[]] => {
    const all = [...chroot, ...withVariables(variables), '/usr/sbin/asterisk', ...args];
    return userInfo().uid === 0 ? ['chroot', all] : ['sudo', ['-n', 'chroot', ...all]];
  };
  const version = await versionOf(...command(['-V']));
  if (version === undefined) {
    const needs =
      userInfo().uid === 0
        ? 'Remove that folder'
        : 'It needs root, or sudo without a password; else remove that folder';
    throw new Error(`The Asterisk in ${root} does not run. ${needs}, then run: node lab/prepare.mjs`);
  }
  const dataFolder = findDataFolder(root);
  if (dataFolder === undefined) {
    throw new Error(`The Asterisk in ${root} has no rest-api folder. Remove ${root}, then run: node lab/prepare.mjs`);
  }
  return { version, root, instances: '/srv/preavis-lab', dataFolder, uid, gid, command };
}

async function versionOf(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, [...args]);
    return versionIn(stdout);
  } catch {
    return undefined;
  }
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

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { findHostAsterisk } from '../../../lab/asterisk/hostAsterisk.mjs';
import { asteriskRoot } from '../../../lab/machine/folders.mjs';
import { canMount } from './mounts.ts';

const project = join(import.meta.dirname, '..', '..', '..');

/** There is the lab's small Debian, and mounts are allowed: with them another machine can be played. */
export const hasMachine: boolean = canMount && existsSync(join(asteriskRoot(), 'usr/sbin/asterisk'));

/** All mounts are in a name space of their own, which ends with the shell; any folder that is there will do for them. */
const script = `set -e
debian=$1 project=$2 node=$3 change=$4 look=$5 path=$6
place=$project/node_modules
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
root=$place/root
mount -t overlay -o "lowerdir=$debian,upperdir=$place/upper,workdir=$place/work" overlay "$root"
mkdir "$root/lab"
mount --bind "$project/lab" "$root/lab"
touch "$root/usr/bin/node"
mount --bind "$node" "$root/usr/bin/node"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
unset TMPDIR PREAVIS_LAB_RELEASE NODE_EXTRA_CA_CERTS NODE_OPTIONS
export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot "$root" sh -ec "$change"
exec chroot "$root" node --input-type=module --eval "$look" "$path"
`;

const look = `
import { findHostAsterisk } from '/lab/asterisk/hostAsterisk.mjs';
const path = process.argv[1];
const found = [findHostAsterisk({ path }), findHostAsterisk({ path })];
process.stdout.write(JSON.stringify(found));
`;

/**
 * What the lab finds, asked twice, on a Debian machine with its package of Asterisk, after `change` (shell) was done to it.
 * The machine is gone afterwards.
 */
export function lookOnMachine(change: string, path: string): ReturnType<typeof findHostAsterisk>[] {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      asteriskRoot(),
      project,
      process.execPath,
      change,
      look,
      path,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`exit ${String(status)}: ${stderr}`);
  return JSON.parse(stdout) as ReturnType<typeof findHostAsterisk>[];
}

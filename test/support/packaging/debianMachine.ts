import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askedRelease, asteriskRoot } from '../../../lab/machine/folders.mjs';
import { makeLabFolder, spawnLive } from '../../../lab/machine/processes.ts';
import { eventually } from '../poll.ts';
import { hasMachine } from '../rig/machine.ts';

const hasProgram = (name: string): boolean => spawnSync('which', [name]).status === 0;
const isInside = (file: string): boolean => existsSync(join(asteriskRoot(), file));

/**
 * Why no Debian machine can be played here; undefined where one can. `node lab/prepare.mjs --with asterisk,package` brings what is missing; that a
 * machine has an Asterisk of its own, an older one was asked for, or nobody may mount, it cannot mend.
 */
export const noMachine: string | undefined = ((): string | undefined => {
  if (!hasMachine) return 'needs root, mounts, and the Debian of the lab with its Asterisk';
  if (askedRelease() !== undefined) return 'needs the Node of a Debian that is not older';
  const hasAll =
    ['dh', 'lintian', 'ip'].every(hasProgram) &&
    ['usr/bin/node', 'usr/bin/setfacl', 'usr/lib/systemd/systemd'].every(isInside);

  return hasAll ? undefined : 'needs node lab/prepare.mjs --with asterisk,package';
})();

/** All mounts are in a name space of their own, which ends with its first process; what is written is in memory. */
const script = `set -e
debian=$1 place=$2 shared=$3
mount -t tmpfs -o size=1500m,mode=755 tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
root=$place/root
mount -t overlay -o "lowerdir=$debian,upperdir=$place/upper,workdir=$place/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/shared"
mount --bind "$shared" "$root/shared"
ip link set lo up
hostname preavis-lab
mkdir "$root/outside"
cd "$root"
pivot_root . outside
umount -l /outside
exec env -i container=preavis-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd
`;

export type DebianMachine = {
  /** Runs a shell script as root in it. Never rejects. */
  try(script: string): Promise<{ code: number; said: string }>;
  /** The same; rejects unless it ends with 0. What it said. */
  run(script: string): Promise<string>;
  stop(): Promise<void>;
};

/**
 * A Debian machine of its own that runs systemd: process numbers, network with loopback alone, mounts. Nothing of it is left.
 *
 * @param shared a folder that it sees as /shared
 */
export async function startDebianMachine(shared: string): Promise<DebianMachine> {
  const place = makeLabFolder();
  const apart = ['--mount', '--propagation', 'private', '--pid', '--net', '--uts', '--ipc', '--cgroup'];
  const logFile = join(shared, 'machine.log');
  const machine = await spawnLive(
    'unshare',
    [...apart, '--fork', '--kill-child', 'sh', '-c', script, 'sh', asteriskRoot(), place.path, shared],
    { logFile },
  );
  const firstProcess = (): string => {
    const children = readFileSync(`/proc/${machine.pid}/task/${machine.pid}/children`, 'utf8').trim();
    if (children === '') throw new Error(`The machine is not up.\n${readFileSync(logFile, 'utf8')}`);

    return children;
  };
  const enter = (what: string): [string, string[]] => [
    'nsenter',
    [
      ...['--target', firstProcess(), '--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup'],
      ...[
        'env',
        '-i',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        'HOME=/root',
        'LC_ALL=C.UTF-8',
        'DEBIAN_FRONTEND=noninteractive',
      ],
      ...['sh', '-ec', what],
    ],
  ];
  const attempt: DebianMachine['try'] = (what) =>
    new Promise((resolve) => {
      const [command, args] = enter(what);
      execFile(command, args, { cwd: '/', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, said: `${stdout}${stderr}` });
      });
    });
  const run: DebianMachine['run'] = async (what) => {
    const { code, said } = await attempt(what);
    if (code !== 0) throw new Error(`exit ${code} of: ${what}\n${said}`);

    return said;
  };
  const stop = async (): Promise<void> => {
    await machine.stop({ signal: 'SIGKILL' });
    place.remove();
  };
  try {
    await eventually(() => run('systemctl is-active basic.target'));
  } catch (error) {
    await stop();
    throw error;
  }

  return { try: attempt, run, stop };
}

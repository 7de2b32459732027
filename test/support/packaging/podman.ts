/** Podman with images and containers of its own, which no other Podman of the machine sees. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { imageBase } from '../../../lab/machine/folders.mjs';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');
const longOutput = 64 * 1_048_576;
/** Fewer than any machine allows on which the lab runs. */
const [mostFiles, mostProcesses] = [4_096, 4_096];

/**
 * In namespaces of its own: whatever it has begun ends with it, also when this process is killed. crun takes version 2 of cgroups alone, which
 * not every machine of the lab has in its place.
 */
const within = [
  ...['unshare', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'],
  ...['sh', '-c', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"', 'sh'],
] as const;

function runsHere(...command: string[]): boolean {
  const [program, ...args] = within;

  return spawnSync(program, [...args, ...command]).status === 0;
}

/** Why no image can be built and run here, or undefined. */
export const noImages: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!runsHere('true')) return 'needs the right to make namespaces and to mount cgroups';
  const programs = [
    ['podman', '--version'],
    ['docker-compose', 'version'],
    ['setfacl', '--version'],
  ];
  if (!programs.every((command) => runsHere(...command)) || !existsSync(imageBase().folder))
    return 'needs Podman, Compose and a base: node lab/prepare.mjs --with image';

  return undefined;
})();

export type Container = LiveProcess & {
  /** To its first process, by way of Podman. */
  signal(name: NodeJS.Signals): void;
  /** The output of a command that runs in it. */
  exec(...command: string[]): Promise<string>;
};

export type Podman = {
  /** The output of a command, which may run Podman. */
  within(...command: string[]): Promise<string>;
  /** The output of `podman`. */
  run(...args: string[]): Promise<string>;
  /** `podman run`. */
  live(logFile: string, ...args: string[]): Promise<Container>;
  /** Answers at this socket as Docker's engine does; what it runs ends with it. */
  engine(logFile: string, socket: string): Promise<LiveProcess>;
};

/** @param folder of this Podman alone; who removes it has removed the images, and no container may be left then */
export async function startPodman(folder: string): Promise<Podman> {
  const [storage, containers] = [join(folder, 'storage.conf'), join(folder, 'containers.conf')];
  await mkdir(folder, { recursive: true });
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/images"\nrunroot = "${folder}/run"\n`,
  );
  // Neither systemd nor version 2 of cgroups is on every machine of the lab, nor may root open as many files everywhere as Podman asks for.
  await writeFile(
    containers,
    [
      '[containers]',
      'cgroups = "disabled"',
      `default_ulimits = ["nofile=${mostFiles}:${mostFiles}", "nproc=${mostProcesses}:${mostProcesses}"]`,
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'runtime = "crun"',
      '',
    ].join('\n'),
  );
  const environment = {
    ...process.env,
    NODE_OPTIONS: '',
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    BUILDAH_ISOLATION: 'chroot',
    PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
  };
  const [program, ...before] = within;
  const runWithin = async (...command: string[]): Promise<string> =>
    (await run(program, [...before, ...command], { cwd: root, env: environment, maxBuffer: longOutput })).stdout;

  return {
    within: runWithin,
    run: (...args) => runWithin('podman', ...args),
    live: async (logFile, ...args) => {
      const name = 'live';
      const live = await spawnLive(program, [...before, 'podman', 'run', '--name', name, ...args], {
        logFile,
        env: environment,
      });
      const first = (): string =>
        readFileSync(`/proc/${live.pid}/task/${live.pid}/children`, 'utf8').split(' ')[0] ?? '';

      return {
        ...live,
        signal: (signal) => {
          process.kill(Number(first()), signal);
        },
        exec: async (...command) => {
          const enter = ['--target', first(), '--pid', '--mount', 'podman', 'exec', name, ...command];

          return (await run('nsenter', enter, { env: environment, maxBuffer: longOutput })).stdout;
        },
      };
    },
    engine: (logFile, socket) =>
      spawnLive(program, [...before, 'podman', 'system', 'service', '--time=0', `unix://${socket}`], {
        logFile,
        env: environment,
      }),
  };
}

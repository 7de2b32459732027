import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { asteriskRoot } from '../../../lab/machine/folders.mjs';
import { makeLabFolder, spawnLive } from '../../../lab/machine/processes.ts';
import { canMount } from '../../support/rig/mounts.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const project = join(import.meta.dirname, '..', '..', '..');
const temporary = temporaryFolder();

type Run = {
  readonly folder: string;
  isReady(test: string): boolean;
  isRunning(): boolean;
  log(): string;
  interrupt(): Promise<void>;
  remove(): void;
};

const runs: Run[] = [];
// Where a test failed, what was started must end before its records are removed.
afterEach(async () => {
  for (const run of runs.splice(0)) {
    const instances = instanceFolders(run);
    if (run.isRunning()) await run.interrupt();
    await eventually(() => processesOf(run, instances).length === 0);
    run.remove();
  }
});

/** A run of tests in a process group and a temporary folder of its own, as in a terminal. */
async function startRun(name: string): Promise<Run> {
  const labFolder = makeLabFolder();
  const folder = labFolder.path;
  const [ready, logFile] = [temporary.path(name), temporary.path(`${name}.log`)];
  mkdirSync(ready);
  const environment = { ...process.env, TMPDIR: folder, PREAVIS_TEST_READY: ready };
  const jest = await spawnLive(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      ...['--selectProjects', 'acceptance', '--testMatch', '<rootDir>/test/support/interrupted/{telephony,store}.ts'],
      // The transformed sources of this run serve that one as well.
      ...['--maxWorkers', '2', '--cacheDirectory', join(tmpdir(), `jest_${(process.getuid?.() ?? 0).toString(36)}`)],
    ],
    { cwd: project, logFile, env: { ...environment, NODE_OPTIONS: '--experimental-vm-modules' } },
  );
  const run: Run = {
    folder,
    isReady: (test) => existsSync(join(ready, test)),
    isRunning: () => jest.isRunning(),
    log: () => readFileSync(logFile, 'utf8'),
    interrupt: async () => {
      process.kill(-jest.pid, 'SIGINT');
      await jest.exited;
    },
    remove: () => {
      labFolder.remove();
    },
  };
  runs.push(run);

  return run;
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/**
 * Commands of the processes that were started with this temporary folder, whoever started them, and of the Asterisks of
 * these folders: sudo takes their environment away.
 */
function processesOf({ folder }: Run, instances: readonly string[]): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    const isOfRun =
      textOf(`/proc/${pid}/environ`).split('\0').includes(`TMPDIR=${folder}`) ||
      instances.some((instance) => command.includes(`/${basename(instance)}/`));
    return isOfRun ? [command] : [];
  });
}

const mountsBelow = (...folders: string[]): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)));

/** Every file below the temporary folder, and every folder but the three that the lab always has there. */
function leftIn({ folder }: Run): string[] {
  const usual = /^preavis-lab-\d+(\/(folders|asterisk))?$/;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !usual.test(path));
}

/** Folders of Asterisks of this run, also those in the cached Debian. */
function instanceFolders(run: Run): string[] {
  const labFolder = join(run.folder, `preavis-lab-${process.getuid?.() ?? 0}`);
  if (!existsSync(labFolder)) return [];
  return readdirSync(labFolder).flatMap((name) => {
    const text = name.endsWith('.json') ? textOf(join(labFolder, name)) : '';
    const { kind, path = '' } = (text === '' ? {} : JSON.parse(text)) as { kind?: string; path?: string };
    const isInstance = path.startsWith(asteriskRoot()) || path.startsWith(join(labFolder, 'asterisk'));
    return kind === 'path' && isInstance ? [path] : [];
  });
}

async function expectNothingLeft(run: Run, instances: string[]): Promise<void> {
  await eventually(() => {
    expect(processesOf(run, instances)).toEqual([]);
  });
  expect(leftIn(run)).toEqual([]);
  expect(mountsBelow(run.folder, ...instances)).toEqual([]);
  expect(instances.filter((folder) => existsSync(folder))).toEqual([]);
}

/** Jest, two S3 servers, an Asterisk and serve start beside all else that runs; its tests wait for a little longer. */
const aRunStarts = { withinMs: 150_000 };

describe('a run of tests that is interrupted, as by Ctrl-C,', () => {
  it('leaves nothing when it was in the middle of a call', async () => {
    const run = await startRun('middle');
    await eventually(() => {
      if (!run.isRunning()) throw new Error(run.log());
      return run.isReady('telephony') && run.isReady('store');
    }, aRunStarts);
    const instances = instanceFolders(run);
    const running = processesOf(run, instances).join('\n');
    for (const program of [
      'asterisk',
      'sipp',
      'serve',
      'ceph-mon',
      'ceph-osd',
      'radosgw',
      'storeKeeper',
      'cleanUpProcess',
    ]) {
      expect(running).toContain(program);
    }
    expect(mountsBelow(run.folder, ...instances)).toHaveLength(canMount ? 1 : 0);
    expect(leftIn(run).length).toBeGreaterThan(10);

    await run.interrupt();
    await expectNothingLeft(run, instances);
  });

  it('leaves nothing when it was about to start', async () => {
    const run = await startRun('start');
    await eventually(() => {
      if (!run.isRunning()) throw new Error(run.log());
      return processesOf(run, instanceFolders(run)).some((command) => command.includes('asterisk.conf'));
    }, aRunStarts);
    const instances = instanceFolders(run);

    await run.interrupt();
    await expectNothingLeft(run, instances);
  });
});

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asteriskRoot } from '../../lab/places.mjs';
import { spawnLive, type LiveProcess } from '../../lab/processes.ts';
import { canMount } from '../support/mounts.ts';
import { eventually } from '../support/poll.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const project = join(import.meta.dirname, '..', '..');
const temporary = temporaryFolder();

type Run = {
  readonly folder: string;
  isReady(test: string): boolean;
  isRunning(): boolean;
  log(): string;
  interrupt(): Promise<void>;
};

const runs: LiveProcess[] = [];
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop({ signal: 'SIGKILL' });
});

/** A run of tests in a process group and a temporary folder of its own, as in a terminal. */
async function startRun(name: string): Promise<Run> {
  const folder = temporary.path(name);
  const [ready, logFile] = [`${folder}-ready`, `${folder}.log`];
  // An Asterisk of the machine's own runs as another user, and has its folders here.
  chmodSync(temporary.path(), 0o755);
  mkdirSync(folder, { mode: 0o755 });
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
  runs.push(jest);

  return {
    folder,
    isReady: (test) => existsSync(join(ready, test)),
    isRunning: () => jest.isRunning(),
    log: () => readFileSync(logFile, 'utf8'),
    interrupt: async () => {
      process.kill(-jest.pid, 'SIGINT');
      await jest.exited;
    },
  };
}

/** Commands of the processes that were started with this temporary folder, whoever started them. */
function processesOf({ folder }: Run): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TMPDIR=${folder}`)) return [];
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
    } catch {
      return [];
    }
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
  return readdirSync(labFolder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const record = JSON.parse(readFileSync(join(labFolder, name), 'utf8')) as { kind: string; path?: string };
      return record.path?.startsWith(asteriskRoot()) === true ? [record.path] : [];
    });
}

async function expectNothingLeft(run: Run, instances: string[]): Promise<void> {
  await eventually(() => {
    expect(processesOf(run)).toEqual([]);
  });
  expect(leftIn(run)).toEqual([]);
  expect(mountsBelow(run.folder, ...instances)).toEqual([]);
  expect(instances.filter((folder) => existsSync(folder))).toEqual([]);
}

describe('a run of tests that is interrupted, as by Ctrl-C,', () => {
  it('leaves nothing when it was in the middle of a call', async () => {
    const run = await startRun('middle');
    await eventually(() => {
      if (!run.isRunning()) throw new Error(run.log());
      return run.isReady('telephony') && run.isReady('store');
    });
    const running = processesOf(run).join('\n');
    for (const program of ['asterisk', 'sipp', 'serve', 'ceph-mon', 'ceph-osd', 'radosgw', 'guardian']) {
      expect(running).toContain(program);
    }
    const instances = instanceFolders(run);
    expect(mountsBelow(run.folder, ...instances)).toHaveLength(canMount ? 1 : 0);
    expect(leftIn(run).length).toBeGreaterThan(10);

    await run.interrupt();
    await expectNothingLeft(run, instances);
  });

  it('leaves nothing when it was about to start', async () => {
    const run = await startRun('start');
    await eventually(() => {
      if (!run.isRunning()) throw new Error(run.log());
      return processesOf(run).some((command) => command.includes('asterisk'));
    });
    const instances = instanceFolders(run);

    await run.interrupt();
    await expectNothingLeft(run, instances);
  });
});

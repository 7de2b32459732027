import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runFolder } from '../../../lab/machine/folders.mjs';
import { makeLabFolder, type LabFolder } from '../../../lab/machine/processes.ts';
import { cleanUpDeadRecords, isAlive, startTimeOf } from '../../../lab/machine/records.mjs';
import { canMount } from '../../support/rig/mounts.ts';
import { eventually } from '../../support/poll.ts';

describe('leftovers of a lab', () => {
  let labFolder: LabFolder;
  let folder: string;
  let sleeper: ChildProcess;
  let pid: number;
  const dead = { pid: 2 ** 22 + 1, startTime: '1' };
  const me = { pid: process.pid, startTime: startTimeOf(process.pid) };

  beforeEach(() => {
    labFolder = makeLabFolder();
    folder = labFolder.path;
    sleeper = spawn('sleep', ['60']);
    pid = sleeper.pid ?? 0;
  });

  afterEach(() => {
    sleeper.kill('SIGKILL');
    labFolder.remove();
  });

  const record = (content: object) => {
    writeFileSync(join(folder, 'r.json'), JSON.stringify(content));
  };
  const recordsLeft = () => readdirSync(folder).filter((name) => name.endsWith('.json')).length;

  it('ends a process whose owner is dead', () => {
    record({ kind: 'process', pid, startTime: startTimeOf(pid), command: 'sleep', owner: dead });
    expect(cleanUpDeadRecords(folder)).toBe(1);
    expect(startTimeOf(pid)).toBeUndefined();
    expect(recordsLeft()).toBe(0);
  });

  it('leaves a process whose owner lives', () => {
    record({ kind: 'process', pid, startTime: startTimeOf(pid), command: 'sleep', owner: me });
    expect(cleanUpDeadRecords(folder)).toBe(0);
    expect(startTimeOf(pid)).toBeDefined();
    expect(recordsLeft()).toBe(1);
  });

  it('never ends another process that got the pid of an old one', () => {
    record({ kind: 'process', pid, startTime: '1', command: 'sleep', owner: dead });
    expect(cleanUpDeadRecords(folder)).toBe(1);
    expect(startTimeOf(pid)).toBeDefined();
  });

  it('takes an owner for dead when another process has its pid', () => {
    expect(isAlive({ pid: process.pid, startTime: '1' })).toBe(false);
    expect(isAlive({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '' })).toBe(true);
  });

  it('removes a folder of the lab, and nothing that is not of the lab', () => {
    const [ours, foreign] = [join(folder, 'ours'), mkdtempSync(join(tmpdir(), 'foreign-'))];
    mkdirSync(ours);
    writeFileSync(join(folder, 'a.json'), JSON.stringify({ kind: 'path', path: ours, owner: dead }));
    writeFileSync(join(folder, 'b.json'), JSON.stringify({ kind: 'path', path: foreign, owner: dead }));
    expect(cleanUpDeadRecords(folder)).toBe(2);
    expect(existsSync(ours)).toBe(false);
    expect(existsSync(foreign)).toBe(true);
    rmSync(foreign, { recursive: true });
  });

  it('ends what a process runs with it, as sudo does', async () => {
    const leader = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(leader.stdout, 'data')) as [Buffer];
    const below = Number(line.toString());
    const startTime = startTimeOf(leader.pid ?? 0);
    record({ kind: 'process', pid: leader.pid, startTime, command: 'sh', owner: dead });
    expect(cleanUpDeadRecords(folder)).toBe(1);
    await eventually(() => startTimeOf(below) === undefined);
  });

  (canMount ? it : it.skip)('unmounts before it removes the folder', () => {
    const [kept, mounted] = [join(folder, 'kept'), join(folder, 'ours', 'mounted')];
    mkdirSync(kept);
    mkdirSync(mounted, { recursive: true });
    writeFileSync(join(kept, 'file'), 'of somebody else');
    spawnSync('mount', ['--bind', kept, mounted]);
    writeFileSync(join(folder, 'a.json'), JSON.stringify({ kind: 'path', path: join(folder, 'ours'), owner: dead }));
    writeFileSync(join(folder, 'b.json'), JSON.stringify({ kind: 'mount', path: mounted, owner: dead }));
    expect(cleanUpDeadRecords(folder)).toBe(2);
    expect(existsSync(join(folder, 'ours'))).toBe(false);
    expect(readFileSync(join(kept, 'file'), 'utf8')).toBe('of somebody else');
  });

  it('ends what another run has left in a folder before it removes the folder', () => {
    const inner = join(folder, basename(runFolder()));
    mkdirSync(inner);
    const left = { kind: 'process', pid, startTime: startTimeOf(pid), command: 'sleep', owner: dead };
    writeFileSync(join(inner, 'a.json'), JSON.stringify(left));
    const outer = makeLabFolder();
    writeFileSync(join(outer.path, 'a.json'), JSON.stringify({ kind: 'path', path: folder, owner: dead }));
    expect(cleanUpDeadRecords(outer.path)).toBe(1);
    outer.remove();
    expect([existsSync(folder), startTimeOf(pid)]).toEqual([false, undefined]);
  });

  (canMount ? it : it.skip)('keeps the record of what it cannot remove yet, for another try', () => {
    const busy = join(folder, 'busy');
    mkdirSync(busy);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', busy]);
    record({ kind: 'path', path: busy, owner: dead });
    expect([cleanUpDeadRecords(folder), recordsLeft()]).toEqual([0, 1]);
    spawnSync('umount', [busy]);
    expect([cleanUpDeadRecords(folder), recordsLeft()]).toEqual([1, 0]);
  });

  it('is not stopped by a damaged record', () => {
    writeFileSync(join(folder, 'a.json'), '{"kind":');
    expect(cleanUpDeadRecords(folder)).toBe(0);
  });

  it('has one clean-up process for a process, however often the lab is loaded in it', () => {
    const cleaners = readdirSync('/proc').filter((entry) => {
      try {
        const [, file, ownerPid] = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
        return file?.endsWith('lab/machine/cleanUpProcess.mjs') === true && Number(ownerPid) === process.pid;
      } catch {
        return false;
      }
    });
    expect(cleaners).toHaveLength(1);
  });
});

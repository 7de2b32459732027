import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers, isAlive, startTimeOf } from '../../../lab/leftovers.mjs';

describe('leftovers of a lab', () => {
  let folder: string;
  let sleeper: ChildProcess;
  let pid: number;
  const dead = { pid: 2 ** 22 + 1, startTime: '1' };
  const me = { pid: process.pid, startTime: startTimeOf(process.pid) };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'preavis-lab-test-'));
    sleeper = spawn('sleep', ['60']);
    pid = sleeper.pid ?? 0;
  });

  afterEach(() => {
    sleeper.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const record = (content: object) => {
    writeFileSync(join(folder, 'r.json'), JSON.stringify(content));
  };
  const recordsLeft = () => readdirSync(folder).filter((name) => name.endsWith('.json')).length;

  it('ends a process whose owner is dead', () => {
    record({ kind: 'process', pid, startTime: startTimeOf(pid), command: 'sleep', owner: dead });
    expect(endLeftovers(folder)).toBe(1);
    expect(startTimeOf(pid)).toBeUndefined();
    expect(recordsLeft()).toBe(0);
  });

  it('leaves a process whose owner lives', () => {
    record({ kind: 'process', pid, startTime: startTimeOf(pid), command: 'sleep', owner: me });
    expect(endLeftovers(folder)).toBe(0);
    expect(startTimeOf(pid)).toBeDefined();
    expect(recordsLeft()).toBe(1);
  });

  it('never ends another process that got the pid of an old one', () => {
    record({ kind: 'process', pid, startTime: '1', command: 'sleep', owner: dead });
    expect(endLeftovers(folder)).toBe(1);
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
    expect(endLeftovers(folder)).toBe(2);
    expect(existsSync(ours)).toBe(false);
    expect(existsSync(foreign)).toBe(true);
    rmSync(foreign, { recursive: true });
  });

  it('is not stopped by a damaged record', () => {
    writeFileSync(join(folder, 'a.json'), '{"kind":');
    expect(endLeftovers(folder)).toBe(0);
  });
});

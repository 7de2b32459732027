/**
 * Starts and ends what the lab uses. A process, folder or mount is recorded on disk before it is used. A clean-up process beside this one
 * ends what is left, however this one ends. So no signal handler is needed here, and the demo keeps its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ulid } from 'ulid';
import { errnoOf } from '../../src/core/errors.ts';
import {
  cleanUpDeadRecords,
  isAlive,
  ownIdentity,
  ownRecord,
  readOwnRecord,
  startTimeOf,
  type LabRecord,
} from './records.mjs';
import { runFolder } from './folders.mjs';
import { raisePriority, type Priority } from './priority.ts';
import { neededMib, refuseWithoutSpace } from './space.mjs';

export type LiveProcess = {
  readonly pid: number;
  /** Resolves once, with the exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  isRunning(): boolean;
  /** The signal, then SIGKILL when it still runs after `graceMs`; resolves when the process is gone. */
  stop(options?: { signal?: NodeJS.Signals; graceMs?: number }): Promise<void>;
};

export type SpawnOptions = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File for stdout and stderr; without it both go nowhere. */
  logFile?: string;
  /** Gets the processor before others. */
  priority?: Priority;
};

let hasCleanUpProcess = false;

/**
 * Ends what dead owners left and starts the clean-up process, once for this process. A test worker loads this module once for each test
 * file. So the clean-up process is looked for among the records, not in a variable alone.
 */
export function startCleanUpProcess(): void {
  if (hasCleanUpProcess) return;
  refuseWithoutSpace([{ folder: runFolder(), mib: neededMib.start, what: 'the lab', choose: 'TMPDIR' }]);
  const self = ownIdentity();
  const name = `cleanUpProcess-${self.pid}-${self.startTime}`;
  const known = readOwnRecord(name);
  if (known?.kind === 'cleanUpProcess' && isAlive(known)) {
    hasCleanUpProcess = true;
    return;
  }
  cleanUpDeadRecords();
  const cleaner = spawn(
    process.execPath,
    [fileURLToPath(new URL('./cleanUpProcess.mjs', import.meta.url)), String(self.pid), self.startTime],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  cleaner.unref();
  const pipe: unknown = cleaner.stdin;
  if (pipe instanceof Socket) pipe.unref();
  const startTime = cleaner.pid === undefined ? undefined : startTimeOf(cleaner.pid);
  if (cleaner.pid === undefined || startTime === undefined)
    throw new Error('The clean-up process of the lab does not start.');
  ownRecord({ kind: 'cleanUpProcess', pid: cleaner.pid, startTime }, name);
  hasCleanUpProcess = true;
}

/** Writes a record; the returned function removes it. */
function register(record: LabRecord): () => void {
  startCleanUpProcess();
  return ownRecord(record);
}

export type LabFolder = {
  readonly path: string;
  /** Removes it with all it holds. */ remove(): void;
  /** Leaves it. */ keep(): void;
};

/** A new folder (its path must hold `preavis-lab`), removed when we are gone. */
export function makeLabFolder(parent = join(runFolder(), 'folders'), name = ulid().toLowerCase()): LabFolder {
  const path = join(parent, name);
  const forget = register({ kind: 'path', path });
  mkdirSync(path, { recursive: true });
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      forget();
    },
    keep: forget,
  };
}

/** Records a mount over a folder below a lab's folder, before it is made; the returned function removes the record. */
export function recordMount(path: string): () => void {
  return register({ kind: 'mount', path });
}

/** Records a segment of shared memory that a process of ours has made; the returned function removes the record. */
export function recordSharedMemory(id: number): () => void {
  return register({ kind: 'sharedMemory', id });
}

/** Records a running process that is not our child; the returned function removes the record. */
export function recordProcess(command: string, pid: number): () => void {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? () => undefined : register({ kind: 'process', command, pid, startTime });
}

const live = new Set<LiveProcess>();

/** Starts a program in a session of its own. Rejects when it cannot be started at all. */
export async function spawnLive(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<LiveProcess> {
  startCleanUpProcess();
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log ?? 'ignore', log ?? 'ignore'],
  });
  if (log !== undefined) closeSync(log);
  // At once, not when it is told to run: we may be killed in between.
  const forget = child.pid === undefined ? () => undefined : recordProcess(command, child.pid);
  await spawned(child);
  if (options.priority !== undefined && child.pid !== undefined) raisePriority(child.pid, options.priority);
  return follow(child, command, forget);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function follow(child: ChildProcess, command: string, forget: () => void): LiveProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} has no pid.`);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', (code, signal) => {
      resolve(code ?? signal ?? 0);
    });
  });
  const process: LiveProcess = {
    pid,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async ({ signal = 'SIGTERM', graceMs = 3000 } = {}) => {
      if (!process.isRunning()) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
  live.add(process);
  void exited.then(() => {
    live.delete(process);
    forget();
  });
  return process;
}

/** Ends every process that is still live, the youngest first. */
export async function stopAll(): Promise<void> {
  for (const process of [...live].reverse()) await process.stop();
}

/** How many processes of ours run; for leak checks after a test. */
export function liveCount(): number {
  return live.size;
}

/** To one that may have ended by now: false then. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;

    return false;
  }
}

/**
 * The one register of what the lab has started. A process, folder or port claim is recorded on disk before it is used; a
 * guardian beside us ends what is left however we end, so no signal handler is needed here and the demo keeps its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ulid } from 'ulid';
import { endLeftovers, startTimeOf, type ProcessIdentity } from './leftovers.mjs';
import { runFolder } from './places.mjs';

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
};

type LabRecord = ({ kind: 'process'; command: string } & ProcessIdentity) | { kind: 'path'; path: string };

let self: ProcessIdentity | undefined;

/** Our own identity; the first call also ends the leftovers of dead owners and starts the guardian. */
export function owner(): ProcessIdentity {
  if (self) return self;
  const startTime = startTimeOf(process.pid);
  if (startTime === undefined) throw new Error('The lab needs /proc (Linux).');
  self = { pid: process.pid, startTime };
  endLeftovers();
  const guardian = spawn(
    process.execPath,
    [fileURLToPath(new URL('./guardian.mjs', import.meta.url)), String(self.pid), startTime],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  guardian.unref();
  const pipe: unknown = guardian.stdin;
  if (pipe instanceof Socket) pipe.unref();
  return self;
}

/** Writes a record; the returned function removes it. */
function register(record: LabRecord): () => void {
  const file = join(runFolder(), `${ulid()}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ ...record, owner: owner() }));
  renameSync(`${file}.new`, file);
  return () => {
    rmSync(file, { force: true });
  };
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

/** Claims a path that other processes claim too, by making the folder; undefined when somebody else has it. */
export function claimPath(path: string): { release(): void } | undefined {
  try {
    mkdirSync(path);
  } catch {
    return undefined;
  }
  const forget = register({ kind: 'path', path });
  return {
    release: () => {
      rmSync(path, { recursive: true, force: true });
      forget();
    },
  };
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
  owner();
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log ?? 'ignore', log ?? 'ignore'],
  });
  if (log !== undefined) closeSync(log);
  await spawned(child);
  return follow(child, command);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function follow(child: ChildProcess, command: string): LiveProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} has no pid.`);
  const forget = recordProcess(command, pid);
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

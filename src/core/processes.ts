import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from './errors.ts';

/** Whether a process of this machine has that number now, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/**
 * A process, for others. Its `id` is made at random when it starts, and alone tells it from any other: names of hosts and numbers of
 * processes are the same in many containers. The rest is for people to read, and for who can see the process itself.
 */
export type ProcessIdentity = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The boot and the namespace in which its number means this process; null where that cannot be read. */
  readonly machine: string | null;
  /** When it was started, in ticks since the boot: its number may be that of another by now. null where that cannot be read. */
  readonly started: string | null;
};

function machine(): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** What Linux tells of a process (proc(5)), from the third field on: the second is a name in parentheses, which may have any letter. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');

    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** `ended`: it waits only for its parent to ask how it ended. undefined where it is not there, or is hidden. */
function startOf(pid: number): { ticks: string; ended: boolean } | undefined {
  const [state = '', ...rest] = statOf(pid);
  // The 22nd field.
  const ticks = rest[18];

  return ticks === undefined ? undefined : { ticks, ended: state === 'Z' || state === 'X' };
}

/** What it has had of the processors, as user and for the system, to compare; undefined where it is not there, or is hidden. */
export function spentBy(pid: number): string | undefined {
  // The 14th and the 15th field.
  const spent = statOf(pid).slice(11, 13);

  return spent.length === 0 ? undefined : spent.join(' ');
}

const self: ProcessIdentity = {
  id: randomUUID(),
  host: hostname(),
  pid: process.pid,
  machine: machine(),
  started: startOf(process.pid)?.ticks ?? null,
};

/** This process. */
export function thisProcess(): ProcessIdentity {
  return self;
}

/**
 * Whether it can be seen from here that the process has ended: only where its number means the same here. From anywhere else nothing can
 * be seen.
 */
export function isSeenDead({ pid, machine: its, started }: Omit<ProcessIdentity, 'id' | 'host'>): boolean {
  if (its === null || its !== self.machine) return false;
  if (!isAlive(pid)) return true;
  const found = startOf(pid);

  return found !== undefined && (found.ended || (started !== null && found.ticks !== started));
}

/**
 * The records of what the lab has made, and how it is ended. Every process, folder, mount and segment of shared memory has a small JSON record in the run folder, written
 * before it is used. A record names its owner. When the owner is dead, whoever looks next ends what the record names.
 *
 * Plain JavaScript without dependencies, because prepare.mjs needs it before the npm packages are there.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runFolder } from './folders.mjs';

/** No record takes longer than this to be written. */
const writtenWithinMs = 10_000;

/** Fields of /proc/PID/stat after the command; undefined when there is no such process. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields;
  } catch {
    return undefined;
  }
}

/** When a process started, in clock ticks since boot; undefined when there is none. With the pid it is unique. */
export function startTimeOf(pid) {
  return statOf(pid)?.[19];
}

export function isAlive({ pid, startTime }) {
  return startTimeOf(pid) === startTime;
}

/** This process, as records name it. */
export function ownIdentity() {
  const startTime = startTimeOf(process.pid);
  if (startTime === undefined) throw new Error('The lab needs /proc (Linux).');
  return { pid: process.pid, startTime };
}

/** Writes a record of this process; the returned function removes it. */
export function ownRecord(record, name = randomUUID()) {
  const file = join(runFolder(), `${name}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ ...record, owner: ownIdentity() }));
  renameSync(`${file}.new`, file);
  return () => {
    rmSync(file, { force: true });
  };
}

/** The record of this process by that name, if there is one. */
export function readOwnRecord(name) {
  try {
    return JSON.parse(readFileSync(join(runFolder(), `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** With its process group if it leads one: sudo cannot be killed by us, what it runs can. */
function kill(pid) {
  try {
    process.kill(Number(statOf(pid)?.[2]) === pid ? -pid : pid, 'SIGKILL');
  } catch {
    // Already gone, which is what we want.
  }
}

/** The records whose owner is dead. */
export function deadRecords(folder = runFolder()) {
  const records = [];
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.json.new') && isOld(file)) rmSync(file, { force: true });
    if (!name.endsWith('.json')) continue;
    try {
      const record = JSON.parse(readFileSync(file, 'utf8'));
      if (!isAlive(record.owner)) records.push({ ...record, file });
    } catch {
      // Removed by its owner meanwhile.
    }
  }
  return records;
}

function isOld(file) {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > writtenWithinMs;
}

/** Only what the lab names: a damaged record must not remove anything else. */
const isOfTheLab = (path) => typeof path === 'string' && path.includes('preavis-lab');

/**
 * Ends what dead owners left: processes first (only while pid and start time still match), then mounts, shared memory and folders, then
 * the records. Returns how many records were cleared; the record of what could not be removed stays, for another try.
 */
export function cleanUpDeadRecords(folder = runFolder()) {
  const records = deadRecords(folder);
  const processes = records.filter((record) => record.kind === 'process');
  for (const record of processes) if (isAlive(record)) kill(record.pid);
  for (const record of processes) {
    for (let tries = 0; isAlive(record) && tries < 200; tries += 1) sleep(10);
  }
  // Before any folder: what is mounted below it may be somebody else's.
  for (const { kind, path } of records) {
    if (kind === 'mount' && isOfTheLab(path)) spawnSync('umount', ['--lazy', path], { stdio: 'ignore' });
  }
  for (const { kind, id } of records) {
    if (kind === 'sharedMemory') spawnSync('ipcrm', ['-m', String(id)], { stdio: 'ignore' });
  }
  let cleared = 0;
  for (const { kind, path, file } of records) {
    // Another cleaner was faster.
    if (kind === 'path' && existsSync(file) && isOfTheLab(path) && !isRemoved(path)) continue;
    rmSync(file, { force: true });
    cleared += 1;
  }
  return cleared;
}

function isRemoved(path) {
  // Another run may have had this folder for its temporary one: its records go first.
  const inner = join(path, basename(runFolder()));
  if (existsSync(inner)) {
    cleanUpDeadRecords(inner);
    if (readdirSync(inner).some((name) => name.endsWith('.json'))) return false;
  }
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    return true;
  } catch {
    return false;
  }
}

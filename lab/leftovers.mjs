/**
 * What a lab owner leaves behind, and how it is ended. Every process, folder and port claim that the lab makes is a small
 * JSON record in the run folder, written before the thing is used. A record names its owner; when the owner is dead,
 * whoever looks next ends what the record names.
 *
 * Plain JavaScript without dependencies, because prepare.mjs needs it before the npm packages are there.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from './places.mjs';

/** When a process started, in clock ticks since boot; undefined when there is none. With the pid it is unique. */
export function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive({ pid, startTime }) {
  return startTimeOf(pid) === startTime;
}

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone, which is what we want.
  }
}

/**
 * Ends what dead owners left: processes first (only while pid and start time still match), then paths, then the records.
 * Returns how many records were cleared.
 */
export function endLeftovers(folder = runFolder()) {
  const records = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.json')) continue;
    const file = join(folder, name);
    try {
      const record = JSON.parse(readFileSync(file, 'utf8'));
      if (!isAlive(record.owner)) records.push({ ...record, file });
    } catch {
      // Removed by its owner meanwhile.
    }
  }
  const processes = records.filter((record) => record.kind === 'process');
  for (const record of processes) if (isAlive(record)) kill(record.pid);
  for (const record of processes) {
    for (let tries = 0; isAlive(record) && tries < 200; tries += 1) sleep(10);
  }
  for (const record of records) {
    // Another cleaner was faster, and somebody may have claimed the path anew.
    if (!existsSync(record.file)) continue;
    // Only folders that the lab names: a damaged record must not remove anything else.
    if (record.kind === 'path' && record.path.includes('preavis-lab')) {
      rmSync(record.path, { recursive: true, force: true });
    }
    rmSync(record.file, { force: true });
  }
  return records.length;
}

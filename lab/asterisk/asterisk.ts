/**
 * A real Asterisk of its own in a folder of its own, on ports of its own on loopback. As many as wanted run side by side.
 */
import { execFile } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ulid } from 'ulid';
import { confFiles, type InstancePorts } from './asteriskConf.ts';
import { fakeClockVariables, installFakeClock, setFakeClock } from './fakeClock.ts';
import { findInstallation, resolveInside, type Installation } from '../installation.ts';
import { claimPorts, type PortBlock } from '../machine/ports.ts';
import { makeLabFolder, recordProcess, spawnLive, type LabFolder, type LiveProcess } from '../machine/processes.ts';

const run = promisify(execFile);

/** Asterisk prints this before each answer on a machine without another network than loopback, even with `entityid` in asterisk.conf. */
const loopbackOnly = /^No ethernet interface found for seeding global EID\. You will have to set it manually\.\n/;

/** The dialplan context that incoming calls enter. */
export const incomingContext = 'incoming';

/** Of the package's own sounds an instance gets these, in English: a link for each of the 600 would take longer than the start. */
const packageSounds = ['beep', 'beeperr', 'hello-world', 'digits', 'silence'];

const readyWithinMs = 30_000;
/** Two for each channel: enough for 100 calls with two ends each. */
const defaultRtpPorts = 400;

export type AsteriskOptions = {
  /** Text of extensions.conf; incoming calls enter `[incoming]`. */
  dialplan?: string;
  /** A host folder laid out `<language>/preavis/*`, copied into the instance's sounds. */
  soundsFrom?: string;
  /** More configuration by file name; a name that the lab writes too is replaced, `+name` is appended to it. */
  conf?: Readonly<Record<string, string>>;
  /** Ports of an earlier instance, instead of free ones. */
  ports?: InstancePorts;
  /** Two for each channel with media, default 400. */
  rtpPorts?: number;
  /** By how much its clock is off at the start, such as `+60d` or `-3h`; it can be set only where this is given. */
  clockOff?: string;
  /** Leave the folder when stopped, to look at it. */
  keep?: boolean;
};

export type LabAsterisk = {
  readonly version: string;
  readonly ariUrl: string;
  readonly ariUsername: string;
  readonly ariPassword: string;
  readonly sipPort: number;
  readonly ports: InstancePorts;
  /** Where recordings appear: <astspooldir>/recording, as a path of this host. */
  readonly spoolFolder: string;
  readonly soundsFolder: string;
  /** What cel_custom writes by config/asterisk/cel_custom.conf; there only if that is brought. */
  readonly celFile: string;
  readonly folder: string;
  /** The running process's pid, undefined while it is down. */
  pid(): number | undefined;
  isRunning(): boolean;
  /** Program and arguments that open its console. */
  readonly console: readonly string[];
  /** The file with its log. */
  readonly logFile: string;
  /** What `asterisk -rx` prints. */
  cli(command: string): Promise<string>;
  /** Names of the channels that are up. */
  channels(): Promise<string[]>;
  /** Writes extensions.conf and loads it. */
  setDialplan(text: string): Promise<void>;
  /** Steps its clock to this much from the right time, such as `+60d`; only where `clockOff` was given. */
  setClock(off: string): void;
  /** The instance's log so far. */
  logs(): string;
  /** SIGKILL: calls and recordings end in mid-word. */
  kill(): Promise<void>;
  /** Starts again after kill(), on the same ports and folders. */
  start(): Promise<void>;
  /** Ends it gracefully and removes its folder (unless `keep`). May be called again. */
  stop(): Promise<void>;
};

export async function startAsterisk(options: AsteriskOptions = {}): Promise<LabAsterisk> {
  const installation = await findInstallation();
  const block = options.ports ? undefined : await claimPorts((options.rtpPorts ?? defaultRtpPorts) + 10);
  const ports = options.ports ?? portsOf(block);
  const inside = join(installation.instances, ulid().toLowerCase());
  const folder = makeLabFolder(
    dirname(join(installation.root, inside)),
    inside.slice(installation.instances.length + 1),
  );
  const instance = new Instance(installation, { ...options, ports }, inside, folder, block);
  try {
    instance.writeFolder();
    await instance.start();
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return instance;
}

function portsOf(block: PortBlock | undefined): InstancePorts {
  if (!block) throw new Error('An instance needs ports.');
  return { http: block.first, sip: block.first + 1, rtpFirst: block.first + 10, rtpLast: block.last };
}

class Instance implements LabAsterisk {
  readonly version: string;
  readonly ariUsername = 'preavis';
  readonly ariPassword = ulid();
  readonly ports: InstancePorts;
  readonly folder: string;
  readonly #installation: Installation;
  readonly #options: AsteriskOptions;
  readonly #inside: string;
  readonly #labFolder: LabFolder;
  readonly #block: PortBlock | undefined;
  #process: LiveProcess | undefined;
  #pid: number | undefined;

  constructor(
    installation: Installation,
    options: AsteriskOptions & { ports: InstancePorts },
    inside: string,
    folder: LabFolder,
    block: PortBlock | undefined,
  ) {
    this.#installation = installation;
    this.#options = options;
    this.#inside = inside;
    this.#labFolder = folder;
    this.#block = block;
    this.version = installation.version;
    this.ports = options.ports;
    this.folder = folder.path;
  }

  get ariUrl(): string {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  get sipPort(): number {
    return this.ports.sip;
  }

  get spoolFolder(): string {
    return join(this.folder, 'spool/recording');
  }

  get soundsFolder(): string {
    return join(this.folder, 'data/sounds');
  }

  get celFile(): string {
    return join(this.folder, 'log/cel-custom/preavis.csv');
  }

  writeFolder(): void {
    for (const name of [
      'etc',
      'lib/keys',
      'lib/moh',
      'spool/recording',
      'run',
      'log/cel-custom',
      'cache',
      'data/sounds',
    ]) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    this.#linkData();
    // Music on hold is one second of silence, so that nothing but the test's own sounds is heard.
    writeFileSync(join(this.folder, 'lib/moh/silence.alaw'), Buffer.alloc(8000, 0xd5));
    const { soundsFrom } = this.#options;
    if (soundsFrom !== undefined) copyTree(soundsFrom, this.soundsFolder);
    const files = confFiles({
      folder: this.#inside,
      ports: this.ports,
      ariUsername: this.ariUsername,
      ariPassword: this.ariPassword,
      dialplan: this.#options.dialplan ?? `[${incomingContext}]\n`,
      incomingContext,
      brought: Object.keys(this.#options.conf ?? {}),
    });
    for (const [name, text] of Object.entries(this.#options.conf ?? {})) {
      if (name.startsWith('+')) files[name.slice(1)] = `${files[name.slice(1)] ?? ''}\n${text}`;
      else files[name] = text;
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, 'etc', name), text);
    const { clockOff } = this.#options;
    if (clockOff !== undefined) installFakeClock(this.folder, clockOff, this.#installation.root);
    if (process.getuid?.() === 0) chownTree(this.folder, this.#installation);
  }

  /** Data of its own, so that sounds can be added; what the package brings is linked. */
  #linkData(): void {
    const { root, dataFolder } = this.#installation;
    for (const name of readdirSync(join(root, dataFolder))) {
      if (name !== 'sounds') symlinkSync(join(dataFolder, name), join(this.folder, 'data', name));
    }
    const sounds = resolveInside(root, join(dataFolder, 'sounds'));
    const english = resolveInside(root, join(sounds, 'en'));
    if (!existsSync(join(root, english))) return;
    mkdirSync(join(this.soundsFolder, 'en'), { recursive: true });
    for (const entry of readdirSync(join(root, english))) {
      if (!packageSounds.includes(entry.split('.')[0] ?? '')) continue;
      symlinkSync(join(english, entry), join(this.soundsFolder, 'en', entry));
    }
  }

  pid(): number | undefined {
    return this.isRunning() ? this.#pid : undefined;
  }

  isRunning(): boolean {
    return this.#process?.isRunning() ?? false;
  }

  async start(): Promise<void> {
    if (this.isRunning()) return;
    const logBefore = this.logs().length;
    const { clockOff } = this.#options;
    const variables = clockOff === undefined ? {} : fakeClockVariables(this.#inside);
    const [command, args] = this.#installation.command(
      ['-f', '-C', join(this.#inside, 'etc/asterisk.conf')],
      variables,
    );
    const asterisk = await spawnLive(command, args, {
      logFile: join(this.folder, 'log/console.log'),
      cwd: '/',
      priority: 'sound',
    });
    this.#process = asterisk;
    const until = Date.now() + readyWithinMs;
    while (!this.logs().slice(logBefore).includes('Asterisk Ready.')) {
      if (!asterisk.isRunning()) throw new Error(`Asterisk ended while it started.\n${this.#logTail()}`);
      if (Date.now() > until) throw new Error(`Asterisk is not ready after ${readyWithinMs} ms.\n${this.#logTail()}`);
      await sleep(20);
    }
    await this.#checkAri();
    // Under sudo our child is sudo; the signals must reach Asterisk itself.
    this.#pid = Number(readFileSync(join(this.folder, 'run/asterisk.pid'), 'utf8').trim());
    if (this.#pid !== asterisk.pid) {
      const forget = recordProcess('asterisk', this.#pid);
      void asterisk.exited.then(forget);
    }
  }

  async #checkAri(): Promise<void> {
    const authorization = `Basic ${btoa(`${this.ariUsername}:${this.ariPassword}`)}`;
    const reply = await fetch(`${this.ariUrl}/ari/asterisk/info?only=build`, { headers: { authorization } });
    await reply.arrayBuffer();
    if (!reply.ok) throw new Error(`The ARI of this Asterisk answers ${reply.status}.\n${this.#logTail()}`);
  }

  #client(...args: readonly string[]): [string, string[]] {
    return this.#installation.command(['-C', join(this.#inside, 'etc/asterisk.conf'), ...args]);
  }

  get console(): readonly string[] {
    return this.#client('-r').flat();
  }

  async cli(command: string): Promise<string> {
    if (!this.isRunning()) throw new Error('This Asterisk is not running.');
    const [program, args] = this.#client('-rx', command);
    const { stdout } = await run(program, args, { cwd: '/', maxBuffer: 64 * 1024 * 1024 });
    return stdout.replace(loopbackOnly, '');
  }

  async channels(): Promise<string[]> {
    const text = await this.cli('core show channels concise');
    return text
      .split('\n')
      .filter((line) => line.includes('!'))
      .map((line) => line.slice(0, line.indexOf('!')));
  }

  async setDialplan(text: string): Promise<void> {
    writeFileSync(join(this.folder, 'etc/extensions.conf'), text);
    await this.cli('dialplan reload');
  }

  setClock(off: string): void {
    if (this.#options.clockOff === undefined) throw new Error('The clock of this Asterisk cannot be set.');
    setFakeClock(this.folder, off);
  }

  get logFile(): string {
    return join(this.folder, 'log/full.log');
  }

  logs(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  #logTail(): string {
    const console = join(this.folder, 'log/console.log');
    const text = `${existsSync(console) ? readFileSync(console, 'utf8') : ''}\n${this.logs()}`;
    return text.split('\n').slice(-25).join('\n');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL', 0);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM', 5000);
    if (this.#options.keep) this.#labFolder.keep();
    else this.#labFolder.remove();
    this.#block?.release();
  }

  async #end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    const asterisk = this.#process;
    if (!asterisk?.isRunning()) return;
    if (this.#pid === undefined || this.#pid === asterisk.pid) {
      await asterisk.stop({ signal, graceMs });
      return;
    }
    const pid = this.#pid;
    sendSignal(pid, signal);
    const timer = setTimeout(() => {
      sendSignal(pid, 'SIGKILL');
    }, graceMs);
    await asterisk.exited;
    clearTimeout(timer);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what we want.
  }
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(source, target);
    else copyFileSync(source, target);
  }
}

/** Folders and files, not what the links point at: that belongs to the package. */
function chownTree(path: string, user: { uid: number; gid: number }): void {
  chownSync(path, user.uid, user.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) chownTree(join(path, entry.name), user);
    else if (entry.isFile()) chownSync(join(path, entry.name), user.uid, user.gid);
  }
}

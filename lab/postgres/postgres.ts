/**
 * A real PostgreSQL on loopback, unpacked from Debian's packages by prepare.mjs. Several can run side by side, each in a folder and on a port
 * of its own.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { askedPostgres, postgresServer } from '../machine/folders.mjs';
import { claimPorts } from '../machine/ports.ts';
import { makeLabFolder, recordSharedMemory, signalIfThere, spawnLive, type LiveProcess } from '../machine/processes.ts';

export type PostgresOptions = {
  /** Commits wait for the disk, as those of a server in use; default: they survive its processes, and not the machine. */
  durable?: boolean;
};

export type LabPostgres = {
  /** `15`, `16` or `17`. */
  readonly release: string;
  readonly port: number;
  /** Makes an empty database, and gives its address with the password of its owner. */
  makeDatabase(): Promise<string>;
  /** Runs commands of a shell with PostgreSQL's programs, which find the server and its owner by themselves; gives what they print. */
  shell(script: string): Promise<string>;
  /** An outage: connections end and are refused, the data is kept. `kill`: without a word. */
  stopServer(how?: 'kill'): Promise<void>;
  startServer(): Promise<void>;
  /** It takes what it is sent and answers nothing, as behind a network that drops everything, until it goes on. */
  hang(): void;
  goOn(): void;
  readonly dataFolder: string;
  /** Files of settings that it reads when it starts, those that end in `.conf`. */
  readonly settingsFolder: string;
  /** Makes an empty folder that the user of the server may write to; its path. */
  makeFolder(name: string): string;
  /** Ends it and removes the folder. Idempotent. */
  stop(): Promise<void>;
};

/** The part `catalogue` of a configuration, for the database of this address. The password is to be given by the environment. */
export function catalogueIn(address: string): { catalogue: Record<string, unknown>; password: string } {
  const { hostname, port, pathname, username, password } = new URL(address);
  const postgres = { host: hostname, port: Number(port), database: pathname.slice(1), user: username };

  return { catalogue: { store: 'postgres', installation: 'lab', postgres }, password };
}

const startLimitMs = 60_000;
const user = 'preavis';
/** Debian's `nobody` and `nogroup`: PostgreSQL refuses to run as root. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** To be run by `nobody` where this process is root's; without a child, so that a signal reaches the program itself. */
const asNobody = (program: string, args: readonly string[]): [string, string[]] =>
  isRoot
    ? ['setpriv', [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--', program, ...args]]
    : [program, [...args]];

/**
 * Starts the server and waits until it answers.
 * @throws Error that names the command to run when there is none, or the log that explains a failed start.
 */
export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<LabPostgres> {
  const found = postgresServer();
  if (found === undefined) {
    const part = askedPostgres() === undefined ? 'postgres' : 'olderPostgres';
    throw new Error(`There is no such PostgreSQL in the lab. Run: node lab/prepare.mjs --with ${part}`);
  }
  const labFolder = makeLabFolder();
  const folder = labFolder.path;
  const block = await claimPorts(1);
  const port = block.first;
  const password = randomBytes(24).toString('hex');
  // `nobody` cannot enter the home of root, in which the cache is.
  const tree = isRoot ? join(folder, 'usr') : found.tree;
  const data = join(folder, 'cluster/main');
  const settingsFolder = join(folder, 'conf.d');
  const environment = {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    TZ: 'UTC',
    LD_LIBRARY_PATH: join(tree, 'lib', libraryFolder()),
  };
  const program = (name: string): string => join(tree, 'lib/postgresql', found.release, 'bin', name);
  let server: LiveProcess | undefined;
  let memory: { id: number; forget: () => void } | undefined;
  let made = 0;

  const address = (database: string): string => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const ask = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: address('postgres'), connectionTimeoutMillis: startLimitMs });
    // Its end is told by what it is asked.
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const startServer = async (): Promise<void> => {
    if (server?.isRunning() === true) return;
    const [command, args] = asNobody(program('postgres'), ['-D', data]);
    const started = await spawnLive(command, args, {
      cwd: folder,
      env: environment,
      logFile: join(folder, 'server.log'),
    });
    server = started;
    for (const until = Date.now() + startLimitMs; ;) {
      if (await ask('SELECT 1').then(...trueIfDone)) break;
      if (!started.isRunning() || Date.now() > until) {
        throw new Error(`PostgreSQL does not start. Its log: ${readFileSync(join(folder, 'server.log'), 'utf8')}`);
      }
      await delay(50);
    }
    const id = sharedMemoryOf(data);
    memory = { id, forget: recordSharedMemory(id) };
  };
  const signalAll = (signal: NodeJS.Signals): void => {
    if (server?.isRunning() !== true) return;
    // First the one that makes the others. A session may end by itself meanwhile.
    for (const pid of [server.pid, ...childrenOf(server.pid)]) signalIfThere(pid, signal);
  };
  const stopServer = async (how?: 'kill'): Promise<void> => {
    signalAll('SIGCONT');
    // `SIGINT` ends its sessions; `SIGTERM` would wait for them.
    await server?.stop(how === 'kill' ? { signal: 'SIGKILL' } : { signal: 'SIGINT', graceMs: startLimitMs });
    if (memory === undefined) return;
    const { id, forget } = memory;
    // Its sessions see that it is gone, and end by themselves.
    while ((usersOfMemory(id) ?? 0) > 0) await delay(10);
    if (usersOfMemory(id) !== undefined) await promisify(execFile)('ipcrm', ['-m', String(id)]);
    forget();
    memory = undefined;
  };
  const makeFolder = (name: string): string => {
    const made = join(folder, name);
    mkdirSync(made, { mode: 0o700 });
    if (isRoot) chownSync(made, nobody, nobody);

    return made;
  };
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await stopServer();
    labFolder.remove();
    block.release();
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  try {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    // Its own user may put another folder in the place of its data.
    makeFolder('cluster');
    makeFolder('cluster/main');
    mkdirSync(settingsFolder);
    if (isRoot) {
      cpSync(found.tree, tree, { recursive: true, verbatimSymlinks: true });
      chownSync(passwordFile, nobody, nobody);
    }
    const local = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256'];
    const [command, args] = asNobody(program('initdb'), [
      ...['-D', data, '-U', user, '--pwfile', passwordFile, ...local, '--no-sync', '--no-instructions'],
    ]);
    await promisify(execFile)(command, args, { cwd: folder, env: environment, timeout: startLimitMs });
    rmSync(passwordFile);
    writeFileSync(join(data, 'postgresql.conf'), settings({ port, durable, settingsFolder }));
    await startServer();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    release: found.release,
    port,
    makeDatabase: async () => {
      const name = `lab${(made += 1)}`;
      await ask(`CREATE DATABASE ${name}`);

      return address(name);
    },
    shell: async (script) => {
      const [command, args] = asNobody('/bin/sh', ['-euc', script]);
      const PATH = [join(tree, 'lib/postgresql', found.release, 'bin'), process.env['PATH']].join(':');
      const server = {
        PGHOST: '127.0.0.1',
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: 'postgres',
      };

      return (await promisify(execFile)(command, args, { cwd: folder, env: { ...environment, PATH, ...server } }))
        .stdout;
    },
    stopServer,
    startServer,
    hang: () => {
      signalAll('SIGSTOP');
    },
    goOn: () => {
      signalAll('SIGCONT');
    },
    dataFolder: data,
    settingsFolder,
    makeFolder,
    stop,
  };
}

const trueIfDone = [() => true, () => false] as const;

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** As Debian names the folder of libraries of this architecture. */
function libraryFolder(): string {
  return `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
}

/** The segment by which it sees whether an earlier server of the same data is still there: its last word of the seventh line. */
function sharedMemoryOf(data: string): number {
  const line = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[6] ?? '';
  const id = Number(line.trim().split(/\s+/)[1] ?? NaN);
  if (!Number.isInteger(id)) throw new Error(`PostgreSQL does not say which shared memory it has: ${line}`);

  return id;
}

/** How many processes have it; undefined: it is not there. */
function usersOfMemory(id: number): number | undefined {
  const rows = readFileSync('/proc/sysvipc/shm', 'latin1').split('\n');
  const row = rows.map((line) => line.trim().split(/\s+/)).find(([, shmid]) => shmid === String(id));

  return row === undefined ? undefined : Number(row[6]);
}

function settings({
  port,
  durable,
  settingsFolder,
}: {
  port: number;
  durable: boolean;
  settingsFolder: string;
}): string {
  const values: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    // All connections are by loopback.
    unix_socket_directories: '',
    // Below its own folder, which is removed with it.
    dynamic_shared_memory_type: 'mmap',
    max_connections: 100,
    shared_buffers: '64MB',
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    lc_messages: 'C',
    include_dir: settingsFolder,
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };

  return Object.entries(values)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('');
}

/**
 * A real S3 server on loopback: Ceph's gateway with one monitor and one storage daemon, from Debian's packages. Several
 * can run side by side, each in a folder and on ports of its own.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'minio';

const run = promisify(execFile);

export type StoreOptions = {
  /** `memory` (default) starts in about a second; `disk` survives a kill -9 of the storage daemon and takes longer. */
  medium?: 'memory' | 'disk';
  /** Where its folder is made; default the system's temporary folder. */
  parentFolder?: string;
};

export type BucketOptions = { versioning?: boolean; objectLock?: boolean };

export type LabStore = {
  readonly endPoint: string;
  readonly port: number;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly folder: string;
  makeBucket(name: string, options?: BucketOptions): Promise<void>;
  /** An outage: connections are refused, the data is kept. */
  stopGateway(): Promise<void>;
  startGateway(): Promise<void>;
  /** A silent server: connections are accepted and never answered. */
  freezeGateway(): void;
  thawGateway(): void;
  /** Ends every process and removes the folder. Idempotent. */
  stop(): Promise<void>;
};

/** Ports that one store takes, in a row. */
const portsPerStore = 10;
const startLimitMs = 60_000;
const region = 'us-east-1';
const programs = ['monmaptool', 'ceph-mon', 'ceph', 'ceph-osd', 'radosgw', 'radosgw-admin'];

/**
 * Starts the server and waits until it answers.
 * @throws Error that names the command to run when Ceph is not installed, or the log that explains a failed start.
 */
export async function startStore(options: StoreOptions = {}): Promise<LabStore> {
  refuseWithoutPrograms();
  const folder = await mkdtemp(join(options.parentFolder ?? tmpdir(), 'preavis-store-'));
  const port = await freePorts(portsPerStore);
  const accessKey = `LAB${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretKey = randomBytes(20).toString('hex');
  const configFile = join(folder, 'ceph.conf');
  const environment = { ...process.env, CEPH_CONF: configFile };
  const running: Daemon[] = [];
  let gateway: Daemon | undefined;

  const start = async (program: string, ...args: string[]): Promise<Daemon> => {
    const daemon = await startDaemon(program, args, environment, join(folder, 'log', `${program}.out`));
    running.push(daemon);
    return daemon;
  };
  const tool = async (program: string, ...args: string[]): Promise<string> =>
    (await run(program, args, { env: environment, timeout: startLimitMs })).stdout;

  const startGateway = async (): Promise<void> => {
    if (gateway?.isRunning()) return;
    const daemon = await start('radosgw', '-f', '-n', 'client.rgw');
    gateway = daemon;
    await waitFor(`the gateway on port ${port} (log in ${folder}/log)`, daemon, () => answers(port));
  };
  const stopGateway = async (): Promise<void> => {
    await gateway?.stop();
    gateway = undefined;
  };
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await Promise.all(running.map((daemon) => daemon.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  try {
    const fsid = randomUUID();
    const osdUuid = randomUUID();
    for (const name of ['log', 'run', 'mon', 'osd']) await mkdir(join(folder, name), { mode: 0o700 });
    await writeFile(configFile, cephConfig({ folder, port, fsid, medium: options.medium ?? 'memory' }), {
      mode: 0o600,
    });
    const monMap = join(folder, 'monmap');
    await tool('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', `[v2:127.0.0.1:${port + 1}]`, monMap);
    await tool('ceph-mon', '-i', 'a', '--mkfs', '--monmap', monMap);
    await start('ceph-mon', '-f', '-i', 'a');
    await tool('ceph', 'osd', 'new', osdUuid);
    await tool('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osdUuid);
    await start('ceph-osd', '-f', '-i', '0');
    await startGateway();
    await tool(
      'radosgw-admin',
      'user',
      'create',
      '--uid=lab',
      '--display-name=Lab',
      `--access-key=${accessKey}`,
      `--secret-key=${secretKey}`,
    );
  } catch (error) {
    await stop();
    throw error;
  }

  const client = new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey, region });
  return {
    endPoint: '127.0.0.1',
    port,
    region,
    accessKey,
    secretKey,
    folder,
    makeBucket: async (name, bucket = {}) => {
      await client.makeBucket(name, '', { ObjectLocking: bucket.objectLock ?? false });
      if (bucket.versioning) await client.setBucketVersioning(name, { Status: 'Enabled' });
    },
    stopGateway,
    startGateway,
    freezeGateway: () => gateway?.signal('SIGSTOP'),
    thawGateway: () => gateway?.signal('SIGCONT'),
    stop,
  };
}

type Daemon = { isRunning(): boolean; signal(name: NodeJS.Signals): void; stop(): Promise<void> };

/** One process of ours, ended by its own pid only. */
async function startDaemon(program: string, args: string[], env: NodeJS.ProcessEnv, logFile: string): Promise<Daemon> {
  const log = await open(logFile, 'a', 0o600);
  const child: ChildProcess = spawn(program, args, { env, stdio: ['ignore', log.fd, log.fd] });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  await log.close();
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    isRunning,
    signal: (name) => {
      if (isRunning()) child.kill(name);
    },
    // The data is thrown away, so there is nothing to write out first; SIGKILL also ends a frozen process.
    stop: async () => {
      if (isRunning()) child.kill('SIGKILL');
      await exited;
    },
  };
}

function refuseWithoutPrograms(): void {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const missing = programs.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length === 0) return;
  throw new Error(
    `The S3 server of the lab is not installed (missing: ${missing.join(', ')}). Run as root: ` +
      'apt-get install --no-install-recommends radosgw ceph-mon ceph-osd minio-client s3cmd',
  );
}

async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 20_000 + count * Math.floor(Math.random() * 1_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`No ${count} free ports in a row on loopback.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/swift/healthcheck`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function waitFor(what: string, daemon: Daemon, isReady: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + startLimitMs;
  while (!(await isReady())) {
    if (!daemon.isRunning()) throw new Error(`The process ended while waiting for ${what}.`);
    if (Date.now() > limit) throw new Error(`Gave up after ${startLimitMs / 1_000} s waiting for ${what}.`);
    await delay(50);
  }
}

type CephConfig = { folder: string; port: number; fsid: string; medium: 'memory' | 'disk' };

function cephConfig({ folder, port, fsid, medium }: CephConfig): string {
  const storage =
    medium === 'memory'
      ? { osd_objectstore: 'memstore', memstore_device_bytes: 4 * 1024 ** 3 }
      : { osd_objectstore: 'bluestore', bluestore_block_size: 8 * 1024 ** 3 };
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const settings: Record<string, string | number | boolean> = {
    fsid,
    mon_host: `v2:127.0.0.1:${port + 1}`,
    public_addr: '127.0.0.1',
    cluster_addr: '127.0.0.1',
    ms_bind_port_min: port + 2,
    ms_bind_port_max: port + portsPerStore - 1,
    ms_bind_msgr1: false,
    // Without it the gateway loops on error -13.
    ms_mon_client_mode: 'crc',
    auth_cluster_required: 'none',
    auth_service_required: 'none',
    auth_client_required: 'none',
    run_dir: join(folder, 'run'),
    pid_file: join(folder, 'run', '$name.pid'),
    admin_socket: join(folder, 'run', '$name.asok'),
    log_file: join(folder, 'log', '$name.log'),
    mon_data: join(folder, 'mon'),
    mon_data_avail_crit: 1,
    mon_allow_pool_size_one: true,
    paxos_propose_interval: 0.02,
    paxos_min_wait: 0.01,
    osd_data: join(folder, 'osd'),
    ...storage,
    // Debian's default is a relative path.
    osd_class_dir: `/usr/lib/${machine}-linux-gnu/rados-classes`,
    osd_crush_chooseleaf_type: 0,
    osd_pool_default_size: 1,
    osd_pool_default_min_size: 1,
    osd_pool_default_pg_num: 4,
    osd_pool_default_pg_autoscale_mode: 'off',
    rgw_frontends: `beast endpoint=127.0.0.1:${port} tcp_nodelay=1`,
    rgw_crypt_require_ssl: false,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value.toString()}`);
  return `[global]\n${lines.join('\n')}\n`;
}

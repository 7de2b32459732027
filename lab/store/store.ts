/**
 * A real S3 server on loopback: Ceph's gateway with one monitor and one storage daemon, from Debian's packages. Several
 * can run side by side, each in a folder and on ports of its own.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { claimPorts } from '../machine/ports.ts';
import { makeLabFolder, recordProcess, spawnLive, type LiveProcess } from '../machine/processes.ts';
import { accountAt, administration, newKeys, type StoreAccount } from './storeAccounts.ts';

const run = promisify(execFile);

export type StoreOptions = {
  /** `memory` (default) starts in about a second; `disk` survives a kill -9 of the storage daemon and takes longer. */
  medium?: 'memory' | 'disk';
  /** A server that speaks as Vault's transit engine, for encryption by the store (SSE-S3); default: it cannot encrypt. */
  vaultPort?: number;
  /** More addresses of loopback (127.0.0.0/8) at which it answers, so that a filter of packets can cut off one client of several. */
  alsoAt?: readonly string[];
};

/** A server, and its first account, which may make others (lab/store/storeAccounts.ts). */
export type LabStore = StoreAccount & {
  readonly folder: string;
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
/** The data is thrown away, so there is nothing to write out first; SIGKILL also ends a frozen process. */
const atOnce = { signal: 'SIGKILL', graceMs: 0 } as const;
const region = 'us-east-1';
const programs = ['monmaptool', 'ceph-mon', 'ceph', 'ceph-osd', 'radosgw', 'radosgw-admin'];

/**
 * Starts the server and waits until it answers.
 * @throws Error that names the command to run when Ceph is not installed, or the log that explains a failed start.
 */
export async function startStore(options: StoreOptions = {}): Promise<LabStore> {
  refuseWithoutPrograms();
  const labFolder = makeLabFolder();
  const folder = labFolder.path;
  const block = await claimPorts(portsPerStore);
  const port = block.first;
  const keys = newKeys();
  const configFile = join(folder, 'ceph.conf');
  const environment = { ...process.env, CEPH_CONF: configFile };
  const running: LiveProcess[] = [];
  let gateway: LiveProcess | undefined;

  const start = async (program: string, ...args: string[]): Promise<LiveProcess> => {
    const daemon = await spawnLive(program, args, {
      env: environment,
      logFile: join(folder, 'log', `${program}.out`),
    });
    running.push(daemon);
    return daemon;
  };
  const tool = async (program: string, ...args: string[]): Promise<string> => {
    const running = run(program, args, { env: environment, timeout: startLimitMs });
    // The monitor of a run that is interrupted may end first; this would look for it for minutes.
    const forget = running.child.pid === undefined ? () => undefined : recordProcess(program, running.child.pid);
    try {
      return (await running).stdout;
    } finally {
      forget();
    }
  };

  const startGateway = async (): Promise<void> => {
    if (gateway?.isRunning()) return;
    const daemon = await start('radosgw', '-f', '-n', 'client.rgw');
    gateway = daemon;
    await waitFor(`the gateway on port ${port} (log in ${folder}/log)`, daemon, () => answers(port));
  };
  const stopGateway = async (): Promise<void> => {
    await gateway?.stop(atOnce);
    gateway = undefined;
  };
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await Promise.all(running.map((daemon) => daemon.stop(atOnce)));
    labFolder.remove();
    block.release();
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  try {
    const fsid = randomUUID();
    const osdUuid = randomUUID();
    for (const name of ['log', 'run', 'mon', 'osd']) await mkdir(join(folder, name), { mode: 0o700 });
    await writeFile(
      configFile,
      cephConfig({
        ...{ folder, port, fsid, medium: options.medium ?? 'memory', vaultPort: options.vaultPort },
        addresses: ['127.0.0.1', ...(options.alsoAt ?? [])],
      }),
      {
        mode: 0o600,
      },
    );
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
      `--access-key=${keys.accessKey}`,
      `--secret-key=${keys.secretKey}`,
      administration,
    );
  } catch (error) {
    await stop();
    throw error;
  }

  const address = { endPoint: '127.0.0.1', port, region, ...keys };
  return {
    ...accountAt(address, 'lab', address),
    folder,
    stopGateway,
    startGateway,
    freezeGateway: () => {
      if (gateway?.isRunning() === true) process.kill(gateway.pid, 'SIGSTOP');
    },
    thawGateway: () => {
      if (gateway?.isRunning() === true) process.kill(gateway.pid, 'SIGCONT');
    },
    stop,
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

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/swift/healthcheck`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function waitFor(what: string, daemon: LiveProcess, isReady: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + startLimitMs;
  while (!(await isReady())) {
    if (!daemon.isRunning()) throw new Error(`The process ended while waiting for ${what}.`);
    if (Date.now() > limit) throw new Error(`Gave up after ${startLimitMs / 1_000} s waiting for ${what}.`);
    await delay(50);
  }
}

type CephConfig = {
  folder: string;
  port: number;
  fsid: string;
  medium: 'memory' | 'disk';
  vaultPort: number | undefined;
  addresses: readonly string[];
};

function cephConfig({ folder, port, fsid, medium, vaultPort, addresses }: CephConfig): string {
  const encryption =
    vaultPort === undefined
      ? {}
      : {
          rgw_crypt_sse_s3_backend: 'vault',
          rgw_crypt_sse_s3_vault_auth: 'agent',
          rgw_crypt_sse_s3_vault_addr: `http://127.0.0.1:${vaultPort}`,
          rgw_crypt_sse_s3_vault_prefix: '/v1/transit',
          rgw_crypt_sse_s3_vault_secret_engine: 'transit',
        };
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
    rgw_frontends: `beast ${addresses.map((address) => `endpoint=${address}:${port} `).join('')}tcp_nodelay=1`,
    rgw_crypt_require_ssl: false,
    ...encryption,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value.toString()}`);
  return `[global]\n${lines.join('\n')}\n`;
}

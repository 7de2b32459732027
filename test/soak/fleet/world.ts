/**
 * Some Asterisks, each with two workers, one catalogue in PostgreSQL, one S3 server, and whom one can call. Each worker reaches PostgreSQL and the store
 * at an address of its own, and Asterisk at a port of its own, so that a filter of packets can part any two of them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeLabFolder } from '../../../lab/machine/processes.ts';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { rigBucket, startRig } from '../../../lab/rig.ts';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { workerNames, type WorkerName } from '../../../src/config/workerNames.ts';
import { canFilterPackets, startPacketFilter, type PacketFilter } from '../../support/ari/packetFilter.ts';
import { startTcpProxy } from '../../support/ari/tcpProxy.ts';
import { Observer } from '../observer.ts';
import { installSentences, soakedRig, startAgents, startStranger, writeSounds } from '../world.ts';
import { watchLocks, type LockWaits } from './lockWaits.ts';
import { makeKeeper, watchServing, type Pbx, type Worker } from './pbx.ts';
import { makeWriteLog, type WriteLog } from './writes.ts';

export type Fleet = {
  readonly pbxs: readonly Pbx[];
  readonly store: LabStore;
  readonly postgres: LabPostgres;
  /** The address of the catalogue, by the superuser of the lab. */
  readonly database: string;
  readonly writes: WriteLog;
  readonly lockWaits: LockWaits;
  /** undefined: nothing can be parted on this machine. */
  readonly filter: PacketFilter | undefined;
  readonly stranger: string;
  stop(): Promise<void>;
};

type Stop = () => Promise<void> | void;

/** An archive is known by this, so it is the same for all. */
const storeName = 'store.lab.example';
const hosts = new URL('hosts.mjs', import.meta.url);
const pbxName = (index: number): string => `pbx${index + 1}`;
const roleOf = (pbx: string, worker: WorkerName): string => `${pbx}${worker}`;
/** Loopback is all of 127.0.0.0/8. */
const addressOf = (pbx: number, worker: WorkerName): string =>
  `127.0.0.${2 + pbx * workerNames.length + workerNames.indexOf(worker)}`;
/** As an entry of /etc/hosts has it. */
const storeAt = (address: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=${hosts.href}?${storeName}=${address}`,
});

/** Ends what it has started where it cannot start all. */
export async function startFleet(count: number, callers: number, say: (line: string) => void): Promise<Fleet> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { ...(await start(count, callers, say, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDatabase(addresses: readonly string[], stops: Stop[]): Promise<LabPostgres> {
  const postgres = await startPostgres();
  stops.push(() => postgres.stop());
  await postgres.stopServer();
  writeFileSync(
    join(postgres.settingsFolder, 'addresses.conf'),
    `listen_addresses = '${['127.0.0.1', ...addresses].join(',')}'\n`,
  );
  await postgres.startServer();

  return postgres;
}

async function start(
  count: number,
  callers: number,
  say: (line: string) => void,
  stops: Stop[],
): Promise<Omit<Fleet, 'stop'>> {
  const indexes = Array.from({ length: count }, (_none, index) => index);
  const addresses = indexes.flatMap((index) => workerNames.map((worker) => addressOf(index, worker)));
  const [sounds, shared] = [makeLabFolder(), makeLabFolder()];
  for (const folder of [sounds, shared]) {
    stops.push(() => {
      folder.remove();
    });
  }
  writeSounds(sounds.path);
  const store = await startStore({ alsoAt: addresses });
  stops.push(() => store.stop());
  await store.makeBucket(rigBucket, { versioning: true });
  const postgres = await startDatabase(addresses, stops);
  const database = await postgres.makeDatabase();
  const roles = indexes.flatMap((index) => workerNames.map((worker) => roleOf(pbxName(index), worker)));
  const writes = await makeWriteLog(database, roles);
  const agents = await startAgents();
  const stranger = await startStranger();
  for (const agent of [...Object.values(agents), stranger]) stops.push(() => agent.stop());
  const filter = canFilterPackets ? await startPacketFilter() : undefined;
  if (filter !== undefined) stops.push(() => filter.close());
  const { lines, config } = soakedRig(callers, agents, stranger, sounds.path);
  const pbxs: Pbx[] = [];
  for (const index of indexes) {
    const name = pbxName(index);
    const rig = await startRig({
      idle: true,
      store: { ...store, endPoint: storeName },
      environment: storeAt('127.0.0.1'),
      database,
      rtpPorts: 400,
      lines,
      config: {
        ...config,
        ari: { pbx: name },
        // One signing key and one ledger for all.
        catalogue: { folder: shared.path },
        schedule: { upload: '*/5 * * * * *', retention: '*/20 * * * * *', reconcile: '15 * * * * *' },
        archive: { attemptSeconds: 20 },
      },
    });
    stops.push(() => rig.stop());
    await installSentences(rig);
    const observer = new Observer({ rig });
    stops.push(() => {
      observer.stop();
    });
    const workers: Worker[] = [];
    for (const worker of workerNames) {
      const [address, line] = [addressOf(index, worker), await startTcpProxy()];
      stops.push(() => {
        line.close();
      });
      line.leadTo(rig.asterisk.ariUrl);
      const role = roleOf(name, worker);
      const environment = {
        ...storeAt(address),
        PREAVIS_ARI_URL: `http://127.0.0.1:${line.port}`,
        PREAVIS_CATALOGUE_POSTGRES_HOST: address,
        PREAVIS_CATALOGUE_POSTGRES_USER: role,
      };
      const serve = rig.workers[worker];
      await serve.start(environment);
      const keeper = makeKeeper(`${name} ${worker}`, serve, environment, say);
      stops.push(() => keeper.stop());
      workers.push({ name: `${name} ${worker}`, serve, address, line, role, keeper });
    }
    const { unanswered, stop } = watchServing(workers);
    stops.push(stop);
    pbxs.push({ name, rig, workers, observer, unanswered, made: [], struck: [] });
  }
  await writes.begin();
  const lockWaits = watchLocks(database);
  stops.push(() => lockWaits.stop());

  return { pbxs, store, postgres, database, writes, lockWaits, filter, stranger: stranger.dialString };
}

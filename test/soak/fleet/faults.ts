import { setTimeout as sleep } from 'node:timers/promises';
import { signalIfThere } from '../../../lab/machine/processes.ts';
import type { Chance } from '../chance.ts';
import { inVain, storeKilled, strangerJoins, type Harm } from '../faults.ts';
import { endsByItself, isConnected, saidSince, sizeOf, type Pbx, type Worker } from './pbx.ts';
import type { Fleet } from './world.ts';

const takenOver = '"msg":"other worker away; its calls taken over"';

/** `findings`: promises that were seen to be broken while it struck. */
export type FleetFault<Target> = {
  weight: number;
  name: string;
  harm: Harm;
  strike: (fleet: Fleet, at: Target, chance: Chance, findings: string[]) => Promise<typeof inVain | undefined>;
};

const frozenAMoment = 'a worker is frozen for a moment';
const frozenAMinute = 'a worker is frozen for a minute';
const partedFromPostgres = 'a worker and PostgreSQL are parted';
/** PostgreSQL hears nothing more of a worker, which may be in the middle of transactions. */
export const leavesTransactions: readonly string[] = [frozenAMoment, frozenAMinute, partedFromPostgres];
/** What such a worker had asked is begun when this is over. */
export const postgresHangs = 'PostgreSQL hangs';

/** Beyond the lease of a worker, and as long as the other one may have to wait for PostgreSQL, ms. */
const passedOverWithinMs = 60_000;
/** What a worker that stands still for about a minute is late with, ms. */
const frozenMs = { least: 20_000, most: 70_000 };

const pickWorker = ({ workers }: Pbx, chance: Chance): Worker => {
  const worker = workers[Math.floor(chance.between(0, workers.length))];
  if (worker === undefined) throw new Error('a PBX without a worker');

  return worker;
};

/** The other worker takes over the calls of one that stands still, which wakes up then: it writes nothing any more, and ends. */
async function passOver(
  { writes }: Fleet,
  pbx: Pbx,
  chance: Chance,
  findings: string[],
): Promise<typeof inVain | undefined> {
  const { name, serve, role, keeper } = pickWorker(pbx, chance);
  const other = pbx.workers.find((each) => each.serve !== serve);
  const frozen = serve.pid();
  if (frozen === undefined || other === undefined || !(await isConnected(serve))) return inVain;
  const since = sizeOf(other.serve.logFile);
  keeper.hold();
  if (!signalIfThere(frozen, 'SIGSTOP')) {
    keeper.release();

    return inVain;
  }
  const frozenAt = performance.now();
  const wakesAfterMs = chance.between(frozenMs.least, frozenMs.most);
  const isPassed = (): boolean => saidSince(other.serve.logFile, since).includes(takenOver);
  while (!isPassed() && performance.now() - frozenAt < passedOverWithinMs) await sleep(200);
  const hasPassed = isPassed();
  await sleep(Math.max(0, frozenAt + wakesAfterMs - performance.now()));
  const wokenAt = await writes.now();
  signalIfThere(frozen, 'SIGCONT');
  if (hasPassed) {
    if (!(await endsByItself(frozen))) findings.push(`${name}, which was passed over, has not ended`);
    const written = await writes.since(role, wokenAt);
    if (written.length > 0) findings.push(`${name}, which was passed over, has written: ${written.join(', ')}`);
  }
  keeper.release();

  return hasPassed ? undefined : inVain;
}

/** Drops every packet between what listens here and who asks it here, both ways. */
async function part({ filter }: Fleet, address: string, port: number, ms: number): Promise<typeof inVain | undefined> {
  if (filter === undefined) return inVain;
  const losses = [
    await filter.drop(`ip daddr ${address} tcp dport ${port}`),
    await filter.drop(`ip saddr ${address} tcp sport ${port}`),
  ];
  await sleep(ms);
  for (const loss of losses) await loss.mend();

  return undefined;
}

/** Mostly for less than what others wait for an answer, and sometimes for longer than every lease lasts, ms. */
const partedMs = (chance: Chance): number =>
  chance.between(0, 1) < 0.2 ? chance.between(61_000, 75_000) : chance.between(1_000, 20_000);

/** What breaks at one PBX, one after the other. */
export const faultsOfPbx: readonly [FleetFault<Pbx>, ...FleetFault<Pbx>[]] = [
  {
    weight: 5,
    name: 'a worker is killed',
    harm: 'serve',
    strike: async (_fleet, pbx, chance) => {
      const { serve, keeper } = pickWorker(pbx, chance);
      keeper.hold();
      await serve.kill();
      await sleep(chance.between(0, 20_000));
      keeper.release();

      return undefined;
    },
  },
  {
    weight: 2,
    name: 'a worker is stopped and started',
    harm: 'serve',
    strike: async (_fleet, pbx, chance) => {
      const { serve, keeper } = pickWorker(pbx, chance);
      keeper.hold();
      await serve.stop();
      keeper.release();

      return undefined;
    },
  },
  {
    weight: 1,
    name: 'both workers are killed',
    harm: 'serve',
    strike: async (_fleet, { workers }, chance) => {
      for (const { keeper } of workers) keeper.hold();
      await Promise.all(workers.map(({ serve }) => serve.kill()));
      await sleep(chance.between(0, 5_000));
      for (const { keeper } of workers) keeper.release();

      return undefined;
    },
  },
  {
    weight: 2,
    name: 'Asterisk is killed',
    harm: 'asterisk',
    strike: async (_fleet, { rig }, chance) => {
      await rig.asterisk.kill();
      await sleep(chance.between(0, 3_000));
      await rig.asterisk.start();

      return undefined;
    },
  },
  {
    weight: 2,
    name: frozenAMoment,
    harm: 'hang',
    strike: async (_fleet, pbx, chance) => {
      const pid = pickWorker(pbx, chance).serve.pid();
      if (pid === undefined || !signalIfThere(pid, 'SIGSTOP')) return inVain;
      await sleep(chance.between(500, 15_000));
      // It may have been about to end.
      signalIfThere(pid, 'SIGCONT');

      return undefined;
    },
  },
  { weight: 3, name: frozenAMinute, harm: 'hang', strike: passOver },
  {
    weight: 2,
    name: 'a worker and Asterisk are parted',
    harm: 'hang',
    strike: (fleet, pbx, chance) => part(fleet, '127.0.0.1', pickWorker(pbx, chance).line.port, partedMs(chance)),
  },
  {
    weight: 1,
    name: 'both workers and Asterisk are parted',
    harm: 'hangOfBoth',
    strike: (fleet, { rig }, chance) => part(fleet, '127.0.0.1', rig.asterisk.ports.http, partedMs(chance)),
  },
  {
    weight: 2,
    name: partedFromPostgres,
    harm: 'database',
    strike: (fleet, pbx, chance) => part(fleet, pickWorker(pbx, chance).address, fleet.postgres.port, partedMs(chance)),
  },
  {
    weight: 2,
    name: 'a worker and the store are parted',
    harm: 'store',
    strike: (fleet, pbx, chance) => part(fleet, pickWorker(pbx, chance).address, fleet.store.port, partedMs(chance)),
  },
  {
    weight: 2,
    name: 'a stranger joins',
    harm: 'stranger',
    // Asterisk may die, and calls may end, in the middle of it.
    strike: ({ stranger }, { rig }, chance) => strangerJoins({ rig, stranger }, chance).catch(() => inVain),
  },
];

/** What breaks for all, one after the other. */
export const faultsOfPostgres: readonly [FleetFault<undefined>, ...FleetFault<undefined>[]] = [
  {
    weight: 1,
    name: 'PostgreSQL is killed',
    harm: 'database',
    strike: async ({ postgres }, _all, chance) => {
      await postgres.stopServer('kill');
      await sleep(chance.between(500, 8_000));
      await postgres.startServer();

      return undefined;
    },
  },
  {
    weight: 1,
    name: 'PostgreSQL restarts',
    harm: 'database',
    strike: async ({ postgres }) => {
      await postgres.stopServer();
      await postgres.startServer();

      return undefined;
    },
  },
  {
    weight: 2,
    name: 'the connections of PostgreSQL are cut',
    harm: 'database',
    strike: async ({ writes }) => {
      await writes.cutConnections();

      return undefined;
    },
  },
  {
    weight: 1,
    name: postgresHangs,
    harm: 'database',
    strike: async ({ postgres }, _all, chance) => {
      postgres.hang();
      await sleep(chance.between(1_000, 20_000));
      postgres.goOn();

      return undefined;
    },
  },
];

export const faultsOfStore: readonly [FleetFault<undefined>, ...FleetFault<undefined>[]] = [
  {
    weight: 2,
    name: storeKilled,
    harm: 'store',
    strike: async ({ store }, _all, chance) => {
      await store.stopGateway();
      await sleep(chance.between(1_000, 15_000));
      await store.startGateway();

      return undefined;
    },
  },
  {
    weight: 1,
    name: 'the store does not answer',
    harm: 'store',
    strike: async ({ store }, _all, chance) => {
      store.freezeGateway();
      await sleep(chance.between(1_000, 15_000));
      store.thawGateway();

      return undefined;
    },
  },
];

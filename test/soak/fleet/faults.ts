import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../chance.ts';
import { inVain, strangerJoins, type Harm } from '../faults.ts';
import { endsByItself, restartAfterMs, type Pbx } from './pbx.ts';
import type { Fleet } from './world.ts';

/** `findings`: promises that were seen to be broken while it struck. */
export type FleetFault<Target> = {
  weight: number;
  name: string;
  harm: Harm;
  strike: (fleet: Fleet, at: Target, chance: Chance, findings: string[]) => Promise<typeof inVain | undefined>;
};

/** A little beyond the lease of a serve (src/catalogue/jobs/leases.ts), ms. */
const passedOverWithinMs = 120_000;

/** Another serve takes the place of one that stands still, which wakes up then: it writes nothing any more, and ends. */
async function passOver(
  { writes }: Fleet,
  { name, rig, role, otherRole, keeper }: Pbx,
  chance: Chance,
  findings: string[],
): Promise<typeof inVain | undefined> {
  const frozen = rig.servePid();
  if (frozen === undefined) return inVain;
  keeper.hold();
  process.kill(frozen, 'SIGSTOP');
  const other = {
    PREAVIS_HEALTH_PORT: String(rig.healthPort + 1),
    PREAVIS_CATALOGUE_POSTGRES_USER: otherRole,
  };
  let hasPassed = false;
  for (const until = performance.now() + passedOverWithinMs; !hasPassed && performance.now() < until;) {
    // Asterisk still has the socket of the first one. Refused as long as its lease holds, and while the database is away.
    hasPassed = await rig.startServe(other, '--take-over').then(
      () => true,
      () => sleep(restartAfterMs, false),
    );
  }
  if (!hasPassed) {
    process.kill(frozen, 'SIGKILL');
    keeper.release();
    return inVain;
  }
  const since = await writes.now();
  await sleep(chance.between(0, 3_000));
  process.kill(frozen, 'SIGCONT');
  if (!(await endsByItself(frozen))) findings.push(`a serve of ${name} that was passed over has not ended`);
  const written = await writes.since(role, since);
  if (written.length > 0) findings.push(`a serve of ${name} that was passed over has written: ${written.join(', ')}`);
  await rig.stopServe();
  keeper.release();

  return undefined;
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
    name: 'serve is killed',
    harm: 'serve',
    strike: async (_fleet, { rig, keeper }, chance) => {
      keeper.hold();
      await rig.killServe();
      await sleep(chance.between(0, 5_000));
      keeper.release();

      return undefined;
    },
  },
  {
    weight: 1,
    name: 'serve is stopped and started',
    harm: 'serve',
    strike: async (_fleet, { rig, keeper }) => {
      keeper.hold();
      await rig.stopServe();
      keeper.release();

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
    name: 'serve is frozen',
    harm: 'hang',
    strike: async (_fleet, { rig }, chance) => {
      const pid = rig.servePid();
      if (pid === undefined) return inVain;
      process.kill(pid, 'SIGSTOP');
      await sleep(chance.between(1_000, 70_000));
      process.kill(pid, 'SIGCONT');

      return undefined;
    },
  },
  { weight: 2, name: 'serve is frozen, and another takes its place', harm: 'hang', strike: passOver },
  {
    weight: 2,
    name: 'serve and Asterisk are parted',
    harm: 'hang',
    strike: (fleet, { rig }, chance) => part(fleet, '127.0.0.1', rig.asterisk.ports.http, partedMs(chance)),
  },
  {
    weight: 2,
    name: 'serve and PostgreSQL are parted',
    harm: 'database',
    strike: (fleet, { address }, chance) => part(fleet, address, fleet.postgres.port, partedMs(chance)),
  },
  {
    weight: 2,
    name: 'serve and the store are parted',
    harm: 'store',
    strike: (fleet, { address }, chance) => part(fleet, address, fleet.store.port, partedMs(chance)),
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
    name: 'PostgreSQL hangs',
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
    name: 'the store is killed',
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

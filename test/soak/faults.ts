import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { World } from './world.ts';

/** `asterisk`: ends calls. `serve`: takes Préavis away. `line`: events and keys are missed. */
export type Harm = 'asterisk' | 'serve' | 'line' | 'store' | 'none';

export type Fault = {
  weight: number;
  name: string;
  harm: Harm;
  strike: (world: World, chance: Chance) => Promise<void>;
};

export type Struck = { name: string; harm: Harm; from: number; to: number };

const expected = new Set([0, 1, 3]);

/** A command beside a running serve, whatever else is wrong at the time: it says what, and does not crash. */
async function command({ rig }: World, ...args: string[]): Promise<void> {
  const { code, stderr } = await rig.preavis(...args);
  const crashed = /^\s+at .*\(?(?:file|node):/m.test(stderr.replace(/^\{.*$/gm, ''));
  if (!expected.has(code) || crashed) throw new Error(`preavis ${args.join(' ')}: ${code}\n${stderr}`);
}

export const faults: readonly [Fault, ...Fault[]] = [
  {
    weight: 6,
    name: 'serve is killed',
    harm: 'serve',
    strike: async ({ rig }, chance) => {
      await rig.killServe();
      await sleep(chance.between(0, 3_000));
      await rig.startServe();
    },
  },
  {
    weight: 2,
    name: 'serve is stopped and started',
    harm: 'serve',
    strike: async ({ rig }) => {
      await rig.stopServe();
      await rig.startServe();
    },
  },
  {
    weight: 2,
    name: 'Asterisk is killed',
    harm: 'asterisk',
    strike: async ({ rig }, chance) => {
      await rig.asterisk.kill();
      await sleep(chance.between(0, 3_000));
      await rig.asterisk.start();
    },
  },
  {
    weight: 6,
    name: 'the line to Asterisk is cut',
    harm: 'line',
    strike: async ({ line }, chance) => {
      line.cut();
      await sleep(chance.between(100, 4_000));
      line.mend();
    },
  },
  {
    weight: 3,
    name: 'the archive is away',
    harm: 'store',
    strike: async ({ store }, chance) => {
      await store.stopGateway();
      await sleep(chance.between(1_000, 15_000));
      await store.startGateway();
    },
  },
  {
    weight: 2,
    name: 'the archive does not answer',
    harm: 'store',
    strike: async ({ store }, chance) => {
      store.freezeGateway();
      await sleep(chance.between(1_000, 15_000));
      store.thawGateway();
    },
  },
  {
    weight: 2,
    name: 'Asterisk reloads',
    harm: 'none',
    strike: async ({ rig }) => {
      await rig.asterisk.cli('core reload');
    },
  },
  {
    weight: 2,
    name: 'the prompts are away',
    harm: 'none',
    strike: async ({ rig }, chance) => {
      const folder = join(rig.asterisk.soundsFolder, 'en/preavis');
      const names = readdirSync(folder);
      for (const name of names) renameSync(join(folder, name), join(folder, `.${name}`));
      await sleep(chance.between(500, 3_000));
      for (const name of names) renameSync(join(folder, `.${name}`), join(folder, name));
    },
  },
  {
    weight: 3,
    name: 'commands beside serve, each twice at once',
    harm: 'none',
    strike: async (world) => {
      await Promise.all(
        [['upload'], ['retention', 'run'], ['recordings', 'reconcile', '--verify']].flatMap((args) => [
          command(world, ...args),
          command(world, ...args),
        ]),
      );
    },
  },
];

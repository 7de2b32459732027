import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { WebSocket } from 'ws';
import type { Chance } from './chance.ts';
import { clockSteps, type World } from './world.ts';

/**
 * `asterisk`: ends calls. `serve`: takes Préavis away. `hang`: it does nothing for so long that nobody ends the other side when one hangs up;
 * `hangOfBoth`: so do two workers at once.
 * `line`: events and keys are missed. `database`: what happens is written down later.
 * `asteriskClock`: Asterisk's time limits end, or do not. `ownClock`: only what Préavis makes of times is wrong. `stranger`: somebody joins who was not told.
 */
export type Harm =
  | 'asterisk'
  | 'serve'
  | 'hang'
  | 'hangOfBoth'
  | 'line'
  | 'store'
  | 'database'
  | 'asteriskClock'
  | 'ownClock'
  | 'stranger'
  | 'none';

export type Fault = {
  weight: number;
  name: string;
  harm: Harm;
  /** `inVain` where nothing came of it. */
  strike: (world: World, chance: Chance) => Promise<typeof inVain | undefined>;
};

export const inVain = 'in vain';

/** Unix times, ms. `endedAt`: when it was over; `to`: when what it had done was made good. */
export type Struck = { name: string; harm: Harm; from: number; endedAt: number; to: number };

/** By a kill, so that it may be in the middle of an object. */
export const storeKilled = 'the store is killed';

const expected = new Set([0, 1, 3]);

/** A command beside a running serve, whatever else is wrong at the time: it says what, and does not crash. */
async function command({ rig }: World, ...args: string[]): Promise<void> {
  const { code, stderr } = await rig.preavis(...args);
  const crashed = /^\s+at .*\(?(?:file|node):/m.test(stderr.replace(/^\{.*$/gm, ''));
  if (!expected.has(code) || crashed) throw new Error(`preavis ${args.join(' ')}: ${code}\n${stderr}`);
}

const stepNames = Object.keys(clockSteps) as (keyof typeof clockSteps)[];

/** The clocks of Asterisk, of Préavis or of both, set to the same and back. */
function clockFault(name: string, harm: Harm, set: (rig: World['rig'], off: string) => void): Fault {
  return {
    weight: 1,
    name,
    harm,
    strike: async ({ rig }, chance) => {
      set(rig, stepNames[Math.floor(chance.between(0, stepNames.length))] ?? '+3h');
      await sleep(chance.between(500, 8_000));
      set(rig, '+0');
    },
  };
}

/** Somebody comes into a talk, or to a caller for whom it rings, stays for a while, and leaves. */
export async function strangerJoins(
  { rig, stranger }: Pick<World, 'rig' | 'stranger'>,
  chance: Chance,
): Promise<typeof inVain | undefined> {
  const { ariUrl, ariUsername, ariPassword } = rig.asterisk;
  const app = `soak-${ulid()}`;
  const request = async (method: string, path: string): Promise<unknown> => {
    const headers = { authorization: `Basic ${btoa(`${ariUsername}:${ariPassword}`)}` };
    const answer = await fetch(`${ariUrl}/ari${path}`, { method, headers, signal: AbortSignal.timeout(5_000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method}: ${answer.status}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const socket = new WebSocket(
    `${ariUrl.replace('http', 'ws')}/ari/events?api_key=${ariUsername}:${ariPassword}&app=${app}`,
  );
  const began = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      if ((JSON.parse(data.toString()) as { type: string }).type === 'StasisStart') resolve();
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    const endpoint = encodeURIComponent(stranger);
    const { id } = (await request('POST', `/channels?endpoint=${endpoint}&app=${app}`)) as { id: string };
    await Promise.race([began, sleep(5_000)]);
    const bridges = (await request('GET', '/bridges')) as { id: string; name: string; channels: string[] }[];
    const talks = bridges.filter(({ name, channels }) => /^preavis(?:-[ab])?$/.test(name) && channels.length > 1);
    const talk = talks[Math.floor(chance.between(0, talks.length))];
    if (talk !== undefined) {
      await request('POST', `/bridges/${talk.id}/addChannel?channel=${id}`);
      await sleep(chance.between(500, 3_500));
    }
    // With Asterisk the stranger may be gone already.
    await request('DELETE', `/channels/${id}`).catch(() => undefined);

    return talk === undefined ? inVain : undefined;
  } finally {
    socket.close();
  }
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
    name: storeKilled,
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
    weight: 1,
    name: 'a stranger joins',
    harm: 'stranger',
    // Asterisk may die, and calls may end, in the middle of it.
    strike: (world, chance) => strangerJoins(world, chance).catch(() => inVain),
  },
  clockFault("Asterisk's clock is set", 'asteriskClock', (rig, off) => {
    rig.asterisk.setClock(off);
  }),
  clockFault('the clock of Préavis is set', 'ownClock', (rig, off) => {
    rig.setClock(off);
  }),
  clockFault('both clocks are set', 'asteriskClock', (rig, off) => {
    rig.asterisk.setClock(off);
    rig.setClock(off);
  }),
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

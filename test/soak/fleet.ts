/**
 * `npm run chaos:fleet -- [--minutes 2] [--seed WORD] [--pbx 2] [--callers 3]`: some Asterisks, each with its `serve`, one catalogue in PostgreSQL, one S3 server, and callers
 * at each, while processes are killed, frozen and cut off at random. At the end nothing is broken any more, and all that was promised must hold.
 * Exit 1 when a promise was broken.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ulid } from 'ulid';
import { startPostgres, type LabPostgres } from '../../lab/postgres/postgres.ts';
import { labPurpose, rigBucket, startRig, type Rig } from '../../lab/rig.ts';
import { startStore, type LabStore } from '../../lab/store/store.ts';
import { continuousTone } from '../../lab/telephones/audio.ts';
import { placeCall, startAgent, type Agent, type CallEnd } from '../../lab/telephones/sip.ts';
import { openPostgresCatalogue, type Catalogue } from '../../src/catalogue/catalogue.ts';
import { systemClock } from '../../src/core/clock.ts';
import { lineFaults } from '../../src/retention/certificates/verifyTrail.ts';
import { makeMinioStore } from '../../src/store/s3/store.ts';
import { makeChance, type Chance } from './chance.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: ulid() },
    pbx: { type: 'string', default: '2' },
    callers: { type: 'string', default: '3' },
  },
});
const never = new AbortController().signal;
const talkMs = 2_000;
/** Within this somebody is answered, whatever is broken but their Asterisk (P3): its limit for an application that hangs, and some more. */
const connectedWithinMs = 20_000;
/** The fault that ends calls. */
const killsCalls = 'Asterisk is killed';
const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

type Made = { line: string; pbx: number; from: number; to: number; end: CallEnd };
type Struck = { what: string; pbx: number | undefined; from: number; to: number };

type Fleet = {
  store: LabStore;
  postgres: LabPostgres;
  database: string;
  rigs: Rig[];
  agent: Agent;
  /** Names of the WAV files that any Asterisk has begun. */
  begun: Set<string>;
  made: Made[];
  struck: Struck[];
};

async function startFleet(): Promise<Fleet> {
  const store = await startStore();
  await store.makeBucket(rigBucket, { versioning: true });
  const postgres = await startPostgres();
  const database = await postgres.makeDatabase();
  const agent = await startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs: talkMs, atOnce: 20 });
  const rigs: Rig[] = [];
  for (let number = 0; number < Number(values.pbx); number += 1) {
    const rig = await startRig({
      extensions: {
        kept: `${agent.dialString},20,language=en,line=kept`,
        brief: `${agent.dialString},20,language=en,line=brief`,
      },
      store,
      database,
      config: {
        ari: { pbx: `pbx${number + 1}` },
        purposes: {
          training: labPurpose(
            'training',
            'Calls of the lab are erased at once in order to see that erasing works.',
            0,
          ),
        },
        lines: {
          kept: { purposes: ['agreement'], defaultLanguages: ['en'] },
          brief: { purposes: ['training'], defaultLanguages: ['en'] },
        },
        // What erases signs with a key of its own, so one of them does.
        schedule: {
          upload: '*/5 * * * * *',
          retention: number === 0 ? '*/7 * * * * *' : '0 0 1 1 *',
          reconcile: '0 0 1 1 *',
        },
      },
    });
    rigs.push(rig);
  }

  return { store, postgres, database, rigs, agent, begun: new Set(), made: [], struck: [] };
}

/** A `serve` that was ended on purpose comes back, whatever it needs comes back first. */
async function revive(rig: Rig): Promise<void> {
  for (let tries = 0; rig.servePid() === undefined; tries += 1) {
    try {
      await rig.startServe();
    } catch (cause) {
      if (tries > 60) throw cause;
      await sleep(1_000);
    }
  }
}

type Fault = {
  weight: number;
  name: string;
  isAtPbx: boolean;
  strike: (fleet: Fleet, rig: Rig, chance: Chance) => Promise<void>;
};

const faults: readonly [Fault, ...Fault[]] = [
  {
    weight: 4,
    name: 'serve is killed',
    isAtPbx: true,
    strike: async (_fleet, rig, chance) => {
      await rig.killServe();
      await sleep(chance.between(0, 5_000));
      await revive(rig);
    },
  },
  {
    weight: 2,
    name: killsCalls,
    isAtPbx: true,
    strike: async (_fleet, rig, chance) => {
      await rig.asterisk.kill();
      await sleep(chance.between(0, 3_000));
      await rig.asterisk.start();
      await revive(rig);
    },
  },
  {
    weight: 2,
    name: 'PostgreSQL is killed',
    isAtPbx: false,
    strike: async ({ postgres, rigs }, _rig, chance) => {
      await postgres.stopServer('kill');
      await sleep(chance.between(500, 8_000));
      await postgres.startServer();
      for (const rig of rigs) await revive(rig);
    },
  },
  {
    weight: 2,
    name: 'the store is away',
    isAtPbx: false,
    strike: async ({ store }, _rig, chance) => {
      await store.stopGateway();
      await sleep(chance.between(1_000, 8_000));
      await store.startGateway();
    },
  },
  {
    weight: 2,
    name: 'serve is frozen for longer than its lease',
    isAtPbx: true,
    strike: async (_fleet, rig, chance) => {
      const pid = rig.servePid();
      if (pid === undefined) return;
      process.kill(pid, 'SIGSTOP');
      await sleep(chance.between(5_000, 70_000));
      process.kill(pid, 'SIGCONT');
      // It may end, as what it had is no longer its own.
      await sleep(2_000);
      await revive(rig);
    },
  },
];

async function strikeUntil(fleet: Fleet, until: number): Promise<void> {
  const chance = makeChance(values.seed, 'faults');
  while (Date.now() < until) {
    await sleep(chance.between(2_000, 8_000));
    const fault = chance.pick(faults);
    const pbx = Math.floor(chance.between(0, fleet.rigs.length));
    const [rig, from] = [fleet.rigs[pbx], Date.now()];
    if (rig === undefined) throw new Error('there is no such PBX');
    await fault.strike(fleet, rig, chance);
    fleet.struck.push({ what: fault.name, pbx: fault.isAtPbx ? pbx : undefined, from, to: Date.now() });
    say(`${fault.name}${fault.isAtPbx ? ` at pbx${pbx + 1}` : ''}, for ${((Date.now() - from) / 1_000).toFixed(1)} s`);
  }
}

/** Calls at one PBX, one after the other. */
async function callUntil(fleet: Fleet, pbx: number, caller: number, until: number): Promise<void> {
  const chance = makeChance(values.seed, `caller ${pbx} ${caller}`);
  const rig = fleet.rigs[pbx];
  const tone = await continuousTone(440);
  while (rig !== undefined && Date.now() < until) {
    const line = chance.between(0, 1) < 0.5 ? 'kept' : 'brief';
    const from = Date.now();
    const call = await placeCall({ sipPort: rig.asterisk.sipPort, to: line, tone, hangUpAfterMs: 60_000 }).catch(
      () => undefined,
    );
    const end = await call?.ended.catch(() => undefined);
    if (end !== undefined) fleet.made.push({ line, pbx, from, to: Date.now(), end });
    await sleep(chance.between(200, 2_000));
  }
}

/** Préavis tries the recorder by a file of another name. */
const idOf = (name: string): string | undefined => /^preavis-([0-9A-Z]{26})\.wav$/.exec(name)?.[1];

function watchSpools({ rigs, begun }: Fleet): NodeJS.Timeout {
  return setInterval(() => {
    for (const { asterisk } of rigs) {
      for (const name of readdirSync(asterisk.spoolFolder)) if (idOf(name) !== undefined) begun.add(name);
    }
  }, 100);
}

/** Until nothing is left to do, or for two minutes. */
async function settle(catalogue: Catalogue): Promise<string[]> {
  const open = async (): Promise<string[]> => {
    const recordings = await catalogue.recordings.list({ limit: 1_000_000 });
    const left = recordings.filter(
      ({ status, keepUntil }) =>
        ['recording', 'recorded'].includes(status) || (status === 'archived' && (keepUntil ?? Infinity) < Date.now()),
    );
    return left.map(({ id, status }) => `${id} is still ${status}`);
  };
  for (const until = Date.now() + 120_000; Date.now() < until;) {
    if ((await open()).length === 0) return [];
    await sleep(1_000);
  }

  return open();
}

/** Each finding is a promise that was broken. */
async function judge(fleet: Fleet, catalogue: Catalogue): Promise<string[]> {
  const findings = await settle(catalogue);
  const store = makeMinioStore({ ...fleet.store, useTls: false, bucket: rigBucket });
  const recordings = await catalogue.recordings.list({ limit: 1_000_000 });
  const known = new Map(recordings.map((row) => [row.id as string, row]));
  for (const name of fleet.begun) {
    const row = known.get(idOf(name) ?? '');
    if (row === undefined) findings.push(`${name} was begun, and no catalogue knows it`);
    else if (!['archived', 'erased', 'discarded', 'failed'].includes(row.status))
      findings.push(`${name} is ${row.status}`);
  }
  for (const row of recordings) {
    const { id, status, startedAt, noticeFinishedAt, objectKey } = row;
    if (startedAt !== null && startedAt < noticeFinishedAt) findings.push(`${id} began before its notice was over`);
    const heard = await catalogue.calls.notices(row.callId);
    if (status === 'archived' && !heard.every(({ verdict }) => verdict === 'verified'))
      findings.push(`${id} has a notice that was not heard`);
    const versions = objectKey === null ? [] : await store.versions(objectKey);
    const expected = status === 'archived' ? 1 : 0;
    if (versions.length !== expected)
      findings.push(`${id} is ${status} and has ${versions.length} versions in the archive`);
    const steps = await catalogue.auditTrail.of(id);
    for (const to of ['archived', 'erased']) {
      if (steps.filter((step) => step.to === to).length > 1) findings.push(`${id} became ${to} twice`);
    }
  }
  for (const { line, from, to, end, pbx } of fleet.made) {
    const wasHurt = fleet.struck.some(
      (each) => each.what === killsCalls && each.pbx === pbx && each.from < to && each.to > from - 1_000,
    );
    const { answeredAfterMs = Infinity } = end;
    if (!wasHurt && answeredAfterMs > connectedWithinMs) {
      findings.push(
        `who called ${line} at pbx${pbx + 1} at ${new Date(from).toISOString()} was not answered within ${connectedWithinMs} ms: ${end.status}`,
      );
    }
  }
  for await (const { fault } of lineFaults(catalogue, never)) findings.push(fault);
  for (const { asterisk } of fleet.rigs) {
    // What cannot be archived stays where it is, and says why.
    const left = readdirSync(asterisk.spoolFolder).filter((name) => {
      const row = known.get(idOf(name) ?? '');
      return row !== undefined && row.status !== 'failed';
    });
    findings.push(...left.map((name) => `${name} is still in the recording folder`));
  }
  for (const { id, failure } of recordings) if (failure !== null) say(`${id}: ${failure}`);
  const count = (status: string): number => recordings.filter((row) => row.status === status).length;
  say(
    `${fleet.made.length} calls, ${fleet.made.filter(({ end }) => end.status === 'answered').length} of them connected; ${fleet.begun.size} WAVs begun; ${count('archived')} archived, ${count('erased')} erased, ${count('discarded')} discarded, ${count('failed')} failed, ${count('lost')} lost; ${fleet.struck.length} faults`,
  );

  return findings;
}

say(`seed ${values.seed}`);
const fleet = await startFleet();
const catalogue = await openPostgresCatalogue({ url: fleet.database, connections: 2 }, systemClock);
const watch = watchSpools(fleet);
try {
  const until = Date.now() + Number(values.minutes) * 60_000;
  const numbers = Array.from({ length: Number(values.callers) }, (_none, caller) => caller);
  const callers = fleet.rigs.flatMap((_rig, pbx) => numbers.map((caller) => ({ pbx, caller })));
  await Promise.all([
    strikeUntil(fleet, until),
    ...callers.map(({ pbx, caller }) => callUntil(fleet, pbx, caller, until)),
  ]);
  const findings = await judge(fleet, catalogue);
  for (const finding of findings) say(`BROKEN: ${finding}`);
  say(findings.length === 0 ? 'every promise was kept' : `${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  clearInterval(watch);
  catalogue.close();
  for (const rig of fleet.rigs) await rig.stop();
  await fleet.agent.stop();
  await fleet.postgres.stop();
  await fleet.store.stop();
}

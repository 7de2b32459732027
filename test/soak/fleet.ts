/**
 * `npm run chaos:fleet -- [--minutes 20] [--seed WORD] [--pbx 2] [--callers 3]`: some Asterisks, each with two workers, one catalogue in PostgreSQL, one
 * S3 server, and callers at each, while processes are killed, frozen and parted at random. At the end nothing is broken any more, and all that was
 * promised must hold. Exit 1 when a promise was broken.
 *
 * A seed gives the same calls and faults again, in the same order for each caller and each source of faults, though not to the millisecond.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ulid } from 'ulid';
import { makeLabFolder } from '../../lab/machine/processes.ts';
import { openPostgresCatalogue, type Catalogue } from '../../src/catalogue/catalogue.ts';
import { systemClock } from '../../src/core/clock.ts';
import { keepTraces } from '../support/failures.ts';
import { habits, makeCall } from './callers.ts';
import { makeChance } from './chance.ts';
import { inVain, type Struck } from './faults.ts';
import { faultsOfPbx, faultsOfPostgres, faultsOfStore, type FleetFault } from './fleet/faults.ts';
import { everyFault, healthOf, type Pbx } from './fleet/pbx.ts';
import { judgeFleet, waiting } from './fleet/verdict.ts';
import { startFleet, type Fleet } from './fleet/world.ts';
import { ways } from './soak.ts';

const usage = 'npm run chaos:fleet -- [--minutes 20] [--seed WORD] [--pbx 2] [--callers 3]';
const settleLimitMs = 240_000;
/** What was missed is made good a little later, ms: calls are hurt by a fault for so long after it. */
const afterwardsMs = 5_000;
/** A `serve` that has lost what it needs ends, and is started again when it is there again, ms. */
const startsAgainMs = 3_000;

const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

type Options = { minutes: number; seed: string; pbx: number; callers: number };

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '20' },
        seed: { type: 'string', default: ulid() },
        pbx: { type: 'string', default: '2' },
        callers: { type: 'string', default: '3' },
      },
    });
    const [minutes, pbx, callers] = [Number(values.minutes), Number(values.pbx), Number(values.callers)];

    return minutes > 0 && pbx >= 1 && callers >= 1 ? { minutes, seed: values.seed, pbx, callers } : undefined;
  } catch {
    return undefined;
  }
}

/** What the machine itself was late with, while this runs: the text of its file. */
function watchMachine(): { text: () => string; stop: () => void } {
  const folder = makeLabFolder();
  const program = fileURLToPath(new URL('../../lab/machine/watch.mjs', import.meta.url));
  const watch = spawn(process.execPath, [program, folder.path, 'timers'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const file = join(folder.path, 'late.txt');

  return {
    text: () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    stop: () => {
      watch.stdin.end();
    },
  };
}

type Striking<Target> = {
  fleet: Fleet;
  faults: readonly [FleetFault<Target>, ...FleetFault<Target>[]];
  at: Target;
  /** Whose calls it may hurt. */
  hurt: readonly Pbx[];
  seed: string;
  source: string;
  mostPauseMs: number;
  until: number;
  findings: string[];
};

async function strikeUntil<Target>(striking: Striking<Target>): Promise<void> {
  const { fleet, faults, at, hurt, seed, source, mostPauseMs, until, findings } = striking;
  const chance = makeChance(seed, source);
  while (Date.now() < until) {
    await sleep(chance.between(1_000, mostPauseMs));
    const { name, harm, strike } = chance.pick(faults);
    const struck: Struck = { name, harm, from: Date.now(), endedAt: Infinity, to: Infinity };
    for (const pbx of hurt) pbx.struck.push(struck);
    const outcome = await strike(fleet, at, chance, findings);
    struck.endedAt = Date.now();
    struck.to = struck.endedAt + startsAgainMs + afterwardsMs;
    const ms = struck.endedAt - struck.from;
    if (outcome === inVain) struck.name = `${name}, ${inVain}`;
    say(`${source}: ${struck.name}, for ${(ms / 1_000).toFixed(1)} s`);
  }
}

async function callUntil({ rig, made, name }: Pbx, caller: number, seed: string, until: number): Promise<void> {
  const chance = makeChance(seed, `${name} caller ${caller}`);
  while (Date.now() < until) {
    made.push(await makeCall({ rig }, caller, chance.pick(habits), chance.pick(ways).name));
    await sleep(chance.between(0, 1_500));
  }
}

/** Until nothing is left to do; what is left after some minutes. */
async function settle({ pbxs }: Fleet, catalogue: Catalogue): Promise<string[]> {
  const left = async (): Promise<string[]> => {
    const open: string[] = [];
    for (const { serve, name } of pbxs.flatMap(({ workers }) => workers)) {
      const health = await healthOf(serve, 5_000);
      if (health?.status !== 'ok' || health.calls !== 0) open.push(`${name} is ${JSON.stringify(health)}`);
    }
    // What the database did not take is written down again every five seconds, and left to the next start by a serve that is stopped before.
    for (const { id, phase } of await catalogue.calls.list(1_000_000)) {
      if (phase !== 'ended') open.push(`the call ${id} is still ${phase}`);
    }
    for (const { id, status, keepUntil } of await catalogue.recordings.list({ limit: 1_000_000 })) {
      const isDue = status === 'archived' && (keepUntil ?? Infinity) < Date.now();
      if (status === 'recording' || status === 'recorded' || isDue) open.push(`${id} is still ${status}`);
    }

    return open;
  };
  for (const until = Date.now() + settleLimitMs; Date.now() < until;) {
    const open = await left().catch((error: unknown) => [String(error)]);
    if (open.length === 0) return [];
    await sleep(1_000);
  }

  return left();
}

function countOf(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);

  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

async function sumUp({ pbxs, lockWaits }: Fleet, catalogue: Catalogue): Promise<void> {
  const recordings = await catalogue.recordings.list({ limit: 1_000_000 });
  const made = pbxs.flatMap((pbx) => pbx.made);
  const begun = pbxs.reduce((sum, { observer }) => sum + observer.spooled.size, 0);
  const struck = everyFault(pbxs);
  const silentMs = pbxs.flatMap((pbx) => waiting(pbx)).map((each) => each.silentMs);
  say(`${made.length} calls; ${begun} WAVs begun; recordings: ${countOf(recordings.map(({ status }) => status))}`);
  const reasons = recordings.flatMap(({ status, failure }) => (failure === null ? [] : [`${status} ${failure}`]));
  if (reasons.length > 0) say(`why some were not kept: ${countOf(reasons)}`);
  const why = (await catalogue.calls.list(1_000_000)).map(({ result, reason }) =>
    [result, reason].filter((each) => each !== null).join(' '),
  );
  say(`calls: ${countOf(why)}`);
  say(`${struck.length} faults: ${countOf(struck.map(({ name }) => name))}`);
  say(`the longest silence before the other side was heard: ${Math.max(0, ...silentMs)} ms`);
  const waitsMs = lockWaits.spans().map(([from, to]) => to - from);
  say(`${waitsMs.length} times writes waited for a lock, for ${Math.round(Math.max(0, ...waitsMs))} ms at most`);
}

/** Logs, sound and catalogue, as of a test that failed. */
async function keepWhatHappened({ pbxs, postgres, database }: Fleet, findings: readonly string[]): Promise<void> {
  // One that was still at it has no end.
  const iso = (at: number): string => (at === Infinity ? 'the end' : new Date(at).toISOString());
  const dump = join(postgres.makeFolder('dump'), 'catalogue.sql');
  const catalogue = await postgres
    .shell(`pg_dump --file ${dump} ${new URL(database).pathname.slice(1)}`)
    .then(() => readFileSync(dump), String);
  for (const { rig, name, made, struck } of pbxs) {
    const files = {
      'faults.txt': struck.map((each) => `${iso(each.from)} to ${iso(each.to)} ${each.name}\n`).join(''),
      'calls.txt': made
        .map(
          ({ habit, way, line, from, to, silentMs, agentMs }) =>
            `${iso(from)} to ${iso(to)} ${line}: ${habit.name}, ${way}, ${silentMs} ms of silence, ${agentMs} ms of the other side\n`,
        )
        .join(''),
      'catalogue.sql': catalogue,
    };
    await keepTraces(
      rig,
      { callers: [], agents: [], receivers: [] },
      { of: `chaos-${name}`, failed: findings, files },
    ).catch((error: unknown) => {
      say(`the traces of ${name} could not be kept: ${String(error)}`);
    });
  }
}

async function breakAll(fleet: Fleet, { minutes, seed, callers }: Options, findings: string[]): Promise<void> {
  const { pbxs } = fleet;
  const until = Date.now() + minutes * 60_000;
  const common = { fleet, seed, until, findings };
  for (const { keeper } of pbxs.flatMap(({ workers }) => workers)) keeper.release();
  await Promise.all([
    ...pbxs.map((pbx) =>
      strikeUntil({ ...common, faults: faultsOfPbx, at: pbx, hurt: [pbx], source: pbx.name, mostPauseMs: 12_000 }),
    ),
    strikeUntil({
      ...{ ...common, faults: faultsOfPostgres, at: undefined, hurt: pbxs },
      ...{ source: 'PostgreSQL', mostPauseMs: 60_000 },
    }),
    strikeUntil({ ...common, faults: faultsOfStore, at: undefined, hurt: pbxs, source: 'store', mostPauseMs: 40_000 }),
    ...pbxs.flatMap((pbx) => Array.from({ length: callers }, (_none, caller) => callUntil(pbx, caller, seed, until))),
  ]);
}

async function run(options: Options): Promise<string[]> {
  say(`seed ${options.seed}`);
  const machine = watchMachine();
  const fleet = await startFleet(options.pbx, options.callers, say);
  const findings: string[] = [];
  let catalogue: Catalogue | undefined;
  try {
    if (fleet.filter === undefined) say('no packets can be filtered here (root and nft are needed): nothing is parted');
    await breakAll(fleet, options, findings);
    catalogue = await openPostgresCatalogue({ url: fleet.database, connections: 2 }, systemClock);
    say('nothing is broken any more');
    findings.push(...(await settle(fleet, catalogue)));
    for (const { keeper, serve } of fleet.pbxs.flatMap(({ workers }) => workers)) {
      await keeper.stop();
      await serve.stop();
    }
    findings.push(...(await judgeFleet(fleet, catalogue, machine.text())));
    await sumUp(fleet, catalogue);
  } catch (error) {
    findings.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    catalogue?.close();
    for (const finding of findings) say(`BROKEN: ${finding}`);
    if (findings.length > 0) await keepWhatHappened(fleet, findings);
    await fleet.stop();
    machine.stop();
  }

  return findings;
}

const options = readOptions();
if (options === undefined) {
  say(usage);
  process.exitCode = 2;
} else {
  const found = (await run(options)).length;
  say(found === 0 ? 'every promise was kept' : `${found} findings`);
  process.exitCode = found === 0 ? 0 : 1;
}

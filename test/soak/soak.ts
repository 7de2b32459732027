import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeMinioStore } from '../../src/store/s3/store.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { habits, makeCall, type Made } from './callers.ts';
import { makeChance, type Chance } from './chance.ts';
import { faults, inVain, type Fault, type Harm, type Struck } from './faults.ts';
import { Observer, type Sample } from './observer.ts';
import { keepTraces } from '../support/failures.ts';
import { withCatalogue } from '../support/rig/rigCatalogue.ts';
import { findingsOf, judge, type Verdict } from './verdict.ts';
import { startWorld, type Way, type World } from './world.ts';

/**
 * Mixed calls, one after another by each of some callers, while something breaks at random; at the end everything is compared. A
 * seed gives the same calls and faults again, in the same order for each caller and each source of faults, though not to the
 * millisecond.
 *
 * In the second half serve is left running, so that what grows shows.
 */
export type SoakOptions = { seed: string; minutes: number; callers: number; say: (line: string) => void };

export type SoakReport = {
  seed: string;
  minutes: number;
  calls: number;
  byHabit: Record<string, number>;
  byWay: Record<string, number>;
  faults: Record<string, number>;
  /** doubtful: about whose end clocks disagree. */
  recordings: { begun: number; doubtful: number };
  /** At rest: before and after the second half. */
  rest: readonly Sample[];
  /** MiB, of the process of serve that lived longest: the first and the last quarter of its samples. */
  resident: { first: number; last: number; most: number };
  verdict: Verdict;
};

/** A stranger whom another application brings finds those whom Préavis has connected. */
export const ways: readonly [{ name: Way; weight: number }, { name: Way; weight: number }] = [
  { name: 'bridge', weight: 3 },
  { name: 'follow', weight: 2 },
];

const settleLimitMs = 120_000;
/** At rest. A process of serve that does not record the first of these records none. */
const quietCalls = 3;

/**
 * @param expectOf what else is asked of the report, by throwing. Where it throws, as where a promise was broken, what happened can be
 * looked at afterwards: the output names the folder.
 */
export async function runSoak(
  { seed, minutes, callers, say }: SoakOptions,
  expectOf: (report: SoakReport) => void = () => undefined,
): Promise<SoakReport> {
  const world = await startWorld(callers);
  const observer = new Observer(world);
  const made: Made[] = [];
  const struck: Struck[] = [];
  let report: SoakReport | undefined;
  try {
    const half = minutes * 30_000;
    const run = (part: string, harms: readonly Harm[]): Promise<void> =>
      runPart({ world, seed, part, callers, ms: half, harms, made, struck, say });
    const always: readonly Harm[] = ['asterisk', 'line', 'store', 'asteriskClock', 'ownClock', 'stranger', 'none'];
    await run('wild', ['serve', ...always]);
    const unsettled: string[] = [];
    await recordedAtRest(world, made, unsettled);
    const before = await rested(world, observer, unsettled);
    await run('calm', always);
    const after = await rested(world, observer, unsettled);
    observer.stop();
    // Its jobs would erase what is being looked at.
    await world.rig.stopServe();
    // An erasure that the archive did not answer in time is finished by the next pass, and there is none after the last call.
    // A pass while the clock was behind makes that of now seem to be ahead: it is right.
    const retention = await world.rig.preavis('retention', 'run', '--clock-is-right', '--json');
    const passed = JSON.parse(retention.stdout || '{}') as { due?: number; erased?: number; doubtful?: number };
    const verdict = await judge({ world, store: storeOf(world), made, struck, observer, rest: [before, after] });
    verdict.disagreeing.push(...unsettled);
    // Where clocks were set, what they disagree about is kept, and nothing else of what is due.
    if (passed.due === undefined || passed.due !== passed.erased) {
      verdict.disagreeing.push(retention.stdout + retention.stderr);
    }

    report = {
      seed,
      minutes,
      calls: made.length,
      byHabit: countOf(made.map(({ habit }) => habit.name)),
      byWay: countOf(made.map(({ way }) => way)),
      faults: countOf(struck.map(({ name }) => name)),
      recordings: { begun: observer.spooled.size, doubtful: passed.doubtful ?? 0 },
      rest: [before, after],
      resident: residentOf(observer.samples),
      verdict,
    };
    expectOf(report);
    const findings = findingsOf(verdict);
    if (findings.length > 0) await keepFailure({ world, made, struck, failed: findings, report });

    return report;
  } catch (error) {
    await keepFailure({ world, made, struck, failed: [String(error)], report });
    throw error;
  } finally {
    observer.stop();
    await world.stop();
  }
}

const storeOf = ({ store, bucket }: World): ObjectStore =>
  makeMinioStore({ ...store, useTls: false, bucket, prefix: '' });

type Failed = {
  world: World;
  made: readonly Made[];
  struck: readonly Struck[];
  failed: readonly string[];
  report: SoakReport | undefined;
};

const iso = (at: number): string => new Date(at).toISOString();

/** The archived WAVs of recordings that are named, as far as they can be read. */
async function archivedSounds({ world, failed }: Failed): Promise<Record<string, Buffer>> {
  const sounds: Record<string, Buffer> = {};
  const store = storeOf(world);
  for (const row of await withCatalogue(world.rig, (all) => all.recordings.list({ limit: -1 }))) {
    if (row.objectKey === null || !failed.some((each) => each.includes(row.id))) continue;
    try {
      const stream = await store.read(row.objectKey, row.objectVersion, AbortSignal.timeout(10_000));
      sounds[`archived-${row.id}.wav`] = await buffer(stream);
    } catch {
      // That it cannot be read may be what was found.
    }
  }

  return sounds;
}

/** As a test file that failed does, with what was done to it and the sound of what was found. */
async function keepFailure(what: Failed): Promise<void> {
  const { world, made, struck, failed, report } = what;
  const texts = {
    // As they are judged: for a little longer than they lasted.
    'faults.txt': struck.map(({ name, from, to }) => `${iso(from)} to ${iso(to)} ${name}\n`).join(''),
    'calls.txt': made
      .map(({ habit, way, line, from, to }) => `${iso(from)} to ${iso(to)} ${line}: ${habit.name}, ${way}\n`)
      .join(''),
    'report.json': JSON.stringify(report, undefined, 2),
  };
  try {
    const sounds = await archivedSounds(what).catch(() => ({}));
    await keepTraces(
      world.rig,
      { callers: [], agents: [], receivers: [] },
      { of: 'soak', failed, files: { ...texts, ...sounds } },
    );
  } catch (error) {
    process.stderr.write(`lab: the traces of a failure could not be kept: ${String(error)}\n`);
  }
}

type Part = {
  world: World;
  seed: string;
  part: string;
  callers: number;
  ms: number;
  harms: readonly Harm[];
  made: Made[];
  struck: Struck[];
  say: (line: string) => void;
};

async function runPart({ world, seed, part, callers, ms, harms, made, struck, say }: Part): Promise<void> {
  const until = Date.now() + ms;
  const calling = async (caller: number): Promise<void> => {
    const chance = makeChance(seed, `${part} caller ${caller}`);
    while (Date.now() < until) {
      made.push(await makeCall(world, caller, chance.pick(habits), chance.pick(ways).name));
      await sleep(chance.between(0, 1_500));
    }
  };
  // The archive fails, clocks are set and strangers join while other things fail, too.
  const breaking = async (source: string, own: readonly Harm[], mostMs = 12_000): Promise<void> => {
    const chance = makeChance(seed, `${part} ${source}`);
    const [first, ...rest] = faults.filter(({ harm }) => own.includes(harm) && harms.includes(harm));
    if (first === undefined) return;
    while (Date.now() < until) {
      await sleep(chance.between(1_000, mostMs));
      struck.push(await strike(world, chance.pick([first, ...rest]), chance, say));
    }
  };
  await Promise.all([
    ...Array.from({ length: callers }, (_, caller) => calling(caller)),
    breaking('faults', ['serve', 'asterisk', 'line', 'none']),
    breaking('archive', ['store']),
    breaking('clocks', ['asteriskClock', 'ownClock'], 40_000),
    breaking('strangers', ['stranger']),
  ]);
}

async function strike(world: World, fault: Fault, chance: Chance, say: (line: string) => void): Promise<Struck> {
  const from = Date.now();
  const outcome = await fault.strike(world, chance);
  const name = outcome === inVain ? `${fault.name}, ${inVain}` : fault.name;
  const endedAt = Date.now();
  say(`${iso(from)} ${name} (${endedAt - from} ms)`);

  // What was missed is made good a little later.
  return { name, harm: fault.harm, from, endedAt, to: endedAt + 5_000 };
}

type Listed = { status: string; line: string; startedAt: string | null };

/**
 * Waits until everything that was recorded is archived, nobody is connected, and serve works; gives all recordings. Adds to
 * `unsettled` what does not come to that.
 */
async function settled({ rig }: World, unsettled: string[]): Promise<readonly Listed[]> {
  const until = Date.now() + settleLimitMs;
  for (;;) {
    const health = await fetch(`http://127.0.0.1:${rig.healthPort}/health`)
      .then((answer) => answer.json() as Promise<{ status: string; calls: number }>)
      .catch(() => undefined);
    const { recordings } = await rig.preavisJson<{ recordings: Listed[] }>('recordings', 'list', '--limit', '100000');
    const waiting = recordings.filter(({ status }) => status === 'recording' || status === 'recorded').length;
    if (health?.status === 'ok' && health.calls === 0 && waiting === 0) return recordings;
    if (Date.now() > until) {
      unsettled.push(`at rest ${waiting} recordings wait, and serve is ${JSON.stringify(health)}`);
      return recordings;
    }
    await sleep(1_000);
  }
}

/**
 * The first recording of a process starts a thread that it keeps: it is made before anything is counted. Of the first call a fault that
 * is just over may keep it, of no other.
 */
async function recordedAtRest(world: World, made: Made[], unsettled: string[]): Promise<void> {
  await settled(world, unsettled);
  for (let count = 0; count < quietCalls; count += 1) {
    const call = await makeCall(world, 0, habits[0], 'bridge');
    made.push(call);
    const ofCall = ({ line, startedAt, status }: Listed): boolean => {
      const at = Date.parse(startedAt ?? '');
      return line === call.line && at >= call.from && at <= call.to && status === 'archived';
    };
    if ((await settled(world, unsettled)).some(ofCall)) return;
    if (count > 0) unsettled.push(`the call at ${iso(call.from)} was not recorded, and nothing was broken`);
  }
  throw new Error(`none of ${quietCalls} calls was recorded while nothing broke`);
}

const samplesAtRest = 6;

async function rested(world: World, observer: Observer, unsettled: string[]): Promise<Sample> {
  await settled(world, unsettled);
  const until = Date.now() + settleLimitMs;
  const rests: Sample[] = [];
  while (rests.length < samplesAtRest && Date.now() < until) {
    // Kept connections are closed by then.
    await sleep(2_000);
    // A busy machine may be too late for one of them.
    const sample = await observer.sample().catch(() => undefined);
    if (sample !== undefined) rests.push(sample);
  }
  if (rests.length < samplesAtRest) unsettled.push(`at rest serve answered ${rests.length} times of ${samplesAtRest}`);
  const [first] = rests;
  if (first === undefined) throw new Error('serve does not run at rest, or does not answer');
  const least = (of: (sample: Sample) => number): number => Math.min(...rests.map(of));
  const fewest = rests.toSorted((a, b) => a.handles.length - b.handles.length)[0] ?? first;

  return {
    ...first,
    handles: fewest.handles,
    resources: least((each) => each.resources),
    heapMiB: least((each) => each.heapMiB),
  };
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;

  return counts;
}

function residentOf(samples: readonly Sample[]): SoakReport['resident'] {
  const counts = countOf(samples.map(({ pid }) => String(pid)));
  const longest = Object.entries(counts).toSorted(([, a], [, b]) => b - a)[0]?.[0];
  const memory = samples.filter(({ pid }) => String(pid) === longest).map(({ residentMiB }) => residentMiB);
  const quarter = Math.max(1, Math.floor(memory.length / 4));
  const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;

  return { first: mean(memory.slice(0, quarter)), last: mean(memory.slice(-quarter)), most: Math.max(...memory) };
}

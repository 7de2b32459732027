import { setTimeout as sleep } from 'node:timers/promises';
import { makeMinioStore } from '../../src/archive/minioStore.ts';
import { habits, makeCall, type Made } from './callers.ts';
import { makeChance, type Chance } from './chance.ts';
import { faults, type Fault, type Harm, type Struck } from './faults.ts';
import { Observer, type Sample } from './observer.ts';
import { judge, type Verdict } from './verdict.ts';
import { startWorld, type World } from './world.ts';

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
  faults: Record<string, number>;
  /** doubtful: about whose end clocks disagree. */
  recordings: { begun: number; doubtful: number };
  /** At rest: before and after the second half. */
  rest: readonly Sample[];
  /** MiB, of the process of serve that lived longest: the first and the last quarter of its samples. */
  resident: { first: number; last: number; most: number };
  verdict: Verdict;
};

const settleLimitMs = 120_000;

export async function runSoak({ seed, minutes, callers, say }: SoakOptions): Promise<SoakReport> {
  const world = await startWorld(callers);
  const observer = new Observer(world);
  const made: Made[] = [];
  const struck: Struck[] = [];
  try {
    const half = minutes * 30_000;
    const run = (part: string, harms: readonly Harm[]): Promise<void> =>
      runPart({ world, seed, part, callers, ms: half, harms, made, struck, say });
    const always: readonly Harm[] = ['asterisk', 'line', 'store', 'asteriskClock', 'ownClock', 'stranger', 'none'];
    await run('wild', ['serve', ...always]);
    // The first recording of a process starts a thread that it keeps.
    made.push(await makeCall(world, 0, habits[0]));
    const before = await rested(world, observer);
    await run('calm', always);
    const after = await rested(world, observer);
    observer.stop();
    // Its jobs would erase what is being looked at.
    await world.rig.stopServe();
    // An erasure that the archive did not answer in time is finished by the next pass, and there is none after the last call.
    // A pass while the clock was behind makes that of now seem to be ahead: it is right.
    const retention = await world.rig.preavis('retention', 'run', '--clock-is-right', '--json');
    const passed = JSON.parse(retention.stdout || '{}') as { due?: number; erased?: number; doubtful?: number };
    const { store: server, bucket } = world;
    const store = makeMinioStore({ ...server, useTls: false, bucket, prefix: '' });
    const verdict = await judge({ world, store, made, struck, observer, rest: [before, after] });
    // Where clocks were set, what they disagree about is kept, and nothing else of what is due.
    if (passed.due === undefined || passed.due !== passed.erased) {
      verdict.disagreeing.push(retention.stdout + retention.stderr);
    }

    return {
      seed,
      minutes,
      calls: made.length,
      byHabit: countOf(made.map(({ habit }) => habit.name)),
      faults: countOf(struck.map(({ name }) => name)),
      recordings: { begun: observer.spooled.size, doubtful: passed.doubtful ?? 0 },
      rest: [before, after],
      resident: residentOf(observer.samples),
      verdict,
    };
  } finally {
    observer.stop();
    await world.stop();
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
      made.push(await makeCall(world, caller, chance.pick(habits)));
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
  await fault.strike(world, chance);
  const to = Date.now();
  say(`${new Date(from).toISOString()} ${fault.name} (${to - from} ms)`);

  // What was missed is made good a little later.
  return { name: fault.name, harm: fault.harm, from, to: to + 5_000 };
}

/** Everything that was recorded is archived, nobody is connected, and serve does nothing. */
async function rested(world: World, observer: Observer): Promise<Sample> {
  const { rig } = world;
  const until = Date.now() + settleLimitMs;
  for (;;) {
    const health = await fetch(`http://127.0.0.1:${rig.healthPort}/health`)
      .then((answer) => answer.json() as Promise<{ status: string; calls: number }>)
      .catch(() => undefined);
    const { recordings } = await rig.preavisJson<{ recordings: { status: string }[] }>(
      'recordings',
      'list',
      '--limit',
      '100000',
    );
    const waiting = recordings.filter(({ status }) => status === 'recording' || status === 'recorded').length;
    if (health?.status === 'ok' && health.calls === 0 && waiting === 0) break;
    // What is then left is told by the verdict.
    if (Date.now() > until) break;
    await sleep(1_000);
  }
  // Kept connections are closed by then.
  const rests: Sample[] = [];
  for (let count = 0; count < 6; count += 1) {
    await sleep(2_000);
    const sample = await observer.sample();
    if (sample !== undefined) rests.push(sample);
  }
  const [first] = rests;
  if (first === undefined) throw new Error('serve does not run at rest');
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

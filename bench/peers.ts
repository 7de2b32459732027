/**
 * The same call, with the same sentence, by plain Dial(), Dial() with MixMonitor(), and both ways of Préavis, side by side in one run:
 * `npm run bench:peers [-- --json FILE]`. docs/testing.md says what the figures are.
 *
 * The ways take turns round by round, so that a machine that is slower for a while is so for all of them. Calls that Préavis has nothing to
 * do with are placed twice: on the Asterisk that it is connected with, and on one that it is not.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runProgram, say } from '../lab/program.ts';
import { Peers, warmUpAtOnce, type Load } from './peers/calls.ts';
import { isWay, spreadOf, summarise, tablesOf, ways, type Batch, type Rest, type Way } from './peers/report.ts';

const { values } = parseArgs({
  options: {
    'at-once': { type: 'string', default: '10,100' },
    rounds: { type: 'string', default: '3' },
    ways: { type: 'string', default: ways.join(',') },
    /** s */
    talk: { type: 'string', default: '10' },
    /** Calls of each way of Préavis before the first that is measured: V8 compiles during its first calls what a service has long compiled. */
    'warm-up': { type: 'string', default: '300' },
    json: { type: 'string' },
    /** A folder for a profile of `serve`. */
    'cpu-prof': { type: 'string' },
  },
});

/** All calls of a batch begin within this time, s: shorter than a notice and a talk, so that all are on at once. */
const beginWithin = 5;
/** How long both are watched at rest in each round, ms. */
const restMs = 5_000;

function whole(text: string, name: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`--${name} ${text}: give a whole number, ${least} or more.`);

  return number;
}

const rounds = whole(values.rounds, 'rounds', 1);
const talkMs = whole(values.talk, 'talk', 2) * 1_000;
const warmUp = whole(values['warm-up'], 'warm-up', 0);
const loads: Load[] = values['at-once'].split(',').map((text) => {
  const atOnce = whole(text, 'at-once', 1);

  return { atOnce, perSecond: Math.max(1, Math.ceil(atOnce / beginWithin)), talkMs };
});
const measured: Way[] = values.ways.split(',').map((text) => {
  if (!isWay(text)) throw new Error(`--ways ${text}: choose among ${ways.join(', ')}.`);

  return text;
});

/** The rest that is subtracted is the median of all rounds: five seconds are few for a clock of hundredths. */
function medianOf(rests: readonly Rest[]): Rest {
  const of = (part: keyof Rest): number => spreadOf(rests.map((rest) => rest[part]))?.median ?? 0;

  return { asterisk: of('asterisk'), serve: of('serve'), serveMain: of('serveMain'), plain: of('plain') };
}

await runProgram('bench', async (program) => {
  const largest = loads.toSorted((one, other) => other.atOnce - one.atOnce)[0];
  if (largest === undefined) return;
  const profile = values['cpu-prof'];
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const peers = await program.keep(Peers.start(largest, (part) => program.keep(part), nodeOptions));
  const cold: Partial<Record<Way, number>> = {};
  for (const way of ['bridge', 'follow'] as const) {
    if (warmUp === 0 || !measured.includes(way)) continue;
    const first = Math.min(warmUp, warmUpAtOnce);
    cold[way] = await program.unlessAsked(peers.warmUp(way, first, first));
    if (warmUp > first) await program.unlessAsked(peers.warmUp(way, warmUp - first, warmUpAtOnce));
    say(
      `warmed up by ${way}; its first ${first} calls, of 1 s, took ${cold[way].toFixed(1)} ms of CPU of Préavis each`,
    );
  }
  const batches: Batch[] = [];
  const rests: Rest[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    rests.push(await program.unlessAsked(peers.rest(restMs)));
    for (const load of loads) {
      // Another begins in each round.
      const turn = (round - 1) % measured.length;
      for (const way of [...measured.slice(turn), ...measured.slice(0, turn)]) {
        const batch = await program.unlessAsked(peers.batch(way, round, load));
        batches.push(batch);
        const { asterisk, serve } = batch.cpu;
        say(
          `round ${round}, ${load.atOnce} at once, ${way}: ${batch.answered} answered, ${batch.recorded} recorded; ` +
            `${asterisk} ms of Asterisk, ${way === 'alone' ? 0 : serve} ms of Préavis in ${batch.seconds.toFixed(0)} s`,
        );
      }
    }
  }
  const rest = medianOf(rests);
  const summaries = summarise(batches, rest);
  const figures = {
    asterisk: peers.version,
    node: process.version,
    talkMs,
    rounds,
    warmUp,
    cold,
    rest,
    rests,
    batches,
    summaries,
  };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
  say(`\n${tablesOf(summaries)}`);
  say(
    `\nat rest, in each second, subtracted above: ${rest.asterisk.toFixed(1)} ms of Asterisk, ${rest.serve.toFixed(1)} ms of Préavis`,
  );
});

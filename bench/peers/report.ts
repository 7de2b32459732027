/** What `bench/peers.ts` has measured, and what it says of it. Pure: numbers in, numbers and text out. */
import { ascending, quantile } from '../figures.ts';

/** The same call by each of these. `alone`: on an Asterisk on which Préavis is not connected. */
export const ways = ['alone', 'dial', 'mixMonitor', 'bridge', 'follow'] as const;
export type Way = (typeof ways)[number];

export const isWay = (text: string): text is Way => (ways as readonly string[]).includes(text);

/** What was taken out of the processor, ms of CPU. `serveMain` is the part of the main thread in `serve`. */
export type Cpu = { asterisk: number; serve: number; serveMain: number };

/** One batch of calls by one way. */
export type Batch = {
  round: number;
  way: Way;
  atOnce: number;
  answered: number;
  /** Recordings that were finished; of `mixMonitor` files. */
  recorded: number;
  /** From the first call to when nothing was left to do of them. */
  seconds: number;
  cpu: Cpu;
  /** Of each recorded call, from both in the bridge to the recorder's start, ms by Asterisk's clock. */
  gapsMs: readonly number[];
  /** Packets of the talk that came to the callers who listen, and that were due. */
  packets: { came: number; due: number };
};

/** CPU at rest, ms in each second; `plain` is the Asterisk of `alone`. */
export type Rest = Cpu & { plain: number };

/** The median of the rounds, and the least and the most of them. */
export type Spread = { median: number; least: number; most: number };

export type Summary = {
  atOnce: number;
  way: Way;
  rounds: number;
  answered: number;
  recorded: number;
  /** ms of CPU a call, what both take at rest subtracted. */
  asteriskMs: Spread;
  serveMs: Spread;
  serveMainMs: Spread;
  /** Asterisk's CPU, and Asterisk's with that of Préavis, where that of `mixMonitor` in the same round is 1; undefined without it. */
  ofMixMonitor: Spread | undefined;
  withServeOfMixMonitor: Spread | undefined;
  gapMs: { p50: Spread; p99: Spread } | undefined;
  packets: { lost: number; due: number };
};

export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = ascending(values);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const middle = sorted.length / 2;
  const [low = least, high = least] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];

  return { median: (low + high) / 2, least, most };
}

const none: Spread = { median: Number.NaN, least: Number.NaN, most: Number.NaN };
const spread = (values: readonly number[]): Spread => spreadOf(values) ?? none;

/** What one call of a batch took, ms of CPU. */
function eachOf({ way, cpu, seconds, answered }: Batch, rest: Rest): Cpu {
  const each = (ms: number, restMs: number): number => (ms - restMs * seconds) / answered;

  return {
    asterisk: each(cpu.asterisk, way === 'alone' ? rest.plain : rest.asterisk),
    serve: way === 'alone' ? 0 : each(cpu.serve, rest.serve),
    serveMain: way === 'alone' ? 0 : each(cpu.serveMain, rest.serveMain),
  };
}

/** The batches of one size and way are one summary, in the order of `ways`. */
export function summarise(batches: readonly Batch[], rest: Rest): Summary[] {
  const sizes = [...new Set(batches.map(({ atOnce }) => atOnce))];

  return sizes.flatMap((atOnce) =>
    ways.flatMap((way) => {
      const own = batches.filter((batch) => batch.atOnce === atOnce && batch.way === way);

      return own.length === 0 ? [] : [summaryOf(own, { atOnce, way }, batches, rest)];
    }),
  );
}

function summaryOf(
  own: readonly Batch[],
  of: Pick<Summary, 'atOnce' | 'way'>,
  all: readonly Batch[],
  rest: Rest,
): Summary {
  const costs = own.map((batch) => eachOf(batch, rest));
  const ratios = (ofCpu: (cpu: Cpu) => number): Spread | undefined =>
    spreadOf(
      own.flatMap((batch) => {
        const peer = all.find(
          ({ atOnce, round, way }) => atOnce === of.atOnce && round === batch.round && way === 'mixMonitor',
        );
        return peer === undefined ? [] : [ofCpu(eachOf(batch, rest)) / eachOf(peer, rest).asterisk];
      }),
    );
  const gaps = own.filter(({ gapsMs }) => gapsMs.length > 0).map(({ gapsMs }) => ascending(gapsMs));
  const [came, due] = [own.map(({ packets }) => packets.came), own.map(({ packets }) => packets.due)].map(sum);

  return {
    ...of,
    rounds: own.length,
    answered: sum(own.map(({ answered }) => answered)),
    recorded: sum(own.map(({ recorded }) => recorded)),
    asteriskMs: spread(costs.map(({ asterisk }) => asterisk)),
    serveMs: spread(costs.map(({ serve }) => serve)),
    serveMainMs: spread(costs.map(({ serveMain }) => serveMain)),
    ofMixMonitor: ratios(({ asterisk }) => asterisk),
    withServeOfMixMonitor: ratios(({ asterisk, serve }) => asterisk + serve),
    gapMs:
      gaps.length === 0
        ? undefined
        : {
            p50: spread(gaps.map((each) => quantile(each, 0.5))),
            p99: spread(gaps.map((each) => quantile(each, 0.99))),
          },
    packets: { lost: Math.max(0, (due ?? 0) - (came ?? 0)), due: due ?? 0 },
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);

const names: Readonly<Record<Way, string>> = {
  alone: 'Dial() alone',
  dial: 'Dial()',
  mixMonitor: 'MixMonitor()',
  bridge: 'bridge',
  follow: 'follow',
};

const heads = ['', 'Asterisk', 'ratio', 'Préavis', 'ratio of both', 'gap p50', 'gap p99', 'lost packets'];

/** A table for each size: medians, with the least and the most of the rounds where there were several. */
export function tablesOf(summaries: readonly Summary[]): string {
  const sizes = [...new Set(summaries.map(({ atOnce }) => atOnce))];

  return sizes
    .map((atOnce) => {
      const own = summaries.filter((summary) => summary.atOnce === atOnce);
      const rounds = Math.max(...own.map((summary) => summary.rounds));
      const title = `${atOnce} at once, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; CPU in ms a call, gaps in ms`;

      return [title, ...aligned([heads, ...own.map(rowOf)])].join('\n');
    })
    .join('\n\n');
}

function rowOf(summary: Summary): string[] {
  const { way, rounds, gapMs, packets } = summary;
  const text = (value: Spread | undefined, digits: number): string => {
    if (value === undefined) return '-';
    const [median, least, most] = [value.median, value.least, value.most].map((each) => each.toFixed(digits));
    return rounds === 1 ? String(median) : `${median} (${least}-${most})`;
  };

  return [
    names[way],
    text(summary.asteriskMs, 1),
    text(summary.ofMixMonitor, 2),
    way === 'alone' ? '-' : text(summary.serveMs, 1),
    text(summary.withServeOfMixMonitor, 2),
    text(gapMs?.p50, 0),
    text(gapMs?.p99, 0),
    `${packets.lost} of ${packets.due}`,
  ];
}

/** Wider than the tables of commands: figures that are broken in two are not read. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));

  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

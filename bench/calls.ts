/**
 * What Préavis itself costs and how quickly it acts, on this machine with everything on it: `npm run bench`.
 *
 * Every destination answers at once, so that nothing but Asterisk and Préavis lies between the end of the notice and the
 * recorder. First CPU, memory, and the time from the end of the last sentence to RecordingStarted, both by Asterisk's
 * clock. Then, with debug logging, the time to the recorder request: that moment only Node's clock knows, the same clock
 * on one machine.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { systemClock } from '../src/core/clock.ts';
import { gapMs } from '../src/receipt/receipt.ts';
import { startRig } from '../lab/rig.ts';
import { continuousTone } from '../lab/telephones/audio.ts';
import { placeCalls, startAgent } from '../lab/telephones/sip.ts';
import { ascending, cpuMs, mean, quantile } from './figures.ts';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '500' }, 'at-once': { type: 'string', default: '20' } },
});
const calls = Number(values.calls);
const atOnce = Number(values['at-once']);
/**
 * A service runs for weeks: what V8 compiles during its first calls is no part of a call's cost. Those come close together, and the
 * second half of them is measured as well: what a call costs beside many others.
 */
const warmUp = 2_000;
const warmUpAtOnce = 100;
/** How long it is watched at rest, ms: after a while, in which V8 collects what the calls have left. */
const restMs = 60_000;
const beforeRestMs = 20_000;
/** What follows a call, the self-check and the second witness, is part of its cost; its upload, in a pass at night, is not. */
const settleMs = 5_000;
const requestWarmUp = 100;

function residentMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));

  return Number(line?.[1] ?? 0) / 1024;
}

async function startBench(logLevel: 'info' | 'debug', mostAtOnce: number) {
  const agent = await startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs: 1_000, atOnce: mostAtOnce * 2 });
  const rig = await startRig({
    extensions: { 100: `${agent.dialString},20,language=en` },
    rtpPorts: mostAtOnce * 8,
    config: { log: { level: logLevel } },
  });
  const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock);
  // Who sends nothing is not told, and not recorded.
  const tone = await continuousTone(440);
  const place = (count: number, together = atOnce) =>
    placeCalls({
      tone,
      sipPort: rig.asterisk.sipPort,
      to: '100',
      calls: count,
      perSecond: together,
      holdMs: 30_000,
      atOnce: together,
    });

  return {
    rig,
    place,
    /** The recordings of all calls but the first so many, which warmed up. */
    recordings: async (but: number) => (await catalogue.recordings.list({ limit: -1 })).reverse().slice(but),
    stop: async () => {
      catalogue.close();
      await rig.stop();
      await agent.stop();
    },
  };
}

function print(what: string, milliseconds: readonly number[]): void {
  const sorted = ascending(milliseconds);
  const figures = [0.5, 0.9, 0.99].map((part) => `p${part * 100} ${quantile(sorted, part)} ms`);
  process.stdout.write(`${what}: ${figures.join(', ')}, most ${quantile(sorted, 1)} ms (of ${sorted.length})\n`);
}

async function measureCost(): Promise<void> {
  const bench = await startBench('info', Math.max(atOnce, warmUpAtOnce));
  try {
    const pid = bench.rig.servePid();
    if (pid === undefined) throw new Error('serve is not running');
    /** CPU of so many calls and of what follows them, what serve does at rest included. */
    const costOf = async (count: number, together: number) => {
      const before = { all: cpuMs(pid, 'process'), main: cpuMs(pid, 'main thread') };
      const startedAt = Date.now();
      const memory = [residentMiB(pid)];
      const sampler = setInterval(() => memory.push(residentMiB(pid)), 2_000);
      const { answered } = await bench.place(count, together);
      clearInterval(sampler);
      const seconds = (Date.now() - startedAt) / 1_000;
      await sleep(settleMs);
      const each = (part: 'process' | 'main thread', from: number): string =>
        ((cpuMs(pid, part) - from) / answered).toFixed(1);

      return { answered, seconds, memory, all: each('process', before.all), main: each('main thread', before.main) };
    };

    const first = await costOf(warmUp / 2, warmUpAtOnce);
    const dense = await costOf(warmUp / 2, warmUpAtOnce);
    await sleep(beforeRestMs);
    const beforeRest = cpuMs(pid, 'process');
    await sleep(restMs);
    const atRest = (cpuMs(pid, 'process') - beforeRest) / (restMs / 1_000);
    const before = (await bench.recordings(0)).length;
    const cost = await costOf(calls, atOnce);

    const rows = await bench.recordings(before);
    const { memory } = cost;
    const quarter = Math.max(1, Math.floor(memory.length / 4));
    const lines = [
      `calls placed ${calls}, answered ${cost.answered}, recorded ${rows.length}, in ${cost.seconds.toFixed(0)} s, ${atOnce} at once`,
      `CPU of serve: ${cost.all} ms a call, of it ${cost.main} ms in the main thread`,
      `CPU of serve, ${warmUpAtOnce} at once: ${dense.all} ms a call of ${dense.answered}, of it ${dense.main} ms in the main thread; ${first.all} ms of the first ${first.answered}`,
      `CPU of serve at rest, included above: ${atRest.toFixed(1)} ms a second`,
      `memory of serve: ${mean(memory.slice(0, quarter)).toFixed(0)} MiB in the first quarter of these ${calls} calls, ${mean(memory.slice(-quarter)).toFixed(0)} MiB in the last, most ${Math.max(...memory).toFixed(0)} MiB`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    print(
      'notice end to recorder running',
      rows.flatMap((row) => gapMs(row) ?? []),
    );
  } finally {
    await bench.stop();
  }
}

async function measureRequest(): Promise<void> {
  const bench = await startBench('debug', atOnce);
  try {
    await bench.place(requestWarmUp);
    await bench.place(Math.min(calls, 200));
    const requested = new Map<unknown, number>();
    for (const { call, from, to, time } of bench.rig.log()) {
      if (from === 'dialling' && to === 'talking') requested.set(call, Date.parse(String(time)));
    }
    print(
      'notice end to recorder requested',
      (await bench.recordings(requestWarmUp)).flatMap((row) => {
        const at = requested.get(row.callId);
        return at === undefined ? [] : at - row.noticeFinishedAt;
      }),
    );
  } finally {
    await bench.stop();
  }
}

await measureCost();
await measureRequest();

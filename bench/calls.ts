/**
 * What Préavis itself costs and how quickly it acts, on this machine with everything on it: `npm run bench`.
 *
 * Every destination answers at once, so that nothing but Asterisk and Préavis lies between the end of the notice and the
 * recorder. The gap is by Asterisk's clock, from the end of the last sentence to RecordingStarted, which comes after the
 * recorder request: an upper bound of what is promised for the request.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { systemClock } from '../src/core/clock.ts';
import { gapMs } from '../src/evidence/receipt.ts';
import { startRig } from '../lab/rig.ts';
import { placeCalls, startAgent } from '../lab/sip.ts';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '500' }, 'at-once': { type: 'string', default: '20' } },
});
const calls = Number(values.calls);
const atOnce = Number(values['at-once']);
const warmUp = atOnce;

/** Ticks of /proc/PID/stat are hundredths of a second on Linux. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));

  return Number(line?.[1] ?? 0) / 1024;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const agent = await startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs: 1_000, atOnce: atOnce * 2 });
  const rig = await startRig({
    extensions: { 100: `${agent.dialString},20,language=en` },
    rtpPorts: atOnce * 8,
    config: { log: { level: 'info' } },
  });
  const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock);
  try {
    const pid = rig.servePid();
    if (pid === undefined) throw new Error('serve is not running');
    const place = (count: number) =>
      placeCalls({
        sipPort: rig.asterisk.sipPort,
        to: '100',
        calls: count,
        perSecond: atOnce,
        holdMs: 30_000,
        atOnce,
      });
    await place(warmUp);
    const memory: number[] = [residentMiB(pid)];
    const cpuBefore = cpuMs(pid);
    const startedAt = Date.now();
    const sampler = setInterval(() => memory.push(residentMiB(pid)), 2_000);
    const load = await place(calls);
    clearInterval(sampler);
    const seconds = (Date.now() - startedAt) / 1_000;
    const cpu = cpuMs(pid) - cpuBefore;
    memory.push(residentMiB(pid));

    const rows = (await catalogue.recordings({ limit: -1 })).reverse().slice(warmUp);
    const gaps = rows
      .map((row) => gapMs(row))
      .filter((gap) => gap !== null)
      .sort((a, b) => a - b);
    const quarter = Math.max(1, Math.floor(memory.length / 4));
    const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;
    const lines = [
      `calls placed ${load.placed}, answered ${load.answered}, recorded ${rows.length}, in ${seconds.toFixed(0)} s, ${atOnce} at once`,
      `notice end to recorder running: p50 ${quantile(gaps, 0.5)} ms, p90 ${quantile(gaps, 0.9)} ms, p99 ${quantile(gaps, 0.99)} ms, most ${quantile(gaps, 1)} ms (of ${gaps.length})`,
      `CPU of serve: ${(cpu / calls).toFixed(1)} ms a call`,
      `memory of serve: ${mean(memory.slice(0, quarter)).toFixed(0)} MiB in the first quarter, ${mean(memory.slice(-quarter)).toFixed(0)} MiB in the last, most ${Math.max(...memory).toFixed(0)} MiB`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    catalogue.close();
    await rig.stop();
    await agent.stop();
  }
}

await main();

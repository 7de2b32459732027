/**
 * Time and memory of the acoustic self-check for a recording of one hour: `npm run bench:selfcheck [-- --runs 7]`.
 *
 * Each run is a process of its own, so that none profits from another; its memory is what it needs beyond what it had
 * before the check. The recording is two parties talking (the prompts of two languages, in turn and at once), music and
 * silence; the prompts looked for are those of a notice in the two other languages, which are not in it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs, promisify } from 'node:util';
import { checkRecording } from '../src/audio/selfCheck.ts';
import { plainWav } from '../src/prompts/soundFile.ts';
import { readWav, sampleRate } from '../test/support/audio/audio.ts';
import { join, mix, music, scale, silence } from '../test/support/audio/soundMaking.ts';
import { ascending, measured, quantile } from './figures.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3600' },
    check: { type: 'string' },
  },
});

const prompt = (name: string): { id: string; samples: Int16Array } => ({
  id: name,
  samples: readWav(joinPath(import.meta.dirname, '../sounds', `${name}.wav`)),
});

type Run = { ms: number; cpuMs: number; mib: number; stallMs: number; findings: number };

async function checkOnce(file: string): Promise<Run> {
  const prompts = ['fr/notice-both', 'fr/opt-out', 'nl/notice-both', 'nl/opt-out'].map(prompt);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  delay.enable();
  const { value, ms, before, most } = await measured(5, () =>
    checkRecording(file, { prompts, expectedMs: Number(values.seconds) * 1_000 }),
  );
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);

  return {
    ms,
    cpuMs: (user + system) / 1_000,
    mib: most - before,
    stallMs: delay.max / 1e6,
    findings: value.findings.length,
  };
}

async function makeRecording(file: string, seconds: number): Promise<void> {
  const one = ['de/notice-mifid', 'en/notice-both', 'de/notice-agreement'].map((name) => prompt(name).samples);
  const other = ['en/turned-away', 'de/no-answer', 'en/opt-in'].map((name) => prompt(name).samples);
  const part = join(mix(join(...one), scale(join(...other), -4), 900), silence(1_500), music(8_000, 6_000));
  const handle = await open(file, 'w');
  try {
    // The header of the whole, then parts until it is full.
    const bytes = seconds * sampleRate * 2;
    const header = plainWav({ rate: sampleRate, samples: new Int16Array(0) });
    header.writeUInt32LE(bytes + 36, 4);
    header.writeUInt32LE(bytes, 40);
    await handle.write(header);
    const content = plainWav({ rate: sampleRate, samples: part }).subarray(header.length);
    for (let left = bytes; left > 0; left -= content.length) {
      await handle.write(content.subarray(0, Math.min(left, content.length)));
    }
  } finally {
    await handle.close();
  }
}

function line(name: string, unit: string, list: readonly number[]): string {
  const text = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  const median = quantile(ascending(list), 0.5);

  return `${name}: median ${text(median)} ${unit}, ${text(Math.min(...list))} to ${text(Math.max(...list))}`;
}

async function main(): Promise<void> {
  if (values.check !== undefined) {
    console.log(JSON.stringify(await checkOnce(values.check)));

    return;
  }
  const folder = await mkdtemp(joinPath(tmpdir(), 'preavis-bench-'));
  try {
    const file = joinPath(folder, 'hour.wav');
    await makeRecording(file, Number(values.seconds));
    const runs: Run[] = [];
    const self = joinPath(import.meta.dirname, 'selfCheck.ts');
    for (let count = 0; count < Number(values.runs); count += 1) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...process.execArgv,
        self,
        '--check',
        file,
        '--seconds',
        values.seconds,
      ]);
      runs.push(JSON.parse(stdout) as Run);
    }
    const { size } = await stat(file);
    console.log(`${values.seconds} s of sound, ${(size / 2 ** 20).toFixed(0)} MiB, 4 prompts, ${runs.length} runs`);
    console.log(
      line(
        'time',
        'ms',
        runs.map(({ ms }) => ms),
      ),
    );
    console.log(
      line(
        'CPU',
        'ms',
        runs.map(({ cpuMs }) => cpuMs),
      ),
    );
    console.log(
      line(
        'memory',
        'MiB',
        runs.map(({ mib }) => mib),
      ),
    );
    console.log(
      line(
        'longest stall of the event loop',
        'ms',
        runs.map(({ stallMs }) => stallMs),
      ),
    );
    console.log(`findings: ${runs.reduce((sum, { findings }) => sum + findings, 0)} (none is right)`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();

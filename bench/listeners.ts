/**
 * Calls while many people listen to recordings: `npm run bench:listeners [-- --listeners 200 --calls 300 --at-once 20 --rounds 2]`.
 *
 * A real Asterisk, a real S3 server, and `serve` and `preavis web` as the processes that an operator runs. The same calls are placed
 * without listeners and with them, in turn, so that a machine that is busy with something else is so for both. A listener plays by
 * Range, some seconds ahead, jumps, and tells what was heard. Measured: the time from the end of the notice to the recorder, by
 * Asterisk's clock; processor time and memory of each process; what listeners waited for.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runProgram, say, type Program } from '../lab/program.ts';
import { labPurpose, rigBucket, startRig, type Rig } from '../lab/rig.ts';
import { startStore, type LabStore } from '../lab/store/store.ts';
import { continuousTone } from '../lab/telephones/audio.ts';
import { placeCalls, startAgent } from '../lab/telephones/sip.ts';
import { openCatalogue, type Catalogue } from '../src/catalogue/catalogue.ts';
import { systemClock } from '../src/core/clock.ts';
import { sha256Of } from '../src/core/crypto/sha256.ts';
import { gapMs } from '../src/receipt/receipt.ts';
import { ascending, cpuMs, quantile } from './figures.ts';
import { Players, type Listener } from './listeners/player.ts';

const { values } = parseArgs({
  options: {
    listeners: { type: 'string', default: '200' },
    calls: { type: 'string', default: '300' },
    'at-once': { type: 'string', default: '20' },
    rounds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '200' },
    /** Files with profiles of both processes are written into this folder. */
    'cpu-prof': { type: 'string' },
  },
});
const [count, calls, atOnce, rounds, warmUp] = [
  values.listeners,
  values.calls,
  values['at-once'],
  values.rounds,
  values['warm-up'],
].map(Number) as [number, number, number, number, number];
/** What is listened to: so many recordings of so long. */
const recordings = 20;
const recordingMs = 45_000;
/** They share a token: fewer than the API lets one actor play at a time. */
const listenersOfToken = 4;
const lookEveryMs = 500;
const beginWithinMs = 60_000;

const listeners: readonly Listener[] = Array.from({ length: count }, (_, index) => ({
  token: `token-${Math.floor(index / listenersOfToken)}`,
  address: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`,
}));
const tokens = Object.fromEntries(
  [...new Set(listeners.map(({ token }) => token))].map((token) => [
    token,
    { role: 'coach', sha256: sha256Of(token), expires: '2099-01-01' },
  ]),
);

/** `VmHWM` is the most that it ever had. */
function memoryMib(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));

  return Number(line?.[1] ?? 0) / 1_024;
}

/** How long the S3 server takes for an answer without content, ms, asked twice a second: what listeners wait for is not all ours. */
function storeAnswers({ endPoint, port }: Pick<LabStore, 'endPoint' | 'port'>): { taken: number[]; stop: () => void } {
  const taken: number[] = [];
  const timer = setInterval(() => {
    const began = performance.now();
    fetch(`http://${endPoint}:${port}/`, { method: 'HEAD' })
      .then(() => taken.push(performance.now() - began))
      .catch(() => taken.push(Infinity));
  }, lookEveryMs);

  return {
    taken,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Of all daemons of the S3 server, which are children of this process. */
function storeCpuMs(): number {
  const own = readdirSync('/proc').filter((name) => {
    try {
      const [, command = '', parent] = /^\d+ \((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];

      return Number(parent) === process.pid && /^(ceph|radosgw)/.test(command);
    } catch {
      return false;
    }
  });

  return own.reduce((sum, pid) => sum + cpuMs(Number(pid)), 0);
}

type Phase = {
  gaps: number[];
  answered: number;
  seconds: number;
  /** Of each process, ms of processor time a second. */
  cpu: Record<string, number>;
};

class Bench {
  readonly store: LabStore;
  readonly rig: Rig;
  readonly web: number;
  readonly #catalogue: Catalogue;
  readonly #tone: Awaited<ReturnType<typeof continuousTone>>;

  constructor(
    { store, rig, web }: Pick<Bench, 'store' | 'rig' | 'web'>,
    catalogue: Catalogue,
    tone: Awaited<ReturnType<typeof continuousTone>>,
  ) {
    this.store = store;
    this.rig = rig;
    this.web = web;
    this.#catalogue = catalogue;
    this.#tone = tone;
  }

  place(to: string, number: number, together: number) {
    const { sipPort } = this.rig.asterisk;

    return placeCalls({
      ...{ tone: this.#tone, sipPort, to, calls: number },
      ...{ perSecond: Math.max(1, together / 4), atOnce: together, holdMs: 120_000 },
    });
  }

  async phase(): Promise<Phase> {
    const before = (await this.#catalogue.recordings.list({ limit: -1 })).length;
    const began = performance.now();
    const used = this.#cpu();
    const { answered } = await this.place('100', calls, atOnce);
    const seconds = (performance.now() - began) / 1_000;
    const cpu = Object.fromEntries(
      Object.entries(this.#cpu()).map(([name, ms]) => [name, (ms - (used[name] ?? 0)) / seconds]),
    );
    const rows = (await this.#catalogue.recordings.list({ limit: -1 })).toReversed().slice(before);

    return { gaps: rows.flatMap((row) => gapMs(row) ?? []), answered, seconds, cpu };
  }

  #cpu(): Record<string, number> {
    const [serve, asterisk] = [this.rig.servePid(), this.rig.asterisk.pid()];
    if (serve === undefined || asterisk === undefined) throw new Error('Asterisk or serve is not running.');

    const { user, system } = process.cpuUsage();

    return {
      serve: cpuMs(serve),
      asterisk: cpuMs(asterisk),
      web: cpuMs(this.web),
      store: storeCpuMs(),
      listeners: (user + system) / 1_000,
    };
  }
}

async function startBench(program: Program): Promise<Bench> {
  const store = await program.keep(startStore());
  await store.makeBucket(rigBucket);
  const agent = (hangUpAfterMs: number, most: number) =>
    program.keep(startAgent({ behaviour: 'answer', ringMs: 0, hangUpAfterMs, atOnce: most * 2 }));
  const [brief, long] = [await agent(1_000, atOnce), await agent(recordingMs, recordings)];
  const training = { ...labPurpose('training', 'Calls of the lab are listened to.', 28), mayListen: ['coach'] };
  const rig = await program.keep(
    startRig({
      extensions: { 100: `${brief.dialString},20,language=en`, 200: `${long.dialString},20,language=en` },
      rtpPorts: Math.max(atOnce, recordings) * 8,
      store,
      config: {
        log: { level: 'info' },
        purposes: { training },
        lines: { default: { purposes: ['training'], language: 'en', defaultLanguages: ['en'] } },
        web: { trustedProxies: ['127.0.0.1'] },
        access: { tokens },
      },
      environment: {
        PREAVIS_ARCHIVE_ENCRYPTION_MODE: 'client',
        PREAVIS_ARCHIVE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      },
      nodeOptions: profile(),
      idle: true,
    }),
  );
  await rig.startServe({ PREAVIS_WEB_LISTEN: `127.0.0.1:${rig.healthPort + 1}` });
  await until(() => readFileSync(rig.logFile, 'utf8').includes('"msg":"listening"'), 'preavis web does not listen');
  const web = rig.webPid();
  if (web === undefined) throw new Error('serve has started no preavis web.');
  const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock);
  await program.keep({
    stop: () => {
      catalogue.close();

      return Promise.resolve();
    },
  });

  return new Bench({ store, rig, web }, catalogue, await continuousTone(440));
}

function profile(): string[] {
  const folder = values['cpu-prof'];

  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function until(is: () => boolean, otherwise: string): Promise<void> {
  const giveUp = performance.now() + beginWithinMs;
  while (!is()) {
    if (performance.now() > giveUp) throw new Error(`${otherwise}.`);
    await sleep(lookEveryMs);
  }
}

const figure = (list: readonly number[], part: number): string => quantile(ascending(list), part).toFixed(0);
const each = (list: readonly number[]): string =>
  `p50 ${figure(list, 0.5)} ms, p90 ${figure(list, 0.9)} ms, p99 ${figure(list, 0.99)} ms, most ${figure(list, 1)} ms (of ${list.length})`;

function tell(name: string, { gaps, answered, seconds, cpu }: Phase): void {
  const used = Object.entries(cpu).map(([process, ms]) => `${process} ${ms.toFixed(0)}`);
  say(
    `${name}: ${answered} calls in ${seconds.toFixed(0)} s, gap ${each(gaps)}; ms of processor a second: ${used.join(', ')}; load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
}

await runProgram('bench', async (program) => {
  const bench = await startBench(program);
  const { rig, web } = bench;
  await program.unlessAsked(bench.place('200', recordings, recordings));
  await program.unlessAsked(bench.place('100', warmUp, atOnce));
  await rig.preavis('upload');
  const listed = await rig.preavisJson<{ recordings: { id: string; status: string; durationMs: number | null }[] }>(
    'recordings',
    'list',
    '--limit',
    '1000',
  );
  const playable = listed.recordings
    .filter(({ status, durationMs }) => status === 'archived' && (durationMs ?? 0) > recordingMs - 5_000)
    .map(({ id }) => id);
  if (playable.length === 0) throw new Error('Nothing was archived.');
  say(
    `${cpus().length} processors; ${playable.length} recordings of ${recordingMs / 1_000} s to listen to, encrypted, in an S3 server; ${calls} calls, ${atOnce} at once`,
  );
  const without: number[] = [];
  const withThem: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const alone = await program.unlessAsked(bench.phase());
    tell(`round ${round}, nobody listens`, alone);
    without.push(...alone.gaps);
    const memory = memoryMib(web, 'VmRSS');
    const players = new Players(`http://127.0.0.1:${rig.healthPort + 1}`, playable, listeners);
    try {
      await until(
        () => players.playing > 0.9 * count,
        `only ${players.playing} could begin: ${JSON.stringify(players.heard.refused)}`,
      );
      const { heard } = players;
      const [seconds, began] = [heard.seconds, performance.now()];
      const answers = storeAnswers(bench.store);
      const beside = await program.unlessAsked(bench.phase()).finally(answers.stop);
      tell(`round ${round}, ${count} listen`, beside);
      withThem.push(...beside.gaps);
      const listening = (heard.seconds - seconds) / ((performance.now() - began) / 1_000);
      say(
        `  listeners: ${listening.toFixed(0)} heard something at any time; first byte ${each(heard.firstByteMs)}; ${heard.pauses} pauses in ${heard.seconds.toFixed(0)} s of sound; ` +
          `${heard.requests} requests, ${(heard.bytes / 2 ** 20).toFixed(0)} MiB; refused ${JSON.stringify(heard.refused)}`,
      );
      say(`  the S3 server took for an empty answer: ${each(answers.taken)}`);
    } finally {
      players.stop();
    }
    say(
      `  memory of web: ${memory.toFixed(0)} MiB before, ${memoryMib(web, 'VmRSS').toFixed(0)} after, most ever ${memoryMib(web, 'VmHWM').toFixed(0)}`,
    );
  }
  say(`gap, nobody listens: ${each(without)}`);
  say(`gap, ${count} listen: ${each(withThem)}`);
});

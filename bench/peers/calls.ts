/** The two telephone systems of `bench/peers.ts`, one with Préavis and one without, and a batch of calls on one of them. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rigDialplan, startRig, type Rig } from '../../lab/rig.ts';
import { continuousTone, type ToneFile } from '../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../lab/telephones/rtpReceiver.ts';
import { placeCall, placeCalls, startAgent, type Agent } from '../../lab/telephones/sip.ts';
import { openSqlite, type Database } from '../../src/catalogue/sqlite/sqlite.ts';
import { soundNameOf } from '../../src/prompts/library.ts';
import { cpuMs } from '../figures.ts';
import { TalkTimes } from './gaps.ts';
import type { Batch, Cpu, Rest, Way } from './report.ts';

/** Calls that warm up, at once. */
export const warmUpAtOnce = 50;

/** What each call of a batch has. */
export type Load = { atOnce: number; perSecond: number; talkMs: number };

const language = 'en';
const packetMs = 20;
/** Of a talk's beginning and end, which are not looked at for lost packets, ms. */
const edgeMs = 500;
/** Callers of a batch whose sound is listened to; the others send as well, and nobody counts what they receive. */
const mostListeners = 4;
/** RTP and RTCP of two channels. */
const portsOfCall = 4;
/** Their ports are not yet free when the next begin. */
const spareCalls = 20;
/** How often is looked who talks, and whether all is done, ms. */
const lookEveryMs = 500;
const doneWithinMs = 120_000;
/** A call is over for Asterisk a little after its last event, ms. */
const settleMs = 1_000;

/** The extension with the same call, whose agent hangs up at once: to warm up. */
const brief = (way: Way): string => `brief-${way}`;

/** What Asterisk does behind a call of each way: the two ways without Préavis play the sounds of the notice by themselves. */
function dialplanOf(agents: { talk: Agent; brief: Agent }, sounds: readonly string[]): string[] {
  const told = [
    ' same => n,Answer()',
    ` same => n,Set(CHANNEL(language)=${language})`,
    ...sounds.map((sound) => ` same => n,Playback(${sound})`),
  ];
  const dial = (agent: Agent): string => ` same => n,Dial(${agent.dialString},20)`;
  const tell = ` same => n,Gosub(preavis-tell,s,1(language=${language}))`;
  const bridge = (agent: Agent): string => ` same => n,Gosub(preavis,s,1(${agent.dialString},20,language=${language}))`;
  const extension = (name: string, ...steps: readonly string[]): string[] => [
    `exten => ${name},1,NoOp()`,
    ...steps,
    ' same => n,Hangup()',
  ];

  return [
    ...extension('alone', ...told, dial(agents.talk)),
    ...extension('dial', ...told, dial(agents.talk)),
    ...extension('mixMonitor', ...told, ' same => n,MixMonitor(${UNIQUEID}.wav)', dial(agents.talk)),
    ...extension('bridge', bridge(agents.talk)),
    ...extension('follow', tell, dial(agents.talk)),
    ...extension(brief('bridge'), bridge(agents.brief)),
    ...extension(brief('follow'), tell, dial(agents.brief)),
  ];
}

export class Peers {
  readonly #load: Load;
  readonly #agents: { talk: Agent; brief: Agent };
  readonly #tone: ToneFile;
  readonly #preavis: Rig;
  readonly #plain: Rig;
  readonly #catalogue: Database;
  readonly #times: TalkTimes;

  private constructor(
    load: Load,
    agents: { talk: Agent; brief: Agent },
    tone: ToneFile,
    rigs: { preavis: Rig; plain: Rig },
  ) {
    this.#load = load;
    this.#agents = agents;
    this.#tone = tone;
    this.#preavis = rigs.preavis;
    this.#plain = rigs.plain;
    this.#catalogue = openSqlite(join(rigs.preavis.folder, 'catalogue.db'), { readonly: true });
    this.#times = new TalkTimes(rigs.preavis.asterisk.celFile);
  }

  /** `load` is the largest of all batches. `keep` is given each part as it starts, to be stopped at the end. */
  static async start(
    load: Load,
    keep: <T extends { stop(): Promise<void> }>(part: Promise<T>) => Promise<T>,
    nodeOptions: readonly string[] = [],
  ): Promise<Peers> {
    const [tone, agentTone] = await Promise.all([continuousTone(440), continuousTone(1_000)]);
    const agent = (hangUpAfterMs: number, atOnce: number): Promise<Agent> =>
      keep(
        startAgent({
          behaviour: 'answer',
          tone: agentTone,
          streams: true,
          hangUpAfterMs,
          atOnce: atOnce + spareCalls,
        }),
      );
    const agents = { talk: await agent(load.talkMs, load.atOnce), brief: await agent(1_000, warmUpAtOnce) };
    const line = { purposes: ['training'], language, defaultLanguages: [language] };
    const rig = (idle: boolean): Promise<Rig> =>
      keep(
        startRig({
          lines: dialplanOf(agents, []),
          rtpPorts: (Math.max(load.atOnce, warmUpAtOnce) + spareCalls) * portsOfCall,
          // Where Préavis dials, both are in the bridge before the answer.
          conf: { '+cel.conf': 'events = ANSWER\n' },
          config: { log: { level: 'info' }, lines: { default: line } },
          nodeOptions,
          idle,
        }),
      );
    const rigs = { preavis: await rig(false), plain: await rig(true) };
    const peers = new Peers(load, agents, tone, rigs);
    await peers.#learnNotice();

    return peers;
  }

  get version(): string {
    return this.#preavis.asterisk.version;
  }

  /** The sounds that Préavis plays are those that the other ways play. */
  async #learnNotice(): Promise<void> {
    await this.warmUp('bridge', 1, 1);
    const sentences = this.#catalogue
      .prepare(`SELECT prompt, sha256 FROM notices ORDER BY call_id, position`)
      .all() as { prompt: string; sha256: string }[];
    if (sentences.length === 0) throw new Error('The first call was told nothing.');
    const sounds = sentences.map(({ prompt, sha256 }) => soundNameOf(prompt, sha256));
    const dialplan = rigDialplan({}, dialplanOf(this.#agents, sounds));
    for (const rig of [this.#preavis, this.#plain]) await rig.asterisk.setDialplan(dialplan);
  }

  /** CPU of `serve` a call, ms; what a service has behind it that has run for a while. */
  async warmUp(way: 'bridge' | 'follow', calls: number, atOnce: number): Promise<number> {
    const before = this.#cpu(this.#preavis).serve;
    const { answered } = await placeCalls({
      sipPort: this.#preavis.asterisk.sipPort,
      to: brief(way),
      tone: this.#tone,
      calls,
      perSecond: atOnce,
      atOnce,
      holdMs: 120_000,
    });
    await this.#done();

    return (this.#cpu(this.#preavis).serve - before) / answered;
  }

  async rest(restMs: number): Promise<Rest> {
    const look = (): Rest => ({ ...this.#cpu(this.#preavis), plain: this.#cpu(this.#plain).asterisk });
    const before = look();
    await sleep(restMs);
    const after = look();
    const each = (part: keyof Rest): number => (after[part] - before[part]) / (restMs / 1_000);

    return {
      asterisk: each('asterisk'),
      serve: each('serve'),
      serveMain: each('serveMain'),
      plain: each('plain'),
    };
  }

  async batch(way: Way, round: number, load: Load = this.#load): Promise<Batch> {
    const rig = way === 'alone' ? this.#plain : this.#preavis;
    const before = this.#cpu(rig);
    const monitored = this.#monitored(rig);
    const began = performance.now();
    const callers = new Map<string, string>();
    const looking = setInterval(() => {
      this.#noteCallers(callers);
    }, lookEveryMs);
    const { sipPort } = rig.asterisk;
    const listeners = Math.min(mostListeners, Math.ceil(load.atOnce / 2));
    const call = { sipPort, to: way, tone: this.#tone };
    const others = load.atOnce - listeners;
    const [placed, ...heard] = await Promise.all([
      others === 0
        ? { answered: 0 }
        : placeCalls({ ...call, calls: others, perSecond: load.perSecond, holdMs: 120_000 }),
      ...Array.from({ length: listeners }, (_, index) => listen(call, load, (index * 1_000) / load.perSecond)),
    ]);
    await this.#done();
    clearInterval(looking);
    const seconds = (performance.now() - began) / 1_000;
    const after = this.#cpu(rig);
    const gapsMs = way === 'bridge' || way === 'follow' ? this.#gaps(callers) : [];

    return {
      round,
      way,
      atOnce: load.atOnce,
      answered: placed.answered + heard.filter(({ answered }) => answered).length,
      recorded: way === 'mixMonitor' ? this.#monitored(rig) - monitored : gapsMs.length,
      seconds,
      cpu: {
        asterisk: after.asterisk - before.asterisk,
        serve: after.serve - before.serve,
        serveMain: after.serveMain - before.serveMain,
      },
      gapsMs,
      packets: {
        came: heard.reduce((all, { came }) => all + came, 0),
        due: heard.reduce((all, { due }) => all + due, 0),
      },
    };
  }

  stop(): Promise<void> {
    this.#catalogue.close();

    return Promise.resolve();
  }

  #cpu(rig: Rig): Cpu {
    const [asterisk, serve] = [rig.asterisk.pid(), rig.servePid()];
    if (asterisk === undefined || (serve === undefined && rig === this.#preavis))
      throw new Error('Asterisk or serve is not running.');

    return {
      asterisk: cpuMs(asterisk),
      serve: serve === undefined ? 0 : cpuMs(serve),
      serveMain: serve === undefined ? 0 : cpuMs(serve, 'main thread'),
    };
  }

  /** How many files MixMonitor() has made. */
  #monitored({ asterisk }: Rig): number {
    const folder = join(asterisk.spoolFolder, '..', 'monitor');

    return existsSync(folder) ? readdirSync(folder).length : 0;
  }

  /** Calls under way, and the channels of their callers, which the catalogue forgets with the end of the call. */
  #noteCallers(callers: Map<string, string>): void {
    const open = this.#catalogue
      .prepare(`SELECT id, caller_channel AS channel FROM calls WHERE state IS NOT NULL AND caller_channel IS NOT NULL`)
      .all() as { id: string; channel: string }[];
    for (const { id, channel } of open) callers.set(id, channel);
  }

  #gaps(callers: ReadonlyMap<string, string>): number[] {
    this.#times.readOn();
    const select = this.#catalogue.prepare(`SELECT started_at FROM recordings WHERE call_id = ?`).pluck();

    return [...callers].flatMap(([id, channel]) => {
      const startedAt = select.get(id);
      const together = this.#times.togetherAt(channel);

      return typeof startedAt === 'number' && together !== undefined ? [startedAt - together] : [];
    });
  }

  /** Until nothing is left to do of the calls but their upload: the self-check and the second witness are part of what a call costs. */
  async #done(): Promise<void> {
    const left = this.#catalogue
      .prepare(
        `SELECT count(*) FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id
         WHERE calls.state IS NOT NULL OR calls.witness IS NULL OR recordings.status = 'recording'`,
      )
      .pluck();
    const giveUp = performance.now() + doneWithinMs;
    while (left.get() !== 0) {
      if (performance.now() > giveUp) throw new Error('Calls are not finished.');
      await sleep(lookEveryMs);
    }
    await sleep(settleMs);
  }
}

/** A caller who counts what they hear of the talk. */
async function listen(
  call: { sipPort: number; to: string; tone: ToneFile },
  { talkMs }: Load,
  afterMs: number,
): Promise<{ answered: boolean; came: number; due: number }> {
  await sleep(afterMs);
  const receiver = await startRtpReceiver();
  const placed = await placeCall({ ...call, receiver });
  const end = await placed.ended;
  const overAt = end.events.find(({ name }) => name === 'byeReceived')?.at;
  const window = talkMs - 2 * edgeMs;
  const answered = end.status === 'answered';
  const came = overAt === undefined ? 0 : receiver.packetsBetween(overAt - edgeMs - window, overAt - edgeMs);
  receiver.close();

  return { answered, came, due: overAt === undefined ? 0 : Math.round(window / packetMs) };
}

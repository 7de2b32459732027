/** Callers and agents: SIPp with real RTP. Each has its ports and a temporary folder, both given back when it stops. */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { codecHeader } from '../asterisk/asteriskConf.ts';
import type { ToneFile } from './audio.ts';
import { parseDialog, type Dialog } from './dialog.ts';
import { startRtpReceiver, type RtpReceiver } from './rtpReceiver.ts';
import { noteSender } from '../machine/lateness.ts';
import { claimPorts, type PortBlock } from '../machine/ports.ts';
import { allowLateTimers } from '../machine/priority.ts';
import { makeLabFolder, spawnLive, type LabFolder, type LiveProcess } from '../machine/processes.ts';
import { makeSrtpKey, makeSrtpReceiver } from './srtp.mjs';
import { giveVoice, type Voice } from './voice.ts';
import {
  agentScenario,
  callerLine,
  callerScenario,
  dialogLine,
  hangUpRequest,
  keyLine,
  partyLine,
  voiceWords,
  type AgentBehaviour,
  type CallerScenario,
  type Codec,
  type MediaOffer,
} from './sipScenario.ts';

export type AgentOptions = {
  behaviour: AgentBehaviour;
  /** Played from the answer on. */
  tone?: ToneFile;
  /** Played instead of ringing, as early media. */
  earlyTone?: ToneFile;
  /** Time from INVITE to answer; 0 answers at once, without ringing. */
  ringMs?: number;
  /** Counted from the answer. Without it the agent waits for the other side to hang up, or for endCall(). */
  hangUpAfterMs?: number;
  /** The extension that `forward` sends callers to. */
  forwardTo?: string;
  /** How many calls it can have at the same time. */
  atOnce?: number;
  /** Hears its calls in its place; for agents with one call at a time. */
  receiver?: RtpReceiver;
  /** The sequence number that its RTP begins with in each call, for who must not be dropped behind another. Default: at random. */
  firstNumber?: number;
  /** SIPp sends the tone itself, from numbers that are the same for each call: for many calls at once. */
  streams?: boolean;
  /** It can show a picture, and sends none. */
  video?: boolean;
  /** Default: A-law. `tone` is a file of it. */
  codec?: Codec;
  /** As of a caller: its sound is encrypted, and what its receiver hears. */
  isEncrypted?: boolean;
};

export type Agent = {
  readonly port: number;
  /** For Dial() or ARI's `endpoint`. */
  readonly dialString: string;
  /** INVITEs received so far, not counting repetitions. */
  calls(): number;
  /** Calls answered so far: the ACK came, the tone plays. */
  answered(): number;
  /** The From header of each INVITE. */
  callers(): string[];
  /** The P-Asserted-Identity of each INVITE, empty where there was none. */
  parties(): string[];
  /** Its side of each call, in the order of the INVITEs. */
  dialogs(): Dialog[];
  /** Its sound, in all of its calls. */
  readonly voice: Voice;
  events(): SipEvent[];
  /** BYE in its latest call, once it has answered it. */
  endCall(): Promise<void>;
  stop(): Promise<void>;
};

export type CallOptions = {
  sipPort: number;
  /** The extension. */
  to: string;
  fromNumber?: string;
  fromName?: string;
  tone?: ToneFile;
  /** Counted from the answer. Without it the caller waits for the other side, or for hangUp(). */
  hangUpAfterMs?: number;
  /** What listens to the call; the call closes it only when it made it itself, for digits. */
  receiver?: RtpReceiver;
  /** Keys pressed, counted from the answer. */
  digits?: readonly { afterMs: number; digit: string }[];
  /** More header lines of the INVITE. */
  headers?: readonly string[];
  /** Default: sendrecv. */
  offers?: MediaOffer;
  /** Default: A-law. `tone` is a file of it. */
  codec?: Codec;
  /** Its sound is encrypted, by a key in its SDP (RFC 4568); what it hears, too. */
  isEncrypted?: boolean;
  /** It describes its sound with the ACK, and not with the INVITE (RFC 3261, 13.2.1). */
  isLateOffer?: boolean;
  /** It can show a picture, and sends none. */
  video?: boolean;
  /** `sipPort` is that of a proxy, which stays in the way of the call. */
  isRouted?: boolean;
};

export type CallEnd = {
  status: 'answered' | 'busy' | 'noAnswer' | 'cancelled' | 'failed';
  /** 200 when answered, undefined when nothing final came. */
  finalCode: number | undefined;
  answeredAfterMs: number | undefined;
  /** From the answer to the BYE. */
  durationMs: number | undefined;
  endedBy: 'caller' | 'callee' | undefined;
  /** What SIPp says when a call neither was answered nor refused. */
  problem: string | undefined;
  events: readonly SipEvent[];
};

export type Call = {
  /** The extension that is called. */
  readonly to: string;
  /** The port of the caller's receiver, if there is one. */
  readonly receiverPort: number | undefined;
  readonly ended: Promise<CallEnd>;
  events(): SipEvent[];
  /** True once the call was answered (and not yet over or over). */
  isAnswered(): boolean;
  /** The P-Asserted-Identity of each answer, and of each later description of the session; empty where there was none. */
  parties(): string[];
  /** The caller's side, once it was answered. */
  dialog(): Dialog;
  /** Its sound. */
  readonly voice: Voice;
  /** The UDP port that its sound is sent from. */
  readonly voicePort: number;
  /** BYE, or CANCEL while it rings. */
  hangUp(): Promise<void>;
  /** Ends SIPp without a word to Asterisk (as a telephone that loses power) and removes its folder. */
  stop(): Promise<void>;
};

/** `name` is invited, ringing, progress, answered, acknowledged, final-CODE, byeReceived, byeSent, cancelSent or cancelled. */
export type SipEvent = { readonly name: string; /** Unix time in ms. */ readonly at: number };

export type LoadOptions = Omit<CallOptions, 'receiver' | 'digits' | 'hangUpAfterMs'> & {
  calls: number;
  perSecond: number;
  holdMs: number;
  /** At the same time; default: all. */
  atOnce?: number;
};

export type LoadResult = {
  placed: number;
  answered: number;
  /** By SIPp's own statistics: calls that went through their whole scenario, and the others. */
  successful: number;
  failed: number;
  /** Refusals by SIP code. */
  refused: Record<number, number>;
  seconds: number;
};

export async function startAgent(options: AgentOptions): Promise<Agent> {
  const xml = agentScenario({
    behaviour: options.behaviour,
    ringMs: options.ringMs ?? 0,
    hangUpAfterMs: options.hangUpAfterMs,
    tonePath: options.tone?.path,
    earlyTonePath: options.earlyTone?.path,
    receiverPort: options.receiver?.port,
    forwardTo: options.forwardTo,
    streams: options.streams,
    video: options.video,
    codec: options.codec,
    srtpKey: options.isEncrypted === true ? makeSrtpKey() : undefined,
  });
  const sipp = await Sipp.start(xml, ['-aa', ...goesOn], options.atOnce ?? 10, options.firstNumber);
  if (options.tone !== undefined) options.receiver?.speaksBy(sipp.voice);
  if (options.isEncrypted === true) options.receiver?.lock()(decryptByNewest(() => sipp.lines(keyLine).at(-1)));
  await sipp.listens();
  return {
    port: sipp.port,
    dialString: `PJSIP/agent/sip:agent@127.0.0.1:${sipp.port}`,
    calls: () => sipp.count('invited'),
    answered: () => sipp.count('answered'),
    callers: () => sipp.lines(callerLine),
    parties: () => sipp.lines(partyLine),
    dialogs: () => sipp.lines(dialogLine).map(parseDialog),
    voice: sipp.voice,
    events: () => sipp.events(),
    endCall: async () => {
      const latest = sipp.lines(dialogLine).map(parseDialog).at(-1);
      if (latest === undefined) throw new Error('Nobody has called this agent yet.');
      await askToHangUp(sipp, latest.callId);
    },
    stop: () => sipp.stop(),
  };
}

/** Each of its calls brings a key of Asterisk's, before any sound. */
function decryptByNewest(newestKey: () => string | undefined): (packet: Buffer) => Buffer | undefined {
  let known: { key: string; decrypt: (packet: Buffer) => Buffer | undefined } | undefined;

  return (packet) => {
    const plain = known?.decrypt(packet);
    if (plain !== undefined) return plain;
    const key = newestKey();
    if (key === undefined || key === known?.key) return undefined;
    known = { key, decrypt: makeSrtpReceiver(key) };

    return known.decrypt(packet);
  };
}

export async function placeCall(options: CallOptions): Promise<Call> {
  const digits = options.digits ?? [];
  const ownReceiver = options.receiver === undefined && digits.length > 0 ? await startRtpReceiver() : undefined;
  const receiver = options.receiver ?? ownReceiver;
  const callId = ulid();
  const unlock = options.isEncrypted === true ? receiver?.lock() : undefined;
  const xml = callerScenario(scenarioOf(options, receiver));
  // -aa answers what Asterisk asks or reports inside the call, such as how a transfer goes.
  const args = ['-aa', ...goesOn, '-m', '1', '-cid_str', callId, `127.0.0.1:${options.sipPort}`];
  const sipp = await Sipp.start(xml, args, 1);
  if (options.tone !== undefined) receiver?.speaksBy(sipp.voice);
  if (unlock !== undefined) {
    void sipp.first('answered').then(() => {
      const [key] = sipp.lines(keyLine);
      if (key !== undefined) unlock(makeSrtpReceiver(key));
    });
  }
  const pressing = receiver && digits.length > 0 ? press(sipp, receiver, digits) : Promise.resolve();
  const ended = sipp.exited.then(async () => {
    await pressing;
    ownReceiver?.close();
    const [events, problem] = [sipp.events(), sipp.problem()];
    if (events.length === 0 && !sipp.isStopped()) {
      await sipp.stop();
      throw new Error(`SIPp placed no call:\n${problem}`);
    }
    await sipp.stop();
    return endOf(events, problem);
  });
  return {
    to: options.to,
    receiverPort: receiver?.port,
    ended,
    events: () => sipp.events(),
    isAnswered: () => sipp.count('answered') > 0,
    parties: () => sipp.lines(partyLine),
    dialog: () => {
      const [line] = sipp.lines(dialogLine);
      if (line === undefined) throw new Error('The call was not answered yet.');
      return parseDialog(line);
    },
    voice: sipp.voice,
    voicePort: sipp.voicePort,
    hangUp: async () => {
      await askToHangUp(sipp, callId);
      await ended;
    },
    stop: async () => {
      await sipp.stop();
      await ended;
    },
  };
}

/** Many calls by one SIPp, for benchmarks. Resolves when the last one is over. */
export async function placeCalls(options: LoadOptions): Promise<LoadResult> {
  const startedAt = Date.now();
  const xml = callerScenario({
    ...scenarioOf({ ...options, hangUpAfterMs: options.holdMs }, undefined),
    streams: true,
  });
  const atOnce = options.atOnce ?? options.calls;
  const args = ['-m', String(options.calls), '-r', String(options.perSecond), '-rp', '1000', '-l', String(atOnce)];
  const sipp = await Sipp.start(xml, [...args, '-cid_str', `%u-${ulid()}`, `127.0.0.1:${options.sipPort}`], atOnce);
  await sipp.exited;
  const seconds = (Date.now() - startedAt) / 1000;
  const refused: Record<number, number> = {};
  for (const { name } of sipp.events()) {
    const code = finalCodeOf(name);
    if (code !== undefined) refused[code] = (refused[code] ?? 0) + 1;
  }
  const statistics = sipp.statistics();
  const result = { placed: sipp.count('invited'), answered: sipp.count('answered'), ...statistics, refused, seconds };
  await sipp.stop();
  return result;
}

function scenarioOf(
  options: Omit<CallOptions, 'digits' | 'receiver'>,
  receiver: RtpReceiver | undefined,
): CallerScenario {
  return {
    to: options.to,
    fromNumber: options.fromNumber ?? '+3225550100',
    fromName: options.fromName,
    hangUpAfterMs: options.hangUpAfterMs,
    tonePath: options.tone?.path,
    receiverPort: receiver?.port,
    headers: [...(options.headers ?? []), ...(options.codec === undefined ? [] : [`${codecHeader}: ${options.codec}`])],
    offers: options.offers,
    codec: options.codec,
    srtpKey: options.isEncrypted === true ? makeSrtpKey() : undefined,
    isLateOffer: options.isLateOffer,
    video: options.video,
    isRouted: options.isRouted,
  };
}

async function press(sipp: Sipp, receiver: RtpReceiver, digits: NonNullable<CallOptions['digits']>): Promise<void> {
  const answeredAt = await sipp.first('answered');
  if (answeredAt === undefined) return;
  for (const { afterMs, digit } of digits.toSorted((a, b) => a.afterMs - b.afterMs)) {
    await sleep(Math.max(0, answeredAt + afterMs - Date.now()));
    while (sipp.isRunning() && receiver.packets() === 0) await sleep(10);
    if (!sipp.isRunning()) return;
    await receiver.pressDigit(digit);
  }
}

/** What of the two sides of a call has ended it. */
const partings: readonly string[] = ['byeSent', 'cancelSent', 'byeReceived', 'cancelled'];
const askAgainMs = 50;

/** Asks until SIPp has hung up, or the other side has: what comes between a message and its answer is passed over. */
async function askToHangUp(sipp: Sipp, callId: string): Promise<void> {
  const parted = (): number => partings.reduce((sum, name) => sum + sipp.count(name), 0);
  const before = parted();
  while (sipp.isRunning() && parted() === before) {
    await sendHangUp(sipp.port, callId);
    await sleep(askAgainMs);
  }
}

/** A request inside the call that only our scenario understands. */
function sendHangUp(port: number, callId: string): Promise<void> {
  const text = [
    `${hangUpRequest} sip:caller@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${ulid()}`,
    'From: <sip:lab@127.0.0.1>;tag=lab',
    'To: <sip:caller@127.0.0.1>',
    `Call-ID: ${callId}`,
    `CSeq: 1 ${hangUpRequest}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.send(text, port, '127.0.0.1', (error) => {
      socket.close();
      if (error) reject(error);
      else resolve();
    });
  });
}

function finalCodeOf(name: string): number | undefined {
  return name.startsWith('final-') ? Number(name.slice('final-'.length)) : undefined;
}

function endOf(events: readonly SipEvent[], problem: string): CallEnd {
  const at = (name: string) => events.find((event) => event.name === name)?.at;
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : Math.round(to - from);
  const answeredAt = at('answered');
  const finalCode = answeredAt === undefined ? events.map((event) => finalCodeOf(event.name)).find(Boolean) : 200;
  const byeReceived = at('byeReceived');
  const byeSent = at('byeSent');
  let endedBy: CallEnd['endedBy'];
  if (byeReceived !== undefined) endedBy = 'callee';
  else if (byeSent !== undefined || at('cancelSent') !== undefined) endedBy = 'caller';
  return {
    status: statusOf(finalCode, at('cancelSent') !== undefined),
    finalCode,
    answeredAfterMs: between(at('invited'), answeredAt),
    durationMs: between(answeredAt, byeReceived ?? byeSent),
    endedBy,
    problem: finalCode === undefined ? problem : undefined,
    events,
  };
}

function statusOf(finalCode: number | undefined, cancelled: boolean): CallEnd['status'] {
  if (finalCode === 200) return 'answered';
  if (cancelled) return 'cancelled';
  if (finalCode === 486 || finalCode === 600) return 'busy';
  if (finalCode === 408 || finalCode === 480) return 'noAnswer';
  return 'failed';
}

/**
 * SIPp passes over what its scenario does not wait for just now, and the other side sends it again; else it would leave the call without a
 * BYE, and Asterisk with a channel that never ends. So it does where a new description of the session crosses what SIPp is about to send.
 */
const goesOn: readonly string[] = ['-default_behaviors', 'all,-abortunexp'];

/** Lines of the log that are no events. */
const otherLines: readonly string[] = [callerLine, dialogLine, partyLine, keyLine, ...voiceWords];

/** Between the starts of two SIPps, so that other work of this process gets its turn, ms. */
const startPauseMs = 20;
const pause = (): Promise<void> => sleep(startPauseMs);

const voicePortOf = (block: PortBlock): number => block.first + 2;

/** One SIPp process with its folder, ports and log. */
class Sipp {
  readonly port: number;
  readonly voice: Voice;
  readonly voicePort: number;
  readonly #process: LiveProcess;
  readonly #folder: LabFolder;
  readonly #block: PortBlock;
  readonly #sendsNoMore: () => void;
  #last: SipEvent[] = [];
  #stopped = false;

  private constructor(process: LiveProcess, voice: Voice, folder: LabFolder, block: PortBlock) {
    this.voice = voice;
    this.voicePort = voicePortOf(block);
    this.#process = process;
    this.#folder = folder;
    this.#block = block;
    this.port = block.first;
    this.#sendsNoMore = noteSender({ first: block.first + 2, last: block.last });
  }

  /** One after the other: to start a process keeps this one from all else for a moment, such as from pressing keys in time. */
  static start(xml: string, args: readonly string[], atOnce: number, firstNumber?: number): Promise<Sipp> {
    const started = Sipp.#latest.then(() => Sipp.#start(xml, args, atOnce, firstNumber));
    Sipp.#latest = started.then(pause, pause);

    return started;
  }

  static #latest: Promise<void> = Promise.resolve();

  static async #start(xml: string, args: readonly string[], atOnce: number, firstNumber?: number): Promise<Sipp> {
    // One for SIP, one for SIPp's control, one for the voice; and SIPp takes an audio and a video port, each with one for RTCP, for every call.
    const block = await claimPorts(4 + 4 * (atOnce + 2));
    const folder = makeLabFolder();
    writeFileSync(join(folder.path, 'scenario.xml'), xml);
    const all = ['-sf', 'scenario.xml', '-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', String(block.first), '-nostdin'];
    // Its control port would be open to everybody.
    all.push('-ci', '127.0.0.1', '-cp', String(block.first + 1));
    all.push('-min_rtp_port', String(block.first + 4), '-max_rtp_port', String(block.last));
    all.push('-trace_logs', '-log_file', 'events.log', '-trace_err', '-error_file', 'errors.log');
    all.push('-trace_stat', '-stf', 'statistics.csv', '-fd', '1', '-max_socket', '10000', ...args);
    const logFile = join(folder.path, 'sipp.log');
    const env = { ...globalThis.process.env, TERM: 'dumb' };
    const voice = await giveVoice(folder.path, voicePortOf(block), firstNumber);
    const process = await spawnLive('sipp', all, { cwd: folder.path, logFile, env, priority: 'sound' });
    allowLateTimers(process.pid);
    return new Sipp(process, voice, folder, block);
  }

  get exited(): Promise<unknown> {
    return this.#process.exited;
  }

  isRunning(): boolean {
    return this.#process.isRunning();
  }

  /** Waits until the agent's port is open; the kernel's list is read, nothing is sent. */
  async listens(): Promise<void> {
    const local = `0100007F:${this.port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (let tries = 0; tries < 3_000; tries += 1) {
      if (!this.isRunning()) throw new Error(`SIPp ended at once:\n${this.problem()}`);
      if (readFileSync('/proc/net/udp', 'latin1').includes(local)) return;
      await sleep(10);
    }
    throw new Error('SIPp does not listen.');
  }

  /** What the scenario logged behind this word. */
  lines(word: string): string[] {
    return this.#read('events.log')
      .split('\n')
      .filter((line) => line.startsWith(word))
      .map((line) => line.slice(word.length).trim());
  }

  events(): SipEvent[] {
    if (this.#stopped) return this.#last;
    return this.#read('events.log')
      .split('\n')
      .filter((line) => !otherLines.some((word) => line.startsWith(word)))
      .map((line) => line.split(' '))
      .filter((fields) => fields.length === 3)
      .map(([name = '', seconds, micros]) => ({ name, at: Number(seconds) * 1000 + Number(micros) / 1000 }));
  }

  count(name: string): number {
    return this.events().filter((event) => event.name === name).length;
  }

  /** The time of the first event with this name; undefined when SIPp ended without one. */
  async first(name: string): Promise<number | undefined> {
    for (;;) {
      const running = this.isRunning();
      const event = this.events().find((candidate) => candidate.name === name);
      if (event || !running) return event?.at;
      await sleep(5);
    }
  }

  statistics(): { successful: number; failed: number } {
    const rows = this.#read('statistics.csv').trim().split('\n');
    const names = (rows[0] ?? '').split(';');
    const values = (rows.at(-1) ?? '').split(';');
    const value = (name: string) => Number(values[names.indexOf(name)] ?? 0);
    return { successful: value('SuccessfulCall(C)'), failed: value('FailedCall(C)') };
  }

  /** What SIPp wrote about things it did not expect. */
  problem(): string {
    return `${this.#read('errors.log')}${this.#read('sipp.log')}`.split('\n').slice(-40).join('\n');
  }

  isStopped(): boolean {
    return this.#stopped;
  }

  #read(name: string): string {
    const file = join(this.#folder.path, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    await this.#process.stop({ signal: 'SIGKILL', graceMs: 0 });
    await this.voice.stop();
    this.#last = this.events();
    this.#stopped = true;
    this.#sendsNoMore();
    if (process.env['PREAVIS_LAB_KEEP'] === '1') {
      console.error(`kept ${this.#folder.path}: ${readdirSync(this.#folder.path).join(' ')}`);
      this.#folder.keep();
    } else this.#folder.remove();
    this.#block.release();
  }
}

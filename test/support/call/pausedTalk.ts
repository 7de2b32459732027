/** Talks that are paused: who talks in them, and what may be looked for in their recordings. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteSender } from '../../../lab/machine/lateness.ts';
import { claimPorts, type PortBlock } from '../../../lab/machine/ports.ts';
import { makeLabFolder, type LabFolder } from '../../../lab/machine/processes.ts';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { mediaOf, type Codec } from '../../../lab/telephones/sipScenario.ts';
import { giveVoice, type Voice } from '../../../lab/telephones/voice.ts';
import type { Rig } from '../../../lab/rig.ts';
import { sampleRate, writeWav } from '../audio/audio.ts';

/** What each says before the pause, in it, and after it: a tone, Hz. */
export const said = {
  caller: { before: 440, secret: 1_900, after: 560 },
  agent: { before: 1_000, secret: 2_200, after: 2_600 },
};
export const pausedHz = 3_000;
export const resumedHz = 3_400;
export const sentenceMs = 800;
/** For `useBriefNotice`. */
export const pauseSentences = {
  paused: { kind: 'paused', hz: pausedHz, lengthMs: sentenceMs },
  resumed: { kind: 'resumed', hz: resumedHz, lengthMs: sentenceMs },
};
const chunkMs = 200;
/** The keys of a card, and those of the code, as tones (ITU-T Q.23). */
export const card = ['5', '8'] as const;
const tonesOfKeys: Readonly<Record<string, readonly [number, number]>> = {
  '5': [770, 1_336],
  '8': [852, 1_336],
  '*': [941, 1_209],
  '1': [697, 1_209],
};

type Format = Codec | 'alaw';
type Sound = { hz: readonly number[]; lengthMs: number; padMs?: number; format: Format };
type Given = { voice: Voice; folder: LabFolder; ports: PortBlock; sound: string };
const sounds = new Map<string, Promise<string>>();

/** Its file, made once: several talks ask for the same at a time, and each would write the file that another one is read from. */
function soundOf(rig: Rig, sound: Sound): Promise<string> {
  const { hz, lengthMs, padMs = 0, format } = sound;
  const name = `pause-${hz.join('-')}-${lengthMs}-${padMs}-${format}`;
  const known = sounds.get(name) ?? makeSound(rig, name, sound);
  sounds.set(name, known);

  return known;
}

/** Tones at once, in this codec, made by Asterisk. */
async function makeSound({ asterisk }: Rig, name: string, { hz, lengthMs, padMs = 0, format }: Sound): Promise<string> {
  const { soundsFolder } = asterisk;
  const volume = 9_000 / hz.length;
  const samples = new Int16Array(((lengthMs + padMs) * sampleRate) / 1_000);
  const sounding = (lengthMs * sampleRate) / 1_000;
  for (const each of hz)
    for (let index = 0; index < sounding; index += 1)
      samples[index] = (samples[index] ?? 0) + Math.round(volume * Math.sin((2 * Math.PI * each * index) / sampleRate));
  writeWav(join(soundsFolder, `${name}.wav`), samples);
  await asterisk.cli(`file convert ${name}.wav ${name}.${format}`);

  return join(soundsFolder, `${name}.${format}`);
}

/** Before the first call: to make them takes this process some hundred ms, in which it would press no key. */
export async function makeSaid(rig: Rig, codecs: readonly (Codec | undefined)[] = [undefined]): Promise<void> {
  for (const codec of codecs)
    for (const hz of [...Object.values(said.caller), ...Object.values(said.agent)])
      await soundOf(rig, saidSound(hz, codec ?? 'alaw'));
}

const saidSound = (hz: number, format: Format): Sound => ({ hz: [hz], lengthMs: chunkMs, format });

/** Said in a call of its own. */
const talk = 'talk';

/**
 * Somebody who says one tone until they say another; keys as tones come in between. The process of all voices sends the sound. This one parses
 * events, and would send too slowly. Asterisk drops of a sentence what waits for the packets of who talks.
 */
export class Talker {
  readonly #rig: Rig;
  readonly #format: Format;
  readonly #payload: number;
  readonly #receiver: RtpReceiver;
  readonly #voice: Voice;
  readonly #folder: LabFolder;
  readonly #ports: PortBlock;
  readonly #unwatch: () => void;
  readonly #unheard: () => void;
  #sound: string;
  #peer: number | undefined;
  #isStopped = false;

  private constructor(rig: Rig, receiver: RtpReceiver, codec: Codec | undefined, given: Given) {
    this.#rig = rig;
    this.#receiver = receiver;
    this.#format = codec ?? 'alaw';
    this.#payload = mediaOf(codec).payload;
    ({ voice: this.#voice, folder: this.#folder, ports: this.#ports, sound: this.#sound } = given);
    this.#unwatch = noteSender({ first: this.#ports.first, last: this.#ports.first });
    receiver.speaksBy(this.#voice);
    this.#unheard = receiver.whenHeard((port) => {
      this.#peer = port;
      this.#speak();
    });
  }

  static async of(rig: Rig, receiver: RtpReceiver, hz: number, codec?: Codec): Promise<Talker> {
    const sound = await soundOf(rig, saidSound(hz, codec ?? 'alaw'));
    const [ports, folder] = [await claimPorts(1), makeLabFolder()];

    return new Talker(rig, receiver, codec, { voice: await giveVoice(folder.path, ports.first), folder, ports, sound });
  }

  async say(hz: number): Promise<void> {
    this.#sound = await soundOf(this.#rig, saidSound(hz, this.#format));
    this.#speak();
  }

  /** Resolves after as long as it takes to say it. */
  async key(digit: string): Promise<void> {
    const hz = tonesOfKeys[digit] ?? [];
    const [lengthMs, padMs] = [120, 80];
    this.#voice.once(await soundOf(this.#rig, { hz, lengthMs, padMs, format: this.#format }));
    await sleep(lengthMs + padMs);
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#unheard();
    this.#receiver.speaksBy(undefined);
    await this.#voice.stop();
    this.#unwatch();
    this.#ports.release();
    this.#folder.remove();
  }

  #speak(): void {
    if (this.#peer === undefined) return;
    const words = ['SPEAK', talk, this.#peer, this.#sound, this.#payload];
    appendFileSync(join(this.#folder.path, 'events.log'), `${words.join('|')}\n`);
  }
}

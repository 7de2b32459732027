/** Talks that are paused: who talks in them, and what may be looked for in their recordings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { mediaOf, type Codec } from '../../../lab/telephones/sipScenario.ts';
import type { Rig } from '../../../lab/rig.ts';
import { sampleRate, writeWav } from '../audio/audio.ts';
import { eventually } from '../poll.ts';

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
const sounds = new Map<string, Promise<Buffer>>();

/** Made once: several talks ask for the same at a time, and each would write the file that another one is read from. */
function soundOf(rig: Rig, sound: Sound): Promise<Buffer> {
  const { hz, lengthMs, padMs = 0, format } = sound;
  const name = `pause-${hz.join('-')}-${lengthMs}-${padMs}-${format}`;
  const known = sounds.get(name) ?? makeSound(rig, name, sound);
  sounds.set(name, known);

  return known;
}

/** Tones at once, in this codec, made by Asterisk. */
async function makeSound({ asterisk }: Rig, name: string, { hz, lengthMs, padMs = 0, format }: Sound): Promise<Buffer> {
  const { soundsFolder } = asterisk;
  const volume = 9_000 / hz.length;
  const samples = new Int16Array(((lengthMs + padMs) * sampleRate) / 1_000);
  const sounding = (lengthMs * sampleRate) / 1_000;
  for (const each of hz)
    for (let index = 0; index < sounding; index += 1)
      samples[index] = (samples[index] ?? 0) + Math.round(volume * Math.sin((2 * Math.PI * each * index) / sampleRate));
  writeWav(join(soundsFolder, `${name}.wav`), samples);
  await asterisk.cli(`file convert ${name}.wav ${name}.${format}`);

  return readFileSync(join(soundsFolder, `${name}.${format}`));
}

/** Before the first call: to make them takes this process some hundred ms, in which it would send nobody's voice. */
export async function makeSaid(rig: Rig, codecs: readonly (Codec | undefined)[] = [undefined]): Promise<void> {
  for (const codec of codecs)
    for (const hz of [...Object.values(said.caller), ...Object.values(said.agent)])
      await soundOf(rig, saidSound(hz, codec ?? 'alaw'));
}

const saidSound = (hz: number, format: Format): Sound => ({ hz: [hz], lengthMs: chunkMs, format });

/** Somebody who says one tone until they say another; keys as tones come in between. */
export class Talker {
  readonly #rig: Rig;
  readonly #receiver: RtpReceiver;
  readonly #payload: number;
  readonly #format: Format;
  #now: Buffer;
  readonly #next: Buffer[] = [];
  #isOver = false;
  readonly #over: Promise<void>;

  private constructor(rig: Rig, receiver: RtpReceiver, codec: Codec | undefined, first: Buffer) {
    this.#rig = rig;
    this.#receiver = receiver;
    this.#format = codec ?? 'alaw';
    this.#payload = mediaOf(codec).payload;
    this.#now = first;
    this.#over = this.#talk();
  }

  static async of(rig: Rig, receiver: RtpReceiver, hz: number, codec?: Codec): Promise<Talker> {
    const first = await soundOf(rig, saidSound(hz, codec ?? 'alaw'));

    return new Talker(rig, receiver, codec, first);
  }

  async say(hz: number): Promise<void> {
    this.#now = await soundOf(this.#rig, saidSound(hz, this.#format));
  }

  /** Resolves when they are said. */
  async key(digit: string): Promise<void> {
    const hz = tonesOfKeys[digit] ?? [];
    this.#next.push(await soundOf(this.#rig, { hz, lengthMs: 120, padMs: 80, format: this.#format }));
    await eventually(() => this.#next.length === 0, { everyMs: 20 });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#over;
  }

  async #talk(): Promise<void> {
    while (!this.#isOver) {
      const [next] = this.#next;
      // It is refused until something was heard.
      const isSaid = await this.#receiver.speak(next ?? this.#now, this.#payload).then(
        () => true,
        () => false,
      );
      if (!isSaid) await new Promise((resolve) => setTimeout(resolve, 20));
      else if (next !== undefined) this.#next.shift();
    }
  }
}

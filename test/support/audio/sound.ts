/** The prompts as they lie in the project, and whether anything of one is in a recording full of tones. */
import { join } from 'node:path';
import { likenessAt, readWav, rms, sampleRate, similarity, tonePresence, type Span } from './audio.ts';
import { shippedSounds } from '../policy/promptFolder.ts';

// As in audio.ts.
const { max, min, round } = Math;

export function promptSound(language: string, prompt: string): Int16Array {
  return readWav(join(shippedSounds, language, `${prompt}.wav`));
}

/** `part` laid over `samples` from `atMs` on, at `gain` times its volume; what reaches beyond the end is left out. */
export function mixed(samples: Int16Array, part: Int16Array, atMs: number, gain: number): Int16Array {
  const result = samples.slice();
  const start = round((atMs * sampleRate) / 1000);
  for (let index = 0; index < part.length && start + index < result.length; index += 1) {
    result[start + index] = (result[start + index] ?? 0) + round(gain * (part[index] ?? 0));
  }

  return result;
}

const heardPieceMs = 250;
const heardLikeness = 0.9;
/** How much later or earlier than its place a piece may lie: a busy Asterisk makes short pauses inside a sentence. */
const driftMs = 1000;

/** Which part of `prompt` was heard, 0 to 1, piece by piece and each in its place, and from when on. */
export function heardPart(samples: Int16Array, prompt: Int16Array): { share: number; atMs: number } {
  const { atMs } = similarity(samples, prompt);
  const inSamples = (ms: number): number => Math.max(0, Math.round((ms * sampleRate) / 1000));
  const length = inSamples(heardPieceMs);
  let [pieces, found] = [0, 0];
  for (let start = 0; start + length <= prompt.length; start += length) {
    const placeMs = atMs + (start * 1000) / sampleRate;
    const piece = prompt.subarray(start, start + length);
    // Silence is like nothing, so it proves nothing.
    if (rms(piece) < 100) continue;
    pieces += 1;
    const around = samples.subarray(inSamples(placeMs - driftMs), inSamples(placeMs + heardPieceMs + driftMs));
    // Most pieces lie in their very place, where they need not be searched for.
    const isInPlace = likenessAt(samples, piece, inSamples(placeMs)) > heardLikeness;
    if (isInPlace || similarity(around, piece).value > heardLikeness) found += 1;
  }

  return { share: found / pieces, atMs };
}

/** Length of the pieces that a prompt is looked for in: a leak of this length is found, wherever in the prompt it is. */
const pieceMs = 600;

/**
 * How much the best piece of `prompt` is like something in `samples`, 0 to 1, when tones of `tonesHz` are taken out of both.
 * Tones alone give less than 0.25; a prompt under them at a quarter of its volume gives more than 0.5.
 */
export function tracesOf(prompt: Int16Array, samples: Int16Array, tonesHz: readonly number[]): number {
  const [sought, heard] = [withoutTones(prompt, tonesHz), withoutTones(samples, tonesHz)];
  const length = (pieceMs * sampleRate) / 1000;
  let best = 0;
  for (let start = 0; start + length <= sought.length; start += length) {
    best = Math.max(best, similarity(heard, sought.subarray(start, start + length)).value);
  }

  return best;
}

/** One recording is searched for several prompts, one after the other. */
const filtered = new WeakMap<Int16Array, { readonly tones: string; readonly samples: Int16Array }>();

function withoutTones(samples: Int16Array, tonesHz: readonly number[]): Int16Array {
  const tones = tonesHz.join();
  const known = filtered.get(samples);
  if (known?.tones === tones) return known.samples;
  const current = new Float64Array(samples);
  for (const hz of tonesHz) takeOut(hz, current);
  const result = new Int16Array(current.length);
  for (let index = 0; index < result.length; index += 1) {
    result[index] = max(-32768, min(32767, round(current[index] ?? 0)));
  }
  filtered.set(samples, { tones, samples: result });

  return result;
}

/** A notch about 50 Hz wide at the tone: zeros on the unit circle, poles just inside it. */
function takeOut(hz: number, samples: Float64Array): void {
  const radius = 0.98;
  const turn = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
  let [input1, input2, output1, output2] = [0, 0, 0, 0];
  for (let index = 0; index < samples.length; index += 1) {
    const input = samples[index] ?? 0;
    const output = input - turn * input1 + input2 + turn * radius * output1 - radius * radius * output2;
    input2 = input1;
    input1 = input;
    output2 = output1;
    output1 = output;
    samples[index] = output;
  }
}

const burstWindowMs = 20;
/** Half of the pause between two bursts of half a second is no pause but a hole, as a busy machine tears them. */
const holeMs = 250;

/** Bursts of a tone, with the holes in them closed. */
export function burstsOf(samples: Int16Array, hz: number): Span[] {
  const whole: Span[] = [];
  for (const span of tonePresence(samples, hz, { windowMs: burstWindowMs })) {
    const last = whole.at(-1);
    if (last !== undefined && span.startMs - last.endMs < holeMs) {
      whole[whole.length - 1] = { startMs: last.startMs, endMs: span.endMs };
    } else whole.push(span);
  }

  return whole;
}

/**
 * What the first sound of a destination may lack in a bridge recording, ms. Its packet, Asterisk's event, Préavis's request and the recorder's
 * start each wait for a busy processor, and the lab calls a packet that is 60 ms late on time. In slowProduct.test.ts 400 ms are found.
 */
export const firstSoundLackMs = 200;

/** How long a burst was there; 0 for none. The measure gives a whole one a window more than it lasts. */
export function lastedMs(burst: Span | undefined): number {
  return burst === undefined ? 0 : burst.endMs - burst.startMs - burstWindowMs;
}

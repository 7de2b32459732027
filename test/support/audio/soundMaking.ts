/** Sounds for tests and measurements, all at 8 kHz, 16 bit. */
import { rms, sampleRate } from './audio.ts';

// In Jest a module looks each global up through the sandbox, which for every sample takes longer than the sound.
const { abs, clz32, exp, floor, imul, log10, max, min, PI, round, sin } = Math;

export const samplesOf = (ms: number): number => round((ms * sampleRate) / 1000);

/** Numbers from 0 to 1 that are the same in every run. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const silence = (ms: number): Int16Array => new Int16Array(samplesOf(ms));

export function noise(ms: number, amplitude: number, seed = 1): Int16Array {
  const random = makeRandom(seed);
  return silence(ms).map(() => (2 * random() - 1) * amplitude);
}

/** Several tones at once; each `amplitude`. */
export function tones(ms: number, frequencies: readonly number[], amplitude: number): Int16Array {
  return silence(ms).map((_, index) =>
    frequencies.reduce((sum, hz) => sum + amplitude * sin((2 * PI * hz * index) / sampleRate), 0),
  );
}

/** Chords of four notes with overtones, each struck and dying away: what music on hold is like. */
export function music(ms: number, amplitude: number, seed = 1): Int16Array {
  const random = makeRandom(seed);
  const result = silence(ms);
  const beat = samplesOf(400);
  for (let start = 0; start < result.length; start += beat) {
    const notes = Array.from({ length: 4 }, () => 220 * 2 ** (floor(random() * 24) / 12));
    const end = min(result.length, start + beat);
    for (let index = start; index < end; index += 1) {
      const fade = exp((-3 * (index - start)) / beat);
      let sum = 0;
      for (const hz of notes) {
        const phase = (2 * PI * hz * index) / sampleRate;
        sum += sin(phase) + 0.5 * sin(2 * phase) + 0.25 * sin(3 * phase);
      }
      result[index] = (sum * fade * amplitude) / 4;
    }
  }
  return result;
}

export function join(...parts: readonly Int16Array[]): Int16Array {
  const result = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function scale(samples: Int16Array, decibels: number): Int16Array {
  const gain = 10 ** (decibels / 20);
  return samples.map((sample) => clamp(sample * gain));
}

/** As loud as `reference`, and then `decibels` more. */
export function levelled(samples: Int16Array, reference: Int16Array, decibels: number): Int16Array {
  return scale(samples, decibels + 20 * log10(rms(reference) / rms(samples)));
}

/** `over` is laid over `base` from `atMs` on; both keep their volume. */
export function mix(base: Int16Array, over: Int16Array, atMs: number): Int16Array {
  const result = base.slice();
  const start = samplesOf(atMs);
  for (let index = 0; index < over.length && start + index < result.length; index += 1) {
    result[start + index] = clamp((result[start + index] ?? 0) + (over[index] ?? 0));
  }
  return result;
}

export function cut(samples: Int16Array, fromMs: number, toMs: number): Int16Array {
  return samples.slice(samplesOf(fromMs), samplesOf(toMs));
}

/** As heard by a clock that is faster by `ppm` and begins `fraction` of a sample later. */
export function drift(samples: Int16Array, ppm: number, fraction = 0): Int16Array {
  const length = floor(samples.length / (1 + ppm / 1e6)) - 1;
  return Int16Array.from({ length }, (_, index) => {
    const position = index * (1 + ppm / 1e6) + fraction;
    const before = floor(position);
    const part = position - before;
    return (1 - part) * (samples[before] ?? 0) + part * (samples[before + 1] ?? 0);
  });
}

/** Through ITU-T G.711 A-law and back. */
export function aLaw(samples: Int16Array): Int16Array {
  return samples.map((sample) => {
    const magnitude = min(32_767, abs(sample));
    // 16 steps in each octave above 512, steps of 16 below.
    const shift = max(4, 31 - clz32(magnitude) - 4);
    const decoded = ((magnitude >> shift) << shift) + (1 << (shift - 1));
    return sample < 0 ? -decoded : decoded;
  });
}

const clamp = (value: number): number => max(-32_768, min(32_767, round(value)));

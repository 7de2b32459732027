/** Looks inside sound: which tones, when, and whether a given prompt is in it. All at 8 kHz, 16 bit. */
import { readFileSync, writeFileSync } from 'node:fs';
import FFT from 'fft.js';
import wavefile from 'wavefile';

export const sampleRate = 8000;

// In a test run it takes long to reach a global, and here they are reached for each sample.
const { abs, sqrt, min, max, round, cos, PI } = Math;

export type Span = { readonly startMs: number; readonly endMs: number };

/** The samples of a mono WAV; one of another rate is an error, because every time would be wrong. */
export function readWav(file: string | Buffer): Int16Array {
  const wav = new wavefile.WaveFile(typeof file === 'string' ? readFileSync(file) : file);
  const format = wav.fmt as { sampleRate: number; numChannels: number };
  if (format.numChannels !== 1 || format.sampleRate !== sampleRate) {
    throw new Error(
      `${typeof file === 'string' ? file : 'a WAV'}: ${format.numChannels} channels at ${format.sampleRate} Hz`,
    );
  }
  if (wav.bitDepth !== '16') wav.toBitDepth('16');
  // As they lie in the file; the library's own way out takes a hundred times as long.
  const { samples } = wav.data as { samples: Uint8Array };
  const bytes = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  return Int16Array.from({ length: samples.byteLength >> 1 }, (_, index) => bytes.getInt16(2 * index, true));
}

export function writeWav(file: string, samples: Int16Array): void {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, sampleRate, '16', samples);
  writeFileSync(file, wav.toBuffer());
}

export type ToneOptions = {
  /** Resolution in frequency is 1000 / windowMs Hz. */
  windowMs?: number;
  /** The tone's part of the window's energy from which on it counts: 1 is a pure tone, 0.5 each of two equal ones. */
  share?: number;
  /** A window with a lower RMS is silence. */
  silenceRms?: number;
};

/** The spans in which a tone of `hz` is there, found by Goertzel's filter; windows follow each other by half their length. */
export function tonePresence(samples: Int16Array, hz: number, options: ToneOptions = {}): Span[] {
  const { windowMs = 40, share = 0.15, silenceRms = 50 } = options;
  const length = round((windowMs * sampleRate) / 1000);
  const step = max(1, length >> 1);
  const spans: { startMs: number; endMs: number }[] = [];
  for (let start = 0; start + length <= samples.length; start += step) {
    const window = samples.subarray(start, start + length);
    if (rms(window) < silenceRms || toneShare(window, hz) < share) continue;
    const startMs = (start / sampleRate) * 1000;
    const endMs = ((start + length) / sampleRate) * 1000;
    const last = spans.at(-1);
    if (last && startMs <= last.endMs) last.endMs = endMs;
    else spans.push({ startMs, endMs });
  }
  return spans;
}

/** For how much of it, in all, a tone of `hz` is there, ms. */
export function presentMs(samples: Int16Array, hz: number, options: ToneOptions = {}): number {
  return tonePresence(samples, hz, options).reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

/** The part of the energy that lies at `hz`, 0 to 1. */
export function toneShare(samples: Int16Array, hz: number): number {
  const coefficient = 2 * cos((2 * PI * hz) / sampleRate);
  let [previous, beforeThat, energy] = [0, 0, 0];
  for (const sample of samples) {
    const current = sample + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat;
  return min(1, (2 * power) / (samples.length * energy));
}

export function rms(samples: Int16Array): number {
  if (samples.length === 0) return 0;
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return sqrt(energy / samples.length);
}

export type Similarity = {
  /** The highest normalised cross-correlation, 0 to 1. */
  readonly value: number;
  /** Where the prompt begins there. */
  readonly atMs: number;
};

/**
 * Whether and where `prompt` is in `samples`: the cross-correlation at every offset, divided by the energy of the prompt and of
 * the samples under it. 1 is the prompt alone at any volume; other sound over it lowers the value.
 */
export function similarity(samples: Int16Array, prompt: Int16Array): Similarity {
  if (prompt.length === 0 || samples.length < prompt.length) return { value: 0, atMs: 0 };
  const correlation = crossCorrelation(samples, prompt);
  const promptEnergy = energyOf(prompt);
  let windowEnergy = energyOf(samples.subarray(0, prompt.length));
  const loudest = promptEnergy === 0 ? 0 : 1;
  // Windows of (nearly) nothing would divide by nothing.
  const floor = prompt.length * 100;
  let best = { value: 0, offset: 0 };
  for (let offset = 0; offset + prompt.length <= samples.length; offset += 1) {
    if (windowEnergy > floor) {
      const value = loudest * (abs(correlation[offset] ?? 0) / sqrt(promptEnergy * windowEnergy || 1));
      if (value > best.value) best = { value, offset };
    }
    const leaving = samples[offset] ?? 0;
    const entering = samples[offset + prompt.length] ?? 0;
    windowEnergy += entering * entering - leaving * leaving;
  }
  return { value: min(1, best.value), atMs: (best.offset / sampleRate) * 1000 };
}

function energyOf(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return energy;
}

function crossCorrelation(samples: Int16Array, prompt: Int16Array): Float64Array {
  const size = 2 ** Math.ceil(Math.log2(samples.length + prompt.length));
  const fft = fftOf(size);
  const [long, short] = [spectrumOf(size, samples), spectrumOf(size, prompt)];
  const product = new Float64Array(2 * size);
  for (let index = 0; index < product.length; index += 2) {
    const [a, b, c, d] = [long[index] ?? 0, long[index + 1] ?? 0, short[index] ?? 0, short[index + 1] ?? 0];
    product[index] = a * c + b * d;
    product[index + 1] = b * c - a * d;
  }
  const result = new Float64Array(2 * size);
  fft.inverseTransform(result, product);
  return Float64Array.from({ length: samples.length }, (_, index) => result[2 * index] ?? 0);
}

const ffts = new Map<number, FFT>();

/** Its tables take longer to make than a transform takes. */
function fftOf(size: number): FFT {
  const made = ffts.get(size) ?? new FFT(size);
  ffts.set(size, made);
  return made;
}

/** The last one of each sound: one sound is searched for many prompts, one after the other. */
const spectra = new WeakMap<Int16Array, Float64Array>();

function spectrumOf(size: number, samples: Int16Array): Float64Array {
  const known = spectra.get(samples);
  if (known?.length === 2 * size) return known;
  const padded = new Float64Array(size);
  padded.set(samples);
  const spectrum = new Float64Array(2 * size);
  const fft = fftOf(size);
  fft.realTransform(spectrum, padded);
  fft.completeSpectrum(spectrum);
  spectra.set(samples, spectrum);
  return spectrum;
}

/** Looks inside sound: which tones, when, and whether a given prompt is in it. All at 8 kHz, 16 bit. */
import { readFileSync, writeFileSync } from 'node:fs';
import wavefile from 'wavefile';
import { crossCorrelation } from './crossCorrelation.ts';

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
  // As they lie in the file and in this machine's memory; the library's own way out takes a hundred times as long.
  const { samples } = wav.data as { samples: Uint8Array };
  return new Int16Array(new Uint8Array(samples).buffer, 0, samples.length >> 1);
}

/** The samples of each channel of a WAV, and its rate, Hz. */
export function readChannels(file: string): { rate: number; channels: readonly Int16Array[] } {
  const wav = new wavefile.WaveFile(readFileSync(file));
  const { sampleRate: rate, numChannels } = wav.fmt as { sampleRate: number; numChannels: number };
  const { samples: bytes } = wav.data as { samples: Uint8Array };
  const samples = new Int16Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 1);
  const count = Math.floor(samples.length / numChannels);
  const channelAt = (channel: number): Int16Array =>
    Int16Array.from({ length: count }, (_none, frame) => samples[frame * numChannels + channel] ?? 0);

  return { rate, channels: Array.from({ length: numChannels }, (_none, channel) => channelAt(channel)) };
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
    if (rms(window) < silenceRms || isCutOff(window) || toneShare(window, hz) < share) continue;
    const startMs = (start / sampleRate) * 1000;
    const endMs = ((start + length) / sampleRate) * 1000;
    const last = spans.at(-1);
    if (last && startMs <= last.endMs) last.endMs = endMs;
    else spans.push({ startMs, endMs });
  }
  return spans;
}

/** Fewer samples tell no frequency, whatever they hold: 2.5 ms are as wide as 400 Hz. */
const leastSamples = 20;

/** The least that a-law can say, which is its silence (G.711). */
const leastOfALaw = 8;

/** Whether all is digital silence but for a rest of what was there before, or for the beginning of what comes, where sound was cut off or put out. */
function isCutOff(window: Int16Array): boolean {
  const isSound = (sample: number): boolean => abs(sample) > leastOfALaw;
  const first = window.findIndex(isSound);
  const last = window.findLastIndex(isSound);

  return last - first < min(leastSamples, window.length) - 1;
}

/** For how much of it, in all, a tone of `hz` is there, ms. */
export function presentMs(samples: Int16Array, hz: number, options: ToneOptions = {}): number {
  return tonePresence(samples, hz, options).reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

/** The part of the energy that lies at `hz`, 0 to 1. */
export function toneShare(samples: Int16Array, hz: number): number {
  const coefficient = 2 * cos((2 * PI * hz) / sampleRate);
  let [previous, beforeThat] = [0, 0];
  const { length } = samples;
  // By number: an iterator takes longer than the sum.
  for (let index = 0; index < length; index += 1) {
    const current = (samples[index] ?? 0) + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
  }
  const energy = energyOf(samples);
  if (energy === 0) return 0;
  const power = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat;
  return min(1, (2 * power) / (length * energy));
}

export function rms(samples: Int16Array): number {
  return samples.length === 0 ? 0 : sqrt(energyOf(samples) / samples.length);
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
  const promptEnergy = energyOf(prompt);
  if (promptEnergy === 0 || samples.length < prompt.length) return { value: 0, atMs: 0 };
  const correlation = crossCorrelation(samples, prompt);
  let windowEnergy = energyOf(samples.subarray(0, prompt.length));
  const floor = leastEnergy(prompt);
  // Squares are compared, as a root for each offset takes longer than all else here.
  let best = { square: 0, offset: 0 };
  for (let offset = 0; offset < correlation.length; offset += 1) {
    if (windowEnergy > floor) {
      const product = correlation[offset] ?? 0;
      if (product * product > best.square * windowEnergy) best = { square: (product * product) / windowEnergy, offset };
    }
    const leaving = samples[offset] ?? 0;
    const entering = samples[offset + prompt.length] ?? 0;
    windowEnergy += entering * entering - leaving * leaving;
  }
  return { value: min(1, sqrt(best.square / promptEnergy)), atMs: (best.offset / sampleRate) * 1000 };
}

/** What `similarity` is at this one offset. */
export function likenessAt(samples: Int16Array, prompt: Int16Array, offset: number): number {
  const under = samples.subarray(offset, offset + prompt.length);
  const [promptEnergy, windowEnergy] = [energyOf(prompt), energyOf(under)];
  if (promptEnergy === 0 || under.length < prompt.length || windowEnergy <= leastEnergy(prompt)) return 0;
  let product = 0;
  for (let index = 0; index < prompt.length; index += 1) product += (prompt[index] ?? 0) * (under[index] ?? 0);
  return min(1, abs(product) / sqrt(promptEnergy * windowEnergy));
}

/** Of the samples under a prompt: (nearly) nothing would be divided by nothing. */
const leastEnergy = (prompt: Int16Array): number => prompt.length * 100;

function energyOf(samples: Int16Array): number {
  let energy = 0;
  const { length } = samples;
  for (let index = 0; index < length; index += 1) {
    const sample = samples[index] ?? 0;
    energy += sample * sample;
  }

  return energy;
}

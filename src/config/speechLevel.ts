import type { Sound } from './promptSound.ts';

const fullScale = 32768;
const decibels = (power: number): number => 10 * Math.log10(power);

/**
 * Active speech level in dBov (0 dBov: the power of a full-scale square wave), after ITU-T P.56 method B, so that pauses
 * do not count; measured above 300 Hz as RFC 7874 asks. -Infinity for silence.
 */
export function activeSpeechLevel(sound: Sound): number {
  const samples = highPass(sound, 300);
  const keep = Math.exp(-1 / (sound.rate * 0.03));
  const hangover = Math.round(sound.rate * 0.2);
  const margin = 15.9;
  const steps = 15;
  const envelope = new Float64Array(samples.length);
  let energy = 0;
  let smooth = 0;
  let smoother = 0;
  samples.forEach((sample, index) => {
    energy += sample * sample;
    smooth = keep * smooth + (1 - keep) * (sample < 0 ? -sample : sample);
    smoother = keep * smoother + (1 - keep) * smooth;
    envelope[index] = smoother;
  });
  // The threshold that lies `margin` dB below the level of what it counts as speech; between two steps, interpolate.
  let above: { level: number; distance: number } | undefined;
  for (let step = 0; step < steps; step += 1) {
    const count = countActive(envelope, 2 ** -(step + 1), hangover);
    if (count === 0) continue;
    const level = decibels(energy / count);
    const distance = level - decibels(4 ** -(step + 1)) - margin;
    if (distance >= 0) {
      if (above === undefined) return level;
      const share = -above.distance / (distance - above.distance);
      return above.level + share * (level - above.level);
    }
    above = { level, distance };
  }
  return above?.level ?? -Infinity;
}

/** How many samples are above the threshold, or were so within the last `hangover` samples. */
function countActive(envelope: Float64Array, threshold: number, hangover: number): number {
  let count = 0;
  let quietFor = hangover;
  for (const value of envelope) {
    quietFor = value >= threshold ? 0 : quietFor + 1;
    if (quietFor <= hangover) count += 1;
  }
  return count;
}

/** Highest sample in dBFS (0 dBFS: the largest 16-bit value); -Infinity for digital silence. */
export function peakLevel(sound: Sound): number {
  let peak = 0;
  for (const sample of sound.samples) {
    const size = sample < 0 ? -sample : sample;
    if (size > peak) peak = size;
  }
  return 2 * decibels(peak / fullScale);
}

/** Where speech begins and ends, in samples: the first and last 5 ms louder than 30 dB below the active level. */
export function speechSpan(sound: Sound, level = activeSpeechLevel(sound)): { from: number; to: number } | undefined {
  const frame = Math.round(sound.rate * 0.005);
  const loudness = envelopeOf(sound, frame);
  const isSpeech = (rms: number): boolean => 2 * decibels(rms) > level - 30;
  const first = loudness.findIndex(isSpeech);
  if (first < 0) return undefined;
  return { from: first * frame, to: Math.min(sound.samples.length, (loudness.findLastIndex(isSpeech) + 1) * frame) };
}

/**
 * How alike the loudness of two sounds runs, in steps of 20 ms: 1 the same speech, about 0 unrelated speech. The codec
 * and the bandwidth hardly matter.
 */
export function speechLikeness(one: Sound, other: Sound): number {
  const a = envelopeOf(one, Math.round(one.rate * 0.02));
  const b = envelopeOf(other, Math.round(other.rate * 0.02));
  const length = Math.min(a.length, b.length);
  if (length === 0) return 0;
  const mean = (list: number[]): number => list.slice(0, length).reduce((sum, value) => sum + value, 0) / length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, onlyA, onlyB] = [0, 0, 0];
  for (let index = 0; index < length; index += 1) {
    const [x, y] = [(a[index] ?? 0) - meanA, (b[index] ?? 0) - meanB];
    both += x * y;
    onlyA += x * x;
    onlyB += y * y;
  }
  return onlyA === 0 || onlyB === 0 ? 0 : both / Math.sqrt(onlyA * onlyB);
}

/** RMS (1: full scale) of each stretch of `frame` samples. */
function envelopeOf(sound: Sound, frame: number): number[] {
  const result: number[] = [];
  for (let start = 0; start < sound.samples.length; start += frame) {
    const part = sound.samples.subarray(start, start + frame);
    let sum = 0;
    for (const sample of part) sum += sample * sample;
    result.push(Math.sqrt(sum / part.length) / fullScale);
  }
  return result;
}

/** Second-order Butterworth high-pass; samples come back with 1 as full scale. */
function highPass(sound: Sound, cutoffHz: number): Float64Array {
  const tangent = Math.tan((Math.PI * cutoffHz) / sound.rate);
  const scale = 1 / (1 + Math.SQRT2 * tangent + tangent * tangent);
  const a1 = 2 * (tangent * tangent - 1) * scale;
  const a2 = (1 - Math.SQRT2 * tangent + tangent * tangent) * scale;
  let x1 = 0;
  let x2 = 0;
  let y1 = 0;
  let y2 = 0;
  const filtered = new Float64Array(sound.samples.length);
  sound.samples.forEach((sample, index) => {
    const x = sample / fullScale;
    const y = scale * (x - 2 * x1 + x2) - a1 * y1 - a2 * y2;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    filtered[index] = y;
  });

  return filtered;
}

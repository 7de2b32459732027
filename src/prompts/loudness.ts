import type { Sound } from './soundFile.ts';

const fullScale = 32768;
const decibels = (power: number): number => 10 * Math.log10(power);

/**
 * Active speech level in dBov (0 dBov: the power of a full-scale square wave), after ITU-T P.56 method B, so that pauses
 * do not count; measured above 300 Hz as RFC 7874 asks. -Infinity for silence.
 */
export function activeSpeechLevel(sound: Sound): number {
  const margin = 15.9;
  const hangover = Math.round(sound.rate * 0.2);
  const { energy, envelope } = speechEnergy(sound);
  const counts = countActive(envelope, hangover);
  // The threshold that lies `margin` dB below the level of what it counts as speech; between two steps, interpolate.
  let above: { level: number; distance: number } | undefined;
  for (const [step, threshold] of thresholds.entries()) {
    const count = counts[step] ?? 0;
    if (count === 0) continue;
    const level = decibels(energy / count);
    const distance = level - decibels(threshold * threshold) - margin;
    if (distance >= 0) {
      if (above === undefined) return level;
      const share = -above.distance / (distance - above.distance);
      return above.level + share * (level - above.level);
    }
    above = { level, distance };
  }
  return above?.level ?? -Infinity;
}

/** Envelopes above which a sample is active, the highest first. */
const thresholds = Float64Array.from({ length: 15 }, (_, step) => 2 ** -(step + 1));

/**
 * For each threshold: how many samples are above it, or were so within the last `hangover` samples. In one pass, since the lowest step
 * that was reached lately says it of all.
 */
function countActive(envelope: Float64Array, hangover: number): number[] {
  const steps = thresholds.length;
  const counts = new Array<number>(steps + 1).fill(0);
  const lastReached = new Int32Array(steps + 1).fill(-hangover - 1);
  let reached = steps;
  let lately = steps;
  for (let index = 0; index < envelope.length; index += 1) {
    const value = envelope[index] ?? 0;
    while (reached > 0 && value >= (thresholds[reached - 1] ?? 0)) reached -= 1;
    while (reached < steps && value < (thresholds[reached] ?? 0)) reached += 1;
    lastReached[reached] = index;
    if (reached < lately) lately = reached;
    while (lately < steps && (lastReached[lately] ?? 0) < index - hangover) lately += 1;
    counts[lately] = (counts[lately] ?? 0) + 1;
  }
  for (let step = 1; step < steps; step += 1) counts[step] = (counts[step] ?? 0) + (counts[step - 1] ?? 0);

  return counts.slice(0, steps);
}

/** Highest sample in dBFS (0 dBFS: the largest 16-bit value); -Infinity for digital silence. */
export function peakLevel({ samples }: Sound): number {
  let peak = 0;
  for (const sample of samples) {
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
function envelopeOf({ samples }: Sound, frame: number): number[] {
  const result: number[] = [];
  for (let start = 0; start < samples.length; start += frame) {
    const end = Math.min(start + frame, samples.length);
    let sum = 0;
    for (let index = start; index < end; index += 1) {
      const sample = samples[index] ?? 0;
      sum += sample * sample;
    }
    result.push(Math.sqrt(sum / (end - start)) / fullScale);
  }
  return result;
}

/** Behind a second-order Butterworth high-pass at 300 Hz, with 1 as full scale: the energy, and at each sample the envelope of P.56. */
function speechEnergy({ rate, samples }: Sound): { energy: number; envelope: Float64Array } {
  const tangent = Math.tan((Math.PI * 300) / rate);
  const scale = 1 / (1 + Math.SQRT2 * tangent + tangent * tangent);
  const a1 = 2 * (tangent * tangent - 1) * scale;
  const a2 = (1 - Math.SQRT2 * tangent + tangent * tangent) * scale;
  const keep = Math.exp(-1 / (rate * 0.03));
  const envelope = new Float64Array(samples.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  let energy = 0;
  let smooth = 0;
  let smoother = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const x = (samples[index] ?? 0) / fullScale;
    const y = scale * (x - 2 * x1 + x2) - a1 * y1 - a2 * y2;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    energy += y * y;
    smooth = keep * smooth + (1 - keep) * (y < 0 ? -y : y);
    smoother = keep * smoother + (1 - keep) * smooth;
    envelope[index] = smoother;
  }

  return { energy, envelope };
}

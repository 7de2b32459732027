/**
 * The sign of a band of sound, -1 or 1 at every sample and 0 where there is none, pre-emphasised so that no part of the
 * band outweighs the others. It is the same for loud and quiet sound and needs no level, and what two signals have in
 * common survives in it.
 */

type Band = { lowHz: number; highHz: number; hz: number; taps: number; emphasis: number };

/** Samples at 8000 Hz in, signs at 2000 Hz out: cheap to compare, and hardly touched by a drifting clock. */
export const coarseStep = 4;
const coarse: Band = { lowHz: 300, highHz: 950, hz: 4_000, taps: 31, emphasis: 0.7 };

/** 8000 Hz in and out, the band of a telephone. */
const fine: Band = { lowHz: 300, highHz: 3_400, hz: 8_000, taps: 31, emphasis: 0.9 };

/** How many samples before and after a position are looked at. */
export const signReach = 64;

/** Sound below half a quantisation step is none. */
const deadZone = 0.5;

/** Writes `signs[from]` to the end; `signs[0]` belongs to `samples[offset]`. `samples` reaches `signReach` beyond both ends. */
export function coarseSignBits(samples: Int16Array, offset: number, signs: Float32Array, from = 0): void {
  // First to 4000 Hz; one sign more, because the first is emphasised against the one before it.
  const lead = (coarse.taps - 1) / 2 + 2;
  const halved = new Float32Array(2 * (signs.length - from) + 2 * lead);
  for (let index = 0, at = offset + from * coarseStep - 2 * lead; index < halved.length; index += 1, at += 2) {
    halved[index] = 0.25 * ((samples[at - 1] ?? 0) + (samples[at + 1] ?? 0)) + 0.5 * (samples[at] ?? 0);
  }
  let last = filter(coarseFilter, halved, lead - 2);
  for (let index = from, at = lead; index < signs.length; index += 1, at += 2) {
    const value = filter(coarseFilter, halved, at);
    signs[index] = signOf(value - coarse.emphasis * last);
    last = value;
  }
}

/** As coarseSigns, at the rate of the samples. */
export function fineSignBits(samples: Int16Array, offset: number, signs: Int8Array): void {
  let last = filter(fineFilter, samples, offset - 1);
  for (let index = 0; index < signs.length; index += 1) {
    const value = filter(fineFilter, samples, offset + index);
    signs[index] = signOf(value - fine.emphasis * last);
    last = value;
  }
}

function signOf(value: number): number {
  return value > deadZone ? 1 : value < -deadZone ? -1 : 0;
}

/** The middle of a symmetric filter and what follows. */
function bandPass({ lowHz, highHz, hz, taps }: Band): Float64Array {
  const middle = (taps - 1) / 2;
  const low = lowHz / hz;
  const high = highHz / hz;
  return Float64Array.from({ length: middle + 1 }, (_, index) => {
    const hamming = 0.54 + 0.46 * Math.cos((Math.PI * index) / middle);
    if (index === 0) return 2 * (high - low) * hamming;
    const angle = 2 * Math.PI * index;
    return (2 * hamming * (Math.sin(angle * high) - Math.sin(angle * low))) / angle;
  });
}

const coarseFilter = bandPass(coarse);
const fineFilter = bandPass(fine);

function filter(half: Float64Array, samples: Int16Array | Float32Array, at: number): number {
  let sum = (half[0] ?? 0) * (samples[at] ?? 0);
  for (let index = 1; index < half.length; index += 1) {
    sum += (half[index] ?? 0) * ((samples[at - index] ?? 0) + (samples[at + index] ?? 0));
  }
  return sum;
}

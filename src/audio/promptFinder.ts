/**
 * Looks for prompts inside a recording, whole or in part, alone or under other speech, in one pass and bounded memory.
 *
 * Coarse: each prompt in pieces of 2 s is correlated with every position of the recording (overlap-save FFT at 2000 Hz);
 * where they are a little alike is a candidate. Fine: at each candidate the whole prompt is laid over the recording at
 * 8000 Hz and compared in windows of 250 ms, each moved by as much as two clocks may have drifted. Two sentences of one
 * voice may share words, which make a few windows very alike; the same sentence makes all of them a little alike, even
 * under louder sound. So what counts is how many windows in a row are alike (`rules`).
 */
import { compare, leastSound, makeFineView, rules } from './promptMatch.ts';
import { coarseSignBits, coarseStep, signReach } from './signBits.ts';
import {
  blockLength,
  complexBlock,
  countSound,
  fft,
  groupsOf,
  pieceLength,
  sampleRate,
  preparePrompt,
  windowLength,
  type Piece,
  type PlayedPrompt,
} from './preparedPrompt.ts';

export type PromptFound = {
  prompt: string;
  /** Where in the recording the recognised part begins. */
  atMs: number;
  /** Where in the prompt it begins. */
  promptFromMs: number;
  lengthMs: number;
  /** Mean over the part: 1 is the same signal, 0 has nothing in common. */
  likeness: number;
};

export type PromptFinder = {
  /** How many prompts are long enough to be looked for: 1 s of sound. */
  searched: number;
  /** The next samples of the recording. */
  push(samples: Int16Array): void;
  /** After the last sample: for each prompt that is there, where it was first recognised. */
  end(): PromptFound[];
};

/** Of a coarse position; lower finds no more of what `rules` accepts, and costs time. */
const candidateLikeness = 0.15;

/** As `covered`, of a piece at a coarse position. */
const coarseCap = 0.6;
const coarseMean = 0.12;

const hop = blockLength - pieceLength;
/** Candidates of one piece lie at least this far apart. */
const apart = sampleRate / coarseStep / 20;

/** For what is done without a pause, whichever finder does it. */
const [spectrum, product, correlation] = [complexBlock(), complexBlock(), complexBlock()];
/** Of each position: what the correlation with a piece of one sign must reach. */
const limits = new Float32Array(hop);

/** `observe` sees the likeness of every window at every candidate, for measuring the thresholds. */
// eslint-disable-next-line max-lines-per-function -- Its steps share buffers that are made once, since they run for every window of sound.
export function makePromptFinder(
  played: readonly PlayedPrompt[],
  observe?: (prompt: string, profile: readonly number[]) => void,
): PromptFinder {
  const prompts = played.map(preparePrompt).filter(({ signs }) => signs.windows.length >= rules.clear.windows);
  const groups = groupsOf(prompts);
  const longest = Math.max(0, ...prompts.map(({ signs }) => signs.length));
  // On both sides of a block, so that a whole prompt can be laid over any position in it.
  const margin = coarseStep * Math.ceil((longest + windowLength + signReach) / coarseStep);
  const raw = new Int16Array(margin + blockLength * coarseStep + margin);
  const fine = makeFineView(raw);
  const coarse = new Float32Array(blockLength);
  const found = new Map<string, PromptFound>();

  // A piece of silence goes before the recording, so that a prompt cut by its beginning is seen.
  let filled = margin + pieceLength * coarseStep;
  let coarseFilled = 0;
  /** Where raw[0] lies in the recording. */
  let origin = -filled;
  let total = 0;

  function searchBlock(soundEnd: number): void {
    // What lies further from the last sound than any filter reaches has no sign.
    const signsEnd = Math.ceil((soundEnd + signReach - margin) / coarseStep);
    const to = Math.min(blockLength, Math.max(coarseFilled, signsEnd));
    coarseSignBits(raw, margin, coarse.subarray(0, to), coarseFilled);
    coarse.fill(0, to);
    if (!setLimits(limits, coarse)) return;
    fft.realTransform(spectrum, coarse);
    fft.completeSpectrum(spectrum);
    fine.forget();
    for (const { parts, kernel } of groups) {
      if (parts.flat().every(({ prompt }) => found.has(prompt.id))) continue;
      multiply(product, spectrum, kernel);
      fft.inverseTransform(correlation, product);
      parts.forEach((pieces, part) => {
        for (const at of candidates(correlation, part, limits, pieces)) {
          for (const piece of pieces) lookCloser(piece, at);
        }
      });
    }
  }

  function lookCloser(piece: Piece, at: number): void {
    const { id } = piece.prompt;
    if (found.has(id)) return;
    if (!isWorthIt(coarse, piece, at)) return;
    const match = compare(fine, piece, margin + (at - piece.start) * coarseStep, observe);
    if (match === undefined) return;
    found.set(id, {
      prompt: id,
      atMs: Math.max(0, toMs(origin + match.offset + match.from)),
      promptFromMs: toMs(match.from),
      lengthMs: toMs(match.to - match.from),
      likeness: Math.round(match.likeness * 1_000) / 1_000,
    });
  }

  /** `soundEnd`: in raw; what is behind it is 0. */
  function nextBlock(soundEnd: number): void {
    searchBlock(soundEnd);
    coarse.copyWithin(0, hop);
    coarseFilled = pieceLength;
    raw.copyWithin(0, hop * coarseStep);
    origin += hop * coarseStep;
    filled -= hop * coarseStep;
  }

  return {
    searched: prompts.length,
    push(samples) {
      if (prompts.length === 0) return;
      total += samples.length;
      for (let taken = 0; taken < samples.length;) {
        const part = samples.subarray(taken, taken + raw.length - filled);
        raw.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled === raw.length) nextBlock(raw.length);
      }
    },
    end() {
      let soundEnd = filled;
      while (prompts.length > 0 && origin + margin < total) {
        raw.fill(0, filled);
        filled = raw.length;
        nextBlock(soundEnd);
        soundEnd -= hop * coarseStep;
      }
      return [...found.values()].sort((one, other) => one.atMs - other.atMs);
    },
  };
}

function toMs(samples: number): number {
  return Math.round((samples * 1_000) / sampleRate);
}

function multiply(product: Float64Array, one: Float64Array, other: Float32Array): void {
  for (let index = 0; index < other.length; index += 2) {
    const a = one[index] ?? 0;
    const b = one[index + 1] ?? 0;
    const c = other[index] ?? 0;
    const d = other[index + 1] ?? 0;
    product[index] = a * c - b * d;
    product[index + 1] = a * d + b * c;
  }
}

/** False when there is not enough sound at any position. */
function setLimits(limits: Float32Array, coarse: Float32Array): boolean {
  const least = leastSound * pieceLength;
  let energy = countSound(coarse, 0, pieceLength);
  let isAny = false;
  for (let at = 0; at < hop; at += 1) {
    limits[at] = energy < least ? Infinity : candidateLikeness * Math.sqrt(energy);
    isAny ||= energy >= least;
    energy += (coarse[at + pieceLength] === 0 ? 0 : 1) - (coarse[at] === 0 ? 0 : 1);
  }
  return isAny;
}

/** The positions that are more alike to one of the pieces than those around, and enough. */
function candidates(correlation: Float64Array, part: number, limits: Float32Array, pieces: readonly Piece[]): number[] {
  if (pieces.length === 0) return [];
  const pieceNorm = Math.sqrt(Math.min(...pieces.map(({ energy }) => energy)));
  const found: number[] = [];
  let last = -Infinity;
  let lastValue = 0;
  for (let at = 0; at < hop; at += 1) {
    const value = correlation[2 * at + part] ?? 0;
    const limit = (limits[at] ?? 0) * pieceNorm;
    if (value < limit) continue;
    const likeness = value / limit;
    if (at - last > apart) found.push(at);
    else if (likeness > lastValue) found[found.length - 1] = at;
    else continue;
    last = at;
    lastValue = likeness;
  }
  return found;
}

/** Whether the likeness belongs to this piece, rather than to several by chance: cheaper to see here than by the fine signs. */
function isWorthIt(coarse: Float32Array, { signs, energy }: Piece, at: number): boolean {
  const length = windowLength / coarseStep;
  let sum = 0;
  for (let start = 0; start < pieceLength; start += length) {
    let [both, recording, prompt] = [0, 0, 0];
    for (let index = start; index < start + length; index += 1) {
      const [one, other] = [coarse[at + index] ?? 0, signs[index] ?? 0];
      both += one * other;
      recording += one * one;
      prompt += other * other;
    }
    if (recording >= leastSound * length && prompt > 0) {
      sum += (Math.min(coarseCap, both / Math.sqrt(recording * prompt)) * prompt) / energy;
    }
  }
  return sum >= coarseMean;
}

/**
 * Looks for prompts inside a recording, whole or in part, alone or under other speech, in one pass and bounded memory.
 *
 * Coarse: each prompt in pieces of 2 s is correlated with every position of the recording (overlap-save FFT at 2000 Hz);
 * where they are a little alike is a candidate. Fine: at each candidate the whole prompt is laid over the recording at
 * 8000 Hz and compared in windows of 250 ms, each moved by as much as two clocks may have drifted. Two sentences of one
 * voice may share words, which make a few windows very alike; the same sentence makes all of them a little alike, even
 * under louder sound. So what counts is how many windows in a row are alike (`rules`).
 */
import FFT from 'fft.js';
import { coarseSigns, coarseStep, fineSigns, signReach } from './signs.ts';

export const sampleRate = 8_000;

/** A prompt that was played: 8000 Hz, mono. */
export type PlayedPrompt = { id: string; samples: Int16Array };

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
  sought: number;
  /** The next samples of the recording. */
  push(samples: Int16Array): void;
  /** After the last sample: for each prompt that is there, where it was first recognised. */
  end(): PromptFound[];
};

/** Of a coarse position; lower finds no more of what `rules` accepts, and costs time. */
const candidateLikeness = 0.15;

/**
 * Measured with `npm run bench:likeness` (espeak-ng voices, whose same words are nearly the same sound; all after A-law):
 *
 *                                                     clear            covered
 *   38 min of other sentences of the same voices      up to 0.48       up to 0.13
 *   18 min of sentences with three words in a row
 *   of a prompt (there it really is in part)          up to 0.99       up to 0.20
 *   music, tones, noise                               no candidate
 *   any 1.25 s alone, clocks 50 ppm apart             0.62 and more
 *   6 dB under two talkers, clocks 100 ppm apart                       0.23 and more
 *   10 dB under two talkers, clocks 100 ppm apart                      0.21 and more
 *
 * Missed: two of 24 parts of 1.0 s (the windows lie on a grid), 7 of 24 prompts 13 dB under two talkers, 15 of 24 parts
 * of 2 s 3 dB under two talkers.
 */
export const rules = {
  /** A part alone or nearly so: every one of these windows in a row is at least so alike. */
  clear: { windows: 4, each: 0.55 },
  /** A long part under other sound: mean of these windows in a row, none of which counts for more than `cap`. */
  covered: { windows: 12, cap: 0.3, mean: 0.2 },
} as const;

/** As `covered`, of a piece at a coarse position. */
const coarseCap = 0.6;
const coarseMean = 0.12;

const pieceLength = (2 * sampleRate) / coarseStep;
const blockLength = 16_384;
const hop = blockLength - pieceLength;
const piecesPerPart = 2;
/** Candidates of one piece lie at least this far apart. */
const apart = sampleRate / coarseStep / 20;
/** A piece or window with less sound than this part of it says nothing. */
const leastSound = 0.15;

const windowLength = sampleRate / 4;
/** How far, in samples, a coarse position may be from the best one. */
const coarseSlack = 6;
const windowSlack = 2;
/** How much further from one window to the next: 125 ppm. */
const driftPerWindow = 0.25;

type Window = { start: number; energy: number };

type Sought = {
  id: string;
  length: number;
  fine: Int8Array;
  /** Those with enough sound, in order. */
  windows: Window[];
};

/** `start` is a coarse position in the prompt. */
type Piece = { prompt: Sought; start: number; signs: Float32Array; energy: number };
/**
 * Pieces that share a transform: those of the first part are added up in the real part of the kernel, those of the second
 * in the imaginary part. What is alike to one of them stands out of the sum nearly as well as alone.
 */
type Group = { parts: [Piece[], Piece[]]; kernel: Float64Array };

/** `observe` sees the likeness of every window at every candidate, for measuring the thresholds. */
export function makePromptFinder(
  played: readonly PlayedPrompt[],
  observe?: (prompt: string, profile: readonly number[]) => void,
): PromptFinder {
  const prompts = played.map(seek).filter(({ prompt }) => prompt.windows.length >= rules.clear.windows);
  const fft = new FFT(blockLength);
  const groups = groupUp(
    fft,
    prompts.flatMap(({ prompt, samples }) => piecesOf(prompt, samples)),
  );
  const longest = Math.max(0, ...prompts.map(({ prompt }) => prompt.length));
  // On both sides of a block, so that a whole prompt can be laid over any position in it.
  const margin = coarseStep * Math.ceil((longest + windowLength + signReach) / coarseStep);
  const raw = new Int16Array(margin + blockLength * coarseStep + margin);
  const fine = makeFineView(raw);
  const coarse = new Float32Array(blockLength);
  /** Of each position: what the correlation with a piece of one sign must reach. */
  const limits = new Float32Array(hop);
  const spectrum = fft.createComplexArray();
  const product = fft.createComplexArray();
  const correlation = fft.createComplexArray();
  const found = new Map<string, PromptFound>();

  // A piece of silence goes before the recording, so that a prompt cut by its beginning is seen.
  let filled = margin + pieceLength * coarseStep;
  let coarseFilled = 0;
  /** Where raw[0] lies in the recording. */
  let origin = -filled;
  let total = 0;

  function searchBlock(): void {
    coarseSigns(raw, margin, coarse, coarseFilled);
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

  function nextBlock(): void {
    searchBlock();
    coarse.copyWithin(0, hop);
    coarseFilled = pieceLength;
    raw.copyWithin(0, hop * coarseStep);
    origin += hop * coarseStep;
    filled -= hop * coarseStep;
  }

  return {
    sought: prompts.length,
    push(samples) {
      if (prompts.length === 0) return;
      total += samples.length;
      for (let taken = 0; taken < samples.length;) {
        const part = samples.subarray(taken, taken + raw.length - filled);
        raw.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled === raw.length) nextBlock();
      }
    },
    end() {
      while (prompts.length > 0 && origin + margin < total) {
        raw.fill(0, filled);
        filled = raw.length;
        nextBlock();
      }
      return [...found.values()].sort((one, other) => one.atMs - other.atMs);
    },
  };
}

function toMs(samples: number): number {
  return Math.round((samples * 1_000) / sampleRate);
}

function seek({ id, samples }: PlayedPrompt): { prompt: Sought; samples: Int16Array } {
  const padded = new Int16Array(signReach + samples.length + pieceLength * coarseStep + signReach);
  padded.set(samples, signReach);
  const fine = new Int8Array(samples.length);
  fineSigns(padded, signReach, fine);
  const windows: Window[] = [];
  for (let start = 0; start + windowLength <= fine.length; start += windowLength) {
    const energy = countSound(fine, start, start + windowLength);
    if (energy >= windowLength / 2) windows.push({ start, energy });
  }
  return { prompt: { id, length: samples.length, fine, windows }, samples: padded };
}

/** Pieces that cover the prompt from its first window with sound to its last; the last two may overlap. */
function piecesOf(prompt: Sought, padded: Int16Array): Piece[] {
  const from = Math.floor((prompt.windows[0]?.start ?? 0) / coarseStep);
  const to = Math.ceil(((prompt.windows.at(-1)?.start ?? 0) + windowLength) / coarseStep);
  const pieces: Piece[] = [];
  for (let start = from; ; start += pieceLength) {
    const fitting = Math.max(from, Math.min(start, to - pieceLength));
    const signs = new Float32Array(pieceLength);
    coarseSigns(padded, signReach + fitting * coarseStep, signs);
    pieces.push({ prompt, start: fitting, signs, energy: countSound(signs, 0, pieceLength) });
    if (start + pieceLength >= to) return pieces;
  }
}

function countSound(signs: Int8Array | Float32Array, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) if (signs[index] !== 0) count += 1;
  return count;
}

function groupUp(fft: FFT, pieces: readonly Piece[]): Group[] {
  const sum = new Float32Array(blockLength);
  const [first, second] = [fft.createComplexArray(), fft.createComplexArray()];
  const spectrumOf = (part: readonly Piece[], into: number[]): void => {
    sum.fill(0);
    for (const { signs } of part) signs.forEach((sign, index) => (sum[index] = (sum[index] ?? 0) + sign));
    fft.realTransform(into, sum);
    fft.completeSpectrum(into);
  };
  const groups: Group[] = [];
  for (let index = 0; index < pieces.length; index += 2 * piecesPerPart) {
    const middle = index + piecesPerPart;
    const parts: [Piece[], Piece[]] = [pieces.slice(index, middle), pieces.slice(middle, middle + piecesPerPart)];
    spectrumOf(parts[0], first);
    spectrumOf(parts[1], second);
    // conj(first) + i conj(second)
    const kernel = Float64Array.from(first, (value, position) =>
      position % 2 === 0 ? value + (second[position + 1] ?? 0) : (second[position - 1] ?? 0) - value,
    );
    groups.push({ parts, kernel });
  }
  return groups;
}

function multiply(product: number[], one: number[], other: Float64Array): void {
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
function candidates(correlation: number[], part: number, limits: Float32Array, pieces: readonly Piece[]): number[] {
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

type FineView = {
  /** The samples have changed. */
  forget(): void;
  /** How alike the recording from `at` on is to a window of a prompt; negative when opposite. */
  likeness(prompt: Sought, window: Window, at: number): number;
};

/** The signs of `raw`, made where they are asked for. */
function makeFineView(raw: Int16Array): FineView {
  const signs = new Int8Array(raw.length);
  const made = new Uint8Array(Math.ceil(raw.length / windowLength));

  function make(from: number, to: number): void {
    for (let part = Math.floor(from / windowLength); part * windowLength < to; part += 1) {
      if (made[part] === 1) continue;
      made[part] = 1;
      const start = Math.max(signReach, part * windowLength);
      const end = Math.min(raw.length - signReach, (part + 1) * windowLength);
      if (start < end) fineSigns(raw, start, signs.subarray(start, end));
    }
  }

  return {
    forget() {
      made.fill(0);
    },
    likeness({ fine }, { start, energy: promptEnergy }, at) {
      if (at < 0 || at + windowLength > raw.length) return 0;
      make(at, at + windowLength);
      let sum = 0;
      let energy = 0;
      for (let index = 0; index < windowLength; index += 1) {
        const sign = signs[at + index] ?? 0;
        sum += sign * (fine[start + index] ?? 0);
        energy += sign * sign;
      }
      return energy < leastSound * windowLength ? 0 : sum / Math.sqrt(energy * promptEnergy);
    },
  };
}

type Match = { offset: number; from: number; to: number; likeness: number };

/** Lays the whole prompt over the recording so that it begins near `offset`. */
function compare(
  view: FineView,
  piece: Piece,
  offset: number,
  observe: ((prompt: string, profile: readonly number[]) => void) | undefined,
): Match | undefined {
  const { prompt } = piece;
  const pieceFrom = piece.start * coarseStep;
  const pieceTo = pieceFrom + pieceLength * coarseStep;
  const inPiece = prompt.windows.filter(({ start }) => start + windowLength > pieceFrom && start < pieceTo);
  let best = { offset, value: -Infinity };
  for (let shift = -coarseSlack; shift <= coarseSlack; shift += 1) {
    const value = inPiece.reduce(
      (sum, window) => sum + Math.max(0, view.likeness(prompt, window, offset + shift + window.start)),
      0,
    );
    if (value > best.value) best = { offset: offset + shift, value };
  }
  const middle = (pieceFrom + pieceTo - windowLength) / 2;
  const profile = prompt.windows.map((window) => {
    const slack = windowSlack + Math.ceil((Math.abs(window.start - middle) / windowLength) * driftPerWindow);
    const values = Array.from({ length: 2 * slack + 1 }, (_, shift) =>
      view.likeness(prompt, window, best.offset + shift - slack + window.start),
    );
    return Math.max(0, ...values, ...betweenSamples(values));
  });
  observe?.(prompt.id, profile);
  const run = recognise(profile);
  if (run === undefined) return undefined;
  const from = prompt.windows[run.from]?.start ?? 0;
  const to = (prompt.windows[run.to - 1]?.start ?? 0) + windowLength;
  return { offset: best.offset, from, to, likeness: mean(profile.slice(run.from, run.to)) };
}

/** Values half-way between two: two clocks need not sample at the same moments, and 3400 Hz moves by 76 degrees. */
function betweenSamples(values: readonly number[]): number[] {
  return values.slice(3).map((last, index) => {
    const [first = 0, second = 0, third = 0] = values.slice(index, index + 3);
    return 0.6 * (second + third) - 0.13 * (first + last);
  });
}

/** The longest part of a prompt that one of the rules recognises; `to` is the window after the last. */
function recognise(profile: readonly number[]): { from: number; to: number } | undefined {
  const { clear, covered } = rules;
  let best: { from: number; to: number } | undefined;
  for (let from = 0; from < profile.length; from += 1) {
    for (let to = from + clear.windows; to <= profile.length; to += 1) {
      if (best !== undefined && to - from <= best.to - best.from) continue;
      const part = profile.slice(from, to);
      const isCovered =
        part.length >= Math.min(covered.windows, profile.length) &&
        part.length >= 2 * clear.windows &&
        mean(part.map((value) => Math.min(value, covered.cap))) >= covered.mean;
      if (isCovered || part.every((value) => value >= clear.each)) best = { from, to };
    }
  }
  return best;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

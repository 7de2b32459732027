/** Lays a whole prompt over a recording at 8000 Hz and judges how alike they are, window by window. */
import { coarseStep, fineSignBits, signReach } from './signBits.ts';
import { pieceLength, windowLength, type Piece, type PromptSignBits, type Window } from './preparedPrompt.ts';

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

/** A piece or window with less sound than this part of it says nothing. */
export const leastSound = 0.15;

/** How far, in samples, a coarse position may be from the best one. */
const coarseSlack = 6;
const windowSlack = 2;
/** How much further from one window to the next: 125 ppm. */
const driftPerWindow = 0.25;

export type FineView = {
  /** The samples have changed. */
  forget(): void;
  /** How alike the recording from `at` on is to a window of a prompt; negative when opposite. */
  likeness(prompt: PromptSignBits, window: Window, at: number): number;
};

/** The signs of `raw`, made where they are asked for. */
export function makeFineView(raw: Int16Array): FineView {
  const signs = new Int8Array(raw.length);
  const made = new Uint8Array(Math.ceil(raw.length / windowLength));

  function make(from: number, to: number): void {
    for (let part = Math.floor(from / windowLength); part * windowLength < to; part += 1) {
      if (made[part] === 1) continue;
      made[part] = 1;
      const start = Math.max(signReach, part * windowLength);
      const end = Math.min(raw.length - signReach, (part + 1) * windowLength);
      if (start < end) fineSignBits(raw, start, signs.subarray(start, end));
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

export type Match = { offset: number; from: number; to: number; likeness: number };

/** Lays the whole prompt over the recording so that it begins near `offset`. */
export function compare(
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

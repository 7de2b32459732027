/**
 * A prompt made ready to be looked for in recordings: costly to make, so it is kept for as long as the prompt itself. What is looked for how
 * is described in promptFinder.ts.
 */
import FFT from 'fft.js';
import { coarseSignBits, coarseStep, fineSignBits, signReach } from './signBits.ts';

export const sampleRate = 8_000;

/** A prompt that was played: 8000 Hz, mono. `id` stands for exactly this sound. */
export type PlayedPrompt = { id: string; samples: Int16Array };

/** Samples of a window, the unit in which a prompt is compared: 250 ms. */
export const windowLength = sampleRate / 4;
/** Coarse positions of a piece, the unit in which a prompt is looked for: 2 s. */
export const pieceLength = (2 * sampleRate) / coarseStep;
/** Coarse positions that are looked at together. */
export const blockLength = 16_384;
const piecesPerPart = 3;

export const fft = new FFT(blockLength);
/** Room for a transform: real, imaginary, real, ... */
export const complexBlock = (): Float64Array => new Float64Array(2 * blockLength);

export type Window = { start: number; energy: number };

/** As it is compared. */
export type PromptSignBits = {
  id: string;
  length: number;
  fine: Int8Array;
  /** Those with enough sound, in order. */
  windows: readonly Window[];
};

/** `start` is a coarse position in the prompt. */
export type Piece = {
  prompt: PromptSignBits;
  start: number;
  signs: Float32Array;
  energy: number;
  /** The transform of its signs, conjugated. */
  spectrum: Float32Array;
};

/**
 * Pieces that share a transform, of whichever prompts: those of the first part are added up in the real part of the correlation, those
 * of the second in the imaginary part. What is alike to one of them stands out of the sum nearly as well as alone.
 */
export type Group = { parts: readonly [readonly Piece[], readonly Piece[]]; kernel: Float32Array };

export type PreparedPrompt = { signs: PromptSignBits; pieces: readonly Piece[] };

const made = new WeakMap<PlayedPrompt, PreparedPrompt>();

export function preparePrompt(prompt: PlayedPrompt): PreparedPrompt {
  const known = made.get(prompt);
  if (known !== undefined) return known;
  const prepared = makeReady(prompt);
  made.set(prompt, prepared);

  return prepared;
}

function makeReady({ id, samples }: PlayedPrompt): PreparedPrompt {
  const padded = new Int16Array(signReach + samples.length + pieceLength * coarseStep + signReach);
  padded.set(samples, signReach);
  const fine = new Int8Array(samples.length);
  fineSignBits(padded, signReach, fine);
  const windows: Window[] = [];
  for (let start = 0; start + windowLength <= fine.length; start += windowLength) {
    const energy = countSound(fine, start, start + windowLength);
    if (energy >= windowLength / 2) windows.push({ start, energy });
  }
  const signs = { id, length: samples.length, fine, windows };

  return { signs, pieces: windows.length === 0 ? [] : piecesOf(signs, padded) };
}

/** Pieces that cover the prompt from its first window with sound to its last; the last two may overlap. */
function piecesOf(prompt: PromptSignBits, padded: Int16Array): Piece[] {
  const from = Math.floor((prompt.windows[0]?.start ?? 0) / coarseStep);
  const to = Math.ceil(((prompt.windows.at(-1)?.start ?? 0) + windowLength) / coarseStep);
  const pieces: Piece[] = [];
  for (let start = from; ; start += pieceLength) {
    const fitting = Math.max(from, Math.min(start, to - pieceLength));
    const signs = new Float32Array(pieceLength);
    coarseSignBits(padded, signReach + fitting * coarseStep, signs);
    pieces.push({
      prompt,
      start: fitting,
      signs,
      energy: countSound(signs, 0, pieceLength),
      spectrum: conjugateSpectrum(signs),
    });
    if (start + pieceLength >= to) return pieces;
  }
}

/** How many of the signs, from one to before the other, are of sound. */
export function countSound(signs: Int8Array | Float32Array, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) if (signs[index] !== 0) count += 1;
  return count;
}

/** For what is done without a pause. */
const [block, transform] = [new Float32Array(blockLength), complexBlock()];

function conjugateSpectrum(signs: Float32Array): Float32Array {
  block.fill(0);
  block.set(signs);
  fft.realTransform(transform, block);
  fft.completeSpectrum(transform);

  return Float32Array.from(transform, (value, position) => (position % 2 === 0 ? value : -value));
}

/** Those of the notices that were heard last: most calls of a line hear the same. */
const groupsMade = new Map<string, readonly Group[]>();
const mostMade = 16;

/** The pieces of these prompts in as few groups as it takes. */
export function groupsOf(prompts: readonly PreparedPrompt[]): readonly Group[] {
  const name = prompts.map(({ signs }) => signs.id).join('\n');
  const known = groupsMade.get(name);
  // The same name may have come to stand for another sound.
  const fits = known !== undefined && prompts.every((prompt) => isIn(prompt, known));
  const groups = fits ? known : groupUp(prompts.flatMap(({ pieces }) => pieces));
  groupsMade.delete(name);
  groupsMade.set(name, groups);
  for (const oldest of groupsMade.keys()) {
    if (groupsMade.size <= mostMade) break;
    groupsMade.delete(oldest);
  }

  return groups;
}

const isIn = ({ pieces }: PreparedPrompt, groups: readonly Group[]): boolean => {
  const [first] = pieces;
  return first === undefined || groups.some(({ parts }) => parts.flat().includes(first));
};

function groupUp(pieces: readonly Piece[]): Group[] {
  const groups: Group[] = [];
  for (let index = 0; index < pieces.length; index += 2 * piecesPerPart) {
    const middle = index + piecesPerPart;
    const parts: [Piece[], Piece[]] = [pieces.slice(index, middle), pieces.slice(middle, middle + piecesPerPart)];
    // The spectra of the first part, and i times those of the second.
    const kernel = new Float32Array(2 * blockLength);
    for (const { spectrum } of parts[0]) {
      for (let at = 0; at < kernel.length; at += 1) kernel[at] = (kernel[at] ?? 0) + (spectrum[at] ?? 0);
    }
    for (const { spectrum } of parts[1]) {
      for (let at = 0; at < kernel.length; at += 2) {
        kernel[at] = (kernel[at] ?? 0) - (spectrum[at + 1] ?? 0);
        kernel[at + 1] = (kernel[at + 1] ?? 0) + (spectrum[at] ?? 0);
      }
    }
    groups.push({ parts, kernel });
  }
  return groups;
}

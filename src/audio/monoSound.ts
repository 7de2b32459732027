import type { FileHandle } from 'node:fs/promises';
import { PreavisError } from '../core/errors.ts';
import { readFully, unreadable } from './recordingFile.ts';
import type { Layout } from './wav.ts';

/** How many samples on either side make one between two. */
const reach = 8;

/** Between two samples, by a sinc under a Hann window: what weighs the pairs around it, the nearest first. */
const weights = ((): readonly number[] => {
  const raw = Array.from({ length: reach }, (_none, index) => {
    const apart = index + 0.5;
    return (Math.sin(Math.PI * apart) / (Math.PI * apart)) * (0.5 + 0.5 * Math.cos((Math.PI * apart) / reach));
  });
  const sum = 2 * raw.reduce((all, each) => all + each, 0);

  return raw.map((each) => each / sum);
})();

/** No sound, of any length. */
export const silence = {
  frames: 0,
  read: (_from: number, count: number): Promise<Int16Array> => Promise.resolve(new Int16Array(count)),
};

/** The sound of one of Asterisk's recordings, mono with 16 bits, at its own rate or at twice that, read where it is asked for. */
export class MonoSound {
  /** With the silence before it. */
  readonly frames: number;
  readonly #handle: FileHandle;
  readonly #layout: Layout;
  readonly #late: number;
  readonly #times: number;

  /**
   * @param sampleRate Hz
   * @param lateMs how long before it nothing is heard
   * @throws PreavisError `wav_invalid` for another form
   */
  constructor(handle: FileHandle, layout: Layout, { sampleRate, lateMs }: { sampleRate: number; lateMs: number }) {
    const { format, dataBytes } = layout;
    const times = sampleRate / format.sampleRate;
    if (format.channels !== 1 || format.bitsPerSample !== 16 || (times !== 1 && times !== 2)) {
      throw new PreavisError(
        'wav_invalid',
        'A part of a recording is not mono with 16 bits, or its rate fits no other part.',
      );
    }
    this.#handle = handle;
    this.#layout = layout;
    this.#times = times;
    this.#late = Math.round((lateMs * sampleRate) / 1_000);
    this.frames = this.#late + (dataBytes / 2) * times;
  }

  /** So many frames from there on; silence before its beginning and after its end. Throws spool_unusable. */
  async read(from: number, count: number): Promise<Int16Array> {
    const first = from - this.#late;
    if (this.#times === 1) return this.#samples(first, count);
    const begin = Math.floor(first / 2) - reach;
    const source = await this.#samples(begin, (count >> 1) + 2 * reach + 2);

    return Int16Array.from({ length: count }, (_none, index) => {
      const place = first + index - 2 * begin;
      const before = place >> 1;
      if (place % 2 === 0) return source[before] ?? 0;
      const sum = weights.reduce(
        (all, weight, away) => all + weight * ((source[before - away] ?? 0) + (source[before + 1 + away] ?? 0)),
        0,
      );

      return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    });
  }

  /** At its own rate. */
  async #samples(from: number, count: number): Promise<Int16Array> {
    const { dataStart, dataBytes } = this.#layout;
    const samples = new Int16Array(count);
    const [begin, end] = [Math.max(0, from), Math.min(dataBytes / 2, from + count)];
    if (begin >= end) return samples;
    const bytes = Buffer.alloc(2 * (end - begin));
    await readFully(this.#handle, bytes, dataStart + 2 * begin).catch((error: unknown) => {
      throw unreadable(error);
    });
    for (let index = begin; index < end; index += 1) samples[index - from] = bytes.readInt16LE(2 * (index - begin));

    return samples;
  }
}

/**
 * How loud a recording is, for a picture of it: the lowest and the highest sample of each of some hundred equal parts, in 256ths of full
 * scale. Nobody's words can be told from it, but when somebody spoke can: it is erased with the recording, and encrypted where numbers are.
 */
import { makeFieldCipher } from '../core/crypto/fieldEncryption.ts';

/** As many parts at most, and half of it at least in a recording of more than 4 s. */
const mostParts = 400;
/** Of the first parts: 10 ms at 8000 Hz. Each time there are too many of them, two become one. */
const shortestPart = 80;

export type PeakMeter = {
  push(samples: Int16Array): void;
  /** After the last sample: the lowest and the highest of each part, one after the other. */
  end(): Int8Array;
};

export function makePeakMeter(): PeakMeter {
  const low = new Int16Array(mostParts);
  const high = new Int16Array(mostParts);
  let parts = 0;
  let partLength = shortestPart;
  let inPart = 0;
  let lowest = 0;
  let highest = 0;

  function endPart(): void {
    low[parts] = lowest;
    high[parts] = highest;
    parts += 1;
    inPart = lowest = highest = 0;
    if (parts < mostParts) return;
    parts /= 2;
    partLength *= 2;
    for (let part = 0; part < parts; part += 1) {
      low[part] = Math.min(low[2 * part] ?? 0, low[2 * part + 1] ?? 0);
      high[part] = Math.max(high[2 * part] ?? 0, high[2 * part + 1] ?? 0);
    }
  }

  return {
    push(samples) {
      for (const sample of samples) {
        if (sample < lowest) lowest = sample;
        if (sample > highest) highest = sample;
        inPart += 1;
        if (inPart === partLength) endPart();
      }
    },
    end() {
      if (inPart > 0) endPart();

      return Int8Array.from({ length: 2 * parts }, (_none, at) => ((at % 2 === 0 ? low : high)[at >> 1] ?? 0) >> 8);
    },
  };
}

/** How peaks are kept in the catalogue. */
export type PeakKeeper = {
  /** @param recording the id of the recording: in the place of another it cannot be read. */
  write(peaks: Int8Array, recording: string): string;
  /** undefined where they are encrypted with another key, or damaged. */
  read(kept: string, recording: string): Int8Array | undefined;
};

const use = 'preavis peaks of a recording';
/** Before what is not encrypted; a ciphertext begins otherwise. */
const bare = '0.';

/** @param numberKey privacy.numberKey; undefined: they are kept as they are, beside the rest of the catalogue. */
export function makePeakKeeper(numberKey: string | undefined): PeakKeeper {
  const cipher = numberKey === undefined ? undefined : makeFieldCipher(numberKey, use);

  return {
    write: (peaks, recording) => {
      const text = Buffer.from(peaks.buffer, peaks.byteOffset, peaks.byteLength).toString('base64url');

      return cipher === undefined ? bare + text : cipher.encrypt(text, recording);
    },
    read: (kept, recording) => {
      const text = kept.startsWith(bare) ? kept.slice(bare.length) : cipher?.decrypt(kept, recording);

      return text === undefined ? undefined : new Int8Array(Buffer.from(text, 'base64url'));
    },
  };
}

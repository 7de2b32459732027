/** Measures of a recording, sample by sample: how loud, how long silent, how much of it is clipped. */

const sampleRate = 8_000;
const frameLength = sampleRate / 10;

/**
 * RMS of a frame of 100 ms below which it is silence: -60 dBFS. The idle noise of A-law and mu-law lies at -72 dBFS and
 * below, speech that anybody could follow above -50.
 */
const silenceRms = 32_768 * 10 ** (-60 / 20);

/** The largest values that A-law and mu-law decode to are 32256 and 32124; linear sound reaches 32767. */
const clippedFrom = 32_000;
/** That many in a row are no ordinary peak. */
const clippedRun = 3;

export type SoundMeasures = {
  /** RMS of the loudest 100 ms, in dBFS; null for digital silence. */
  loudestDbfs: number | null;
  /** How long it is not silent, in frames of 100 ms. */
  heardMs: number;
  longestSilence: { atMs: number; ms: number };
  /** Part of all samples that lie in a run at full scale, 0 to 1. */
  clippedShare: number;
};

export type SoundMeter = {
  push(samples: Int16Array): void;
  /** After the last sample. */
  end(): SoundMeasures;
};

export function makeSoundMeter(): SoundMeter {
  let total = 0;
  let inFrame = 0;
  let energy = 0;
  let loudest = 0;
  let heardMs = 0;
  let silenceMs = 0;
  let longestSilence = { atMs: 0, ms: 0 };
  let run = 0;
  let clipped = 0;

  function endFrame(): void {
    if (inFrame === 0) return;
    const power = energy / inFrame;
    const ms = (inFrame * 1_000) / sampleRate;
    if (power > loudest) loudest = power;
    if (power < silenceRms * silenceRms) {
      silenceMs += ms;
      if (silenceMs > longestSilence.ms) {
        longestSilence = { atMs: (total * 1_000) / sampleRate - silenceMs, ms: silenceMs };
      }
    } else {
      silenceMs = 0;
      heardMs += ms;
    }
    energy = 0;
    inFrame = 0;
  }

  return {
    push(samples) {
      for (const sample of samples) {
        energy += sample * sample;
        if (sample >= clippedFrom || sample <= -clippedFrom) {
          run += 1;
          if (run === clippedRun) clipped += clippedRun;
          else if (run > clippedRun) clipped += 1;
        } else {
          run = 0;
        }
        total += 1;
        inFrame += 1;
        if (inFrame === frameLength) endFrame();
      }
    },
    end() {
      // A few last samples say nothing about a level, unless there are no others.
      if (inFrame > frameLength / 2 || inFrame === total) endFrame();
      return {
        loudestDbfs: loudest === 0 ? null : Math.round(100 * Math.log10(loudest / 32_768 ** 2)) / 10,
        heardMs: Math.round(heardMs),
        longestSilence: { atMs: Math.round(longestSilence.atMs), ms: Math.round(longestSilence.ms) },
        clippedShare: total === 0 ? 0 : clipped / total,
      };
    },
  };
}

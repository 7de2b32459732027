/**
 * What is listened to in a recording, whatever its form: 8000 Hz, one channel. A recording of one channel and 8000 Hz is that already; of
 * another one both are made.
 */

/** At 8000 Hz; overwritten by the next piece. */
export type HeardSound = {
  /** All channels together, as one recorder of all would have them: for what is looked for in the sound. */
  mixed: Int16Array;
  /** The louder of the channels at each moment: for levels, and for clipping, which mixing would make or hide. */
  loudest: Int16Array;
};

export type SoundForm = { sampleRate: number; channels: number };

/** Whether a recording of this form can be listened to; with 16 bits. */
export const canBeHeard = ({ sampleRate, channels }: SoundForm): boolean =>
  (sampleRate === 8_000 || sampleRate === 16_000) && (channels === 1 || channels === 2);

/** Half-band low pass: the middle, and every second one beside it, from the nearest on. */
const middle = 0.5;
const beside = ((): readonly number[] => {
  const raw = [1, 3, 5, 7, 9].map((apart) => {
    const angle = (Math.PI * apart) / 2;
    return (Math.sin(angle) / angle / 2) * (0.5 + 0.5 * Math.cos((Math.PI * apart) / 11));
  });
  const sum = 2 * raw.reduce((all, each) => all + each, 0);

  return raw.map((each) => (each / sum) * (1 - middle));
})();
const reach = 9;

/** Gives half the rate. The last samples wait for those behind them, and the very last are left out: half a millisecond. */
function makeHalving(): (samples: Int16Array) => Int16Array {
  let rest = new Int16Array(reach);

  return (samples) => {
    const all = new Int16Array(rest.length + samples.length);
    all.set(rest);
    all.set(samples, rest.length);
    const count = Math.max(0, Math.floor((all.length - 2 * reach + 1) / 2));
    const halved = new Int16Array(count);
    for (let index = 0; index < count; index += 1) {
      const at = reach + 2 * index;
      let sum = middle * (all[at] ?? 0);
      for (let pair = 0; pair < beside.length; pair += 1) {
        sum += (beside[pair] ?? 0) * ((all[at - 2 * pair - 1] ?? 0) + (all[at + 2 * pair + 1] ?? 0));
      }
      halved[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    }
    rest = all.slice(2 * count);

    return halved;
  };
}

/** The louder of each two that follow each other. */
function makeLouderOfTwo(): (samples: Int16Array) => Int16Array {
  let rest = new Int16Array(0);

  return (samples) => {
    const all = new Int16Array(rest.length + samples.length);
    all.set(rest);
    all.set(samples, rest.length);
    const count = all.length >> 1;
    rest = all.slice(2 * count);

    return Int16Array.from({ length: count }, (_none, index) => louder(all[2 * index] ?? 0, all[2 * index + 1] ?? 0));
  };
}

const louder = (one: number, other: number): number => (Math.abs(one) >= Math.abs(other) ? one : other);

/** Takes the samples of such a recording as they lie in it, whole frames at a time. */
export function makeHearing({ sampleRate, channels }: SoundForm): (samples: Int16Array) => HeardSound {
  const isFast = sampleRate === 16_000;
  const [halve, louderOfTwo] = [makeHalving(), makeLouderOfTwo()];

  return (samples) => {
    const [mixed, loudest] = channels === 1 ? [samples, samples] : together(samples);
    if (!isFast) return { mixed, loudest };

    return { mixed: halve(mixed), loudest: louderOfTwo(loudest) };
  };
}

function together(samples: Int16Array): [mixed: Int16Array, loudest: Int16Array] {
  const count = samples.length >> 1;
  const [mixed, loudest] = [new Int16Array(count), new Int16Array(count)];
  for (let frame = 0; frame < count; frame += 1) {
    const [left, right] = [samples[2 * frame] ?? 0, samples[2 * frame + 1] ?? 0];
    mixed[frame] = Math.max(-32_768, Math.min(32_767, left + right));
    loudest[frame] = louder(left, right);
  }

  return [mixed, loudest];
}

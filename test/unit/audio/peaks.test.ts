import { randomBytes } from 'node:crypto';
import { makePeakKeeper, makePeakMeter } from '../../../src/audio/peaks.ts';

/** In pieces of an odd length, as nothing promises an even one. */
function peaksOf(samples: Int16Array): Int8Array {
  const meter = makePeakMeter();
  for (let at = 0; at < samples.length; at += 777) meter.push(samples.subarray(at, at + 777));

  return meter.end();
}

describe('the peaks of a recording', () => {
  test.each([1, 79, 80, 81, 8_000, 32_000, 1_000_001, 30_000_000])(
    'are at most 400 pairs, and more than 199 of a long one (%i samples)',
    (length) => {
      const pairs = peaksOf(new Int16Array(length)).length / 2;
      expect(pairs).toBeGreaterThanOrEqual(Math.min(200, Math.ceil(length / 80)));
      expect(pairs).toBeLessThanOrEqual(400);
    },
  );

  test('are the lowest and the highest sample of their part, wherever it stands', () => {
    const samples = new Int16Array(8_000 * 60);
    samples[samples.length / 4] = 32_767;
    samples[samples.length / 2 + 5] = -32_768;
    const peaks = peaksOf(samples);
    const pairs = peaks.length / 2;
    const loud = Array.from(peaks, (value, at) => ({ value, at })).filter(({ value }) => value !== 0);
    expect(loud.map(({ value }) => value)).toEqual([127, -128]);
    expect(Math.abs((loud[0]?.at ?? 0) / 2 - pairs / 4)).toBeLessThanOrEqual(1);
    expect(Math.abs((loud[1]?.at ?? 0) / 2 - pairs / 2)).toBeLessThanOrEqual(1);
  });

  const peaks = Int8Array.of(-128, 127, 0, 0, -1, 5);

  test.each([undefined, 'k'.repeat(40)])('are read as they were kept, with the key %s', (numberKey) => {
    const keeper = makePeakKeeper(numberKey);
    expect(keeper.read(keeper.write(peaks, 'R1'), 'R1')).toEqual(peaks);
  });

  test('cannot be read with another key, without one, or as those of another recording', () => {
    const long = new Int8Array(randomBytes(600));
    const kept = makePeakKeeper('k'.repeat(40)).write(long, 'R1');
    expect(kept).not.toContain(Buffer.from(long.buffer).toString('base64url'));
    expect(makePeakKeeper('l'.repeat(40)).read(kept, 'R1')).toBeUndefined();
    expect(makePeakKeeper(undefined).read(kept, 'R1')).toBeUndefined();
    expect(makePeakKeeper('k'.repeat(40)).read(kept, 'R2')).toBeUndefined();
  });
});

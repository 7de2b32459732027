import { crossCorrelation } from '../../support/audio/crossCorrelation.ts';
import { noise } from '../../support/audio/soundMaking.ts';

const sound = noise(10_000, 30_000).subarray(0, 70_001);

function plainly(samples: Int16Array, sought: Int16Array, offset: number): number {
  return sought.reduce((sum, sample, index) => sum + sample * (samples[offset + index] ?? 0), 0);
}

// Of one part, of a part that is just full, of several; in one block and in many.
it.each([
  [70_001, 1],
  [70_001, 2_000],
  [70_001, 4_800],
  [70_001, 8_192],
  [70_001, 8_193],
  [70_001, 30_000],
  [70_001, 70_001],
  [20_000, 4_800],
  [500, 400],
])('is, in %i samples for %i, the sum of products at each offset', (length, soughtLength) => {
  const samples = sound.subarray(0, length);
  const sought = noise(10_000, 30_000, 2).subarray(0, soughtLength);
  // The second time with what was kept of the first, and after a search with another hop.
  for (const each of [sought, sought.subarray(0, Math.ceil(soughtLength / 2)), sought]) {
    const found = crossCorrelation(samples, each);
    const last = length - each.length;
    expect(found).toHaveLength(last + 1);
    for (const offset of new Set([0, 1, 8_191, 8_192, 11_584, 32_768, 40_961, last - 1, last])) {
      if (offset < 0 || offset > last) continue;
      // Of a sum of up to 6e13.
      expect(Math.abs((found[offset] ?? Infinity) - plainly(samples, each, offset))).toBeLessThan(1);
    }
  }
});

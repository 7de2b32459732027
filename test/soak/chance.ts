import { createHash } from 'node:crypto';

/**
 * Choices that a seed gives again. Each stream is for itself: what one caller draws does not depend on how quick another is.
 */
export type Chance = {
  /** From `least` to `most`, evenly. */
  between(least: number, most: number): number;
  pick<T extends { weight: number }>(choices: readonly [T, ...T[]]): T;
};

export function makeChance(seed: string, stream: string): Chance {
  let drawn = 0;
  const next = (): number => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${stream} ${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };

  return {
    between: (least, most) => least + next() * (most - least),
    pick: (choices) => {
      let left = next() * choices.reduce((sum, { weight }) => sum + weight, 0);
      for (const choice of choices) {
        left -= choice.weight;
        if (left < 0) return choice;
      }
      return choices[0];
    },
  };
}

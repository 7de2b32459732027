import { endsWhileHeld } from '../../../src/archive/purposes.ts';

const ends = [
  { purpose: 'training', keepUntil: 100 },
  { purpose: 'agreement', keepUntil: 200 },
];
const allowed = (purpose: string): boolean => purpose === 'agreement';

describe('while a hold keeps a recording', () => {
  test('its evidence may be used until the last of the holds expires, and nothing else', () => {
    const holds = [
      { releasedAt: null, expiresAt: 500 },
      { releasedAt: null, expiresAt: 400 },
    ];
    expect(endsWhileHeld(ends, holds, allowed, 300)).toEqual([ends[0], { purpose: 'agreement', keepUntil: 500 }]);
  });

  test('one that was released or has expired opens nothing, and one that ends sooner closes nothing', () => {
    expect(endsWhileHeld(ends, [{ releasedAt: 250, expiresAt: 500 }], allowed, 300)).toEqual(ends);
    expect(endsWhileHeld(ends, [{ releasedAt: null, expiresAt: 300 }], allowed, 300)).toEqual(ends);
    expect(endsWhileHeld(ends, [{ releasedAt: null, expiresAt: 150 }], allowed, 50)).toEqual(ends);
    expect(endsWhileHeld(ends, [], allowed, 300)).toEqual(ends);
  });
});

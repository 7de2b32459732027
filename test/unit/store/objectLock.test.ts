import { isLockedAs, lockFor, type Lock } from '../../../src/store/objectLock.ts';
import type { PurposeLock } from '../../../src/config/objectLockModes.ts';

const now = 1_000_000;
const locks = (all: Record<string, PurposeLock>): ReadonlyMap<string, PurposeLock> => new Map(Object.entries(all));
const ends = [
  { purpose: 'training', keepUntil: 2_000_000 },
  { purpose: 'order', keepUntil: 5_000_999 },
  { purpose: 'mifid', keepUntil: 9_000_000 },
];

test.each<[string, Record<string, PurposeLock>, Lock | undefined]>([
  ['nobody asks', {}, undefined],
  ['all ask for none', { training: 'none', order: 'none', mifid: 'none' }, undefined],
  ['one asks, not the last to end', { training: 'governance' }, { mode: 'governance', until: 2_000_000 }],
  ['the end is cut to a whole second', { order: 'compliance' }, { mode: 'compliance', until: 5_000_000 }],
  [
    'two of one mode: the later end',
    { training: 'governance', mifid: 'governance' },
    { mode: 'governance', until: 9_000_000 },
  ],
  [
    'the strictest mode until the end of the purpose that asks for it, though a lesser one ends later',
    { training: 'compliance', mifid: 'governance' },
    { mode: 'compliance', until: 2_000_000 },
  ],
  ['a purpose that is not of this recording', { other: 'compliance' }, undefined],
])('the lock of a recording: %s', (_, asked, lock) => {
  expect(lockFor(ends, locks(asked), now)).toEqual(lock);
});

test('a purpose that is over asks for nothing', () => {
  const asked = locks({ training: 'compliance', mifid: 'governance' });
  expect(lockFor(ends, asked, 2_000_000)).toEqual({ mode: 'governance', until: 9_000_000 });
  expect(lockFor(ends, asked, 9_000_000)).toBeUndefined();
});

test('no lock is ever longer than the end of the last purpose', () => {
  const modes: PurposeLock[] = ['none', 'governance', 'compliance'];
  for (const training of modes)
    for (const order of modes)
      for (const mifid of modes) {
        const lock = lockFor(ends, locks({ training, order, mifid }), now);
        expect(lock?.until ?? 0).toBeLessThanOrEqual(9_000_000);
      }
});

describe('what is read back', () => {
  const wanted: Lock = { mode: 'governance', until: 5_000 };
  test.each<[string, Lock | undefined, boolean]>([
    ['the same', wanted, true],
    ['nothing', undefined, false],
    ['a shorter one', { mode: 'governance', until: 4_000 }, false],
    ['a longer one within the time of the recording', { mode: 'governance', until: 8_000 }, true],
    ['one beyond it', { mode: 'governance', until: 9_000 }, false],
    ['a stricter one', { mode: 'compliance', until: 5_000 }, true],
  ])('%s', (_, found, isGood) => {
    expect(isLockedAs(found, wanted, 8_500)).toBe(isGood);
  });

  test('a weaker mode is not what was asked for', () => {
    expect(isLockedAs({ mode: 'governance', until: 5_000 }, { mode: 'compliance', until: 5_000 }, 8_500)).toBe(false);
  });
});

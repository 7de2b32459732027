import { objectKeys } from '../../../src/store/objectKeys.ts';
import { assertKey, assertKeyPrefix } from '../../../src/store/store.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';

const id = makeIds(() => '01KATQ6Z9V3M5X8Y2B4C6D7E8F').recording();

describe('object keys', () => {
  it('hold the day in UTC and the id, whatever the time zone of the machine', () => {
    expect(objectKeys(id, Date.UTC(2026, 10, 24, 23, 59, 59, 999))).toEqual({
      wav: `recordings/2026/11/24/${id}.wav`,
      receipt: `recordings/2026/11/24/${id}.json`,
    });
    expect(objectKeys(id, Date.UTC(2026, 0, 1)).wav).toBe(`recordings/2026/01/01/${id}.wav`);
  });

  it('are safe keys', () => {
    const keys = objectKeys(id, 0);
    expect(() => {
      assertKey(keys.wav);
      assertKey(keys.receipt);
    }).not.toThrow();
  });

  it('are refused for an id that is not ours, so that no personal data gets into them', () => {
    expect(() => objectKeys('+32470123456' as RecordingId, 0)).toThrow(PreavisError);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 8.64e15])('are refused for the time %p', (startedAtMs) => {
    expect(() => objectKeys(id, startedAtMs)).toThrow(PreavisError);
  });
});

describe('a key', () => {
  it.each(['a', '007', 'a/b.wav', 'A-b_c.d/x..e', 'x'.repeat(200)])('may be %p', (key) => {
    expect(() => {
      assertKey(key);
    }).not.toThrow();
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '..',
    'a/../b',
    './a',
    '.hidden',
    'a/.partial/b.wav.0123456789abcdef',
    'é',
    'a b',
    'a\\b',
    'a\nb',
    'a\u0000',
    'a%2e',
    'x'.repeat(201),
    'x/'.repeat(401) + 'x',
  ])('may not be %p', (key) => {
    expect(() => {
      assertKey(key);
    }).toThrow(PreavisError);
  });

  it('may be begun by nothing or by a folder, but not by a way out', () => {
    expect(() => {
      assertKeyPrefix('');
      assertKeyPrefix('recordings/2026/');
      assertKeyPrefix('recordings/20');
    }).not.toThrow();
    expect(() => {
      assertKeyPrefix('../');
    }).toThrow(PreavisError);
  });
});

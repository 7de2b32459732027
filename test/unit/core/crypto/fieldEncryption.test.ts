import fc from 'fast-check';
import { makeFieldCipher } from '../../../../src/core/crypto/fieldEncryption.ts';

const seal = makeFieldCipher('k'.repeat(32), 'numbers');

describe('a seal', () => {
  test('opens with its key, its use and its place, and gives the text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+[0-9]{5,15}$/), (text) => {
        expect(seal.open(seal.seal(text, 'call-1'), 'call-1')).toBe(text);
      }),
    );
  });

  test('opens with no other key, use or place, nor when a bit of it was changed', () => {
    const sealed = seal.seal('+3225550123', 'call-1');
    expect(makeFieldCipher('j'.repeat(32), 'numbers').open(sealed, 'call-1')).toBeUndefined();
    expect(makeFieldCipher('k'.repeat(32), 'names').open(sealed, 'call-1')).toBeUndefined();
    expect(seal.open(sealed, 'call-2')).toBeUndefined();
    const bytes = Buffer.from(sealed.slice(2), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(seal.open(`1.${changed.toString('base64url')}`, 'call-1')).toBeUndefined();
    }
    for (const nothing of ['', '1.', '1.AAAA', sealed.slice(0, -8), `2.${sealed.slice(2)}`]) {
      expect(seal.open(nothing, 'call-1')).toBeUndefined();
    }
  });

  test('tells neither the text nor its length, nor whether two texts are the same', () => {
    const numbers = ['+322', '+3225550123', '+322555012345678'];
    const sealed = [...numbers, ...numbers].map((text) => seal.seal(text, 'call-1'));
    expect(new Set(sealed).size).toBe(6);
    expect(new Set(sealed.map(({ length }) => length)).size).toBe(1);
    for (const each of sealed) expect(Buffer.from(each.slice(2), 'base64url').includes('322')).toBe(false);
  });
});

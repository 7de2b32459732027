import fc from 'fast-check';
import { makeFieldCipher } from '../../../../src/core/crypto/fieldEncryption.ts';

const cipher = makeFieldCipher('k'.repeat(32), 'numbers');

describe('a seal', () => {
  test('opens with its key, its use and its place, and gives the text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+[0-9]{5,15}$/), (text) => {
        expect(cipher.decrypt(cipher.encrypt(text, 'call-1'), 'call-1')).toBe(text);
      }),
    );
  });

  test('opens with no other key, use or place, nor when a bit of it was changed', () => {
    const ciphertext = cipher.encrypt('+3225550123', 'call-1');
    expect(makeFieldCipher('j'.repeat(32), 'numbers').decrypt(ciphertext, 'call-1')).toBeUndefined();
    expect(makeFieldCipher('k'.repeat(32), 'names').decrypt(ciphertext, 'call-1')).toBeUndefined();
    expect(cipher.decrypt(ciphertext, 'call-2')).toBeUndefined();
    const bytes = Buffer.from(ciphertext.slice(2), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(cipher.decrypt(`1.${changed.toString('base64url')}`, 'call-1')).toBeUndefined();
    }
    for (const nothing of ['', '1.', '1.AAAA', ciphertext.slice(0, -8), `2.${ciphertext.slice(2)}`]) {
      expect(cipher.decrypt(nothing, 'call-1')).toBeUndefined();
    }
  });

  test('tells neither the text nor its length, nor whether two texts are the same', () => {
    const numbers = ['+322', '+3225550123', '+322555012345678'];
    const ciphertext = [...numbers, ...numbers].map((text) => cipher.encrypt(text, 'call-1'));
    expect(new Set(ciphertext).size).toBe(6);
    expect(new Set(ciphertext.map(({ length }) => length)).size).toBe(1);
    for (const each of ciphertext) expect(Buffer.from(each.slice(2), 'base64url').includes('322')).toBe(false);
  });
});

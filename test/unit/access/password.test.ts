import { hashPassword, isPassword, passwordFault } from '../../../src/access/password.ts';
import { passwordHashOf } from '../../../src/config/credentials.ts';

/** Made by hashlib.scrypt of Python. */
const kept = '$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BUS/jY3RXIlNUfVFibrXS1m+ZtyDS56ksoZ2SgSjUlQ';
const keptAccent = '$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$A4jk6eJ4Q/0FKDTsZNKL8dyHoSAA+t9c1iGFSXud3Ho';

describe('a password', () => {
  test('is kept as another program keeps it by scrypt', async () => {
    expect(await hashPassword('correct horse battery', Buffer.from(Array.from({ length: 16 }, (_, i) => i)))).toBe(
      kept,
    );
  });

  test('is known again, and no other is', async () => {
    expect(await isPassword('correct horse battery', kept)).toBe(true);
    for (const other of ['correct horse batterz', '', 'Correct horse battery', 'correct horse battery ']) {
      expect(await isPassword(other, kept)).toBe(false);
    }
  });

  test('is the same however its accents were typed', async () => {
    expect(await isPassword('Caf\u00e9 au lait 2026', keptAccent)).toBe(true);
    expect(await isPassword('Cafe\u0301 au lait 2026', keptAccent)).toBe(true);
  });

  test('is kept under a salt of its own each time', async () => {
    const [one, other] = await Promise.all([
      hashPassword('correct horse battery'),
      hashPassword('correct horse battery'),
    ]);
    expect(one).not.toBe(other);
    expect(await isPassword('correct horse battery', one)).toBe(true);
  });

  test('of somebody who does not exist is none, and costs as much', async () => {
    const took = async (kept: string | undefined): Promise<number> => {
      const before = process.cpuUsage();
      expect(await isPassword('guess', kept)).toBe(false);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    await took(kept);
    const [known, unknown] = [await took(kept), await took(undefined)];
    expect(unknown).toBeGreaterThan(known / 3);
    expect(known).toBeGreaterThan(unknown / 3);
  });

  test.each([
    ['', 'needs at least 12 characters'],
    ['elevenchars', 'needs at least 12 characters'],
    ['aaaaaaaaaaaaaaaa', 'has too few different characters'],
    ['x'.repeat(257), 'has more than 256 characters'],
    ['correct horse battery', undefined],
    ['é'.repeat(8) + 'abcdef', undefined],
  ])('%j is chosen only when it is long and not one letter', (password, fault) => {
    expect(passwordFault(password)).toBe(fault);
  });
});

test.each([
  'correct horse battery',
  kept.replace('ln=15', 'ln=13'),
  kept.replace('ln=15', 'ln=24'),
  kept.replace('r=8', 'r=1'),
  kept.replace('p=3', 'p=0'),
  kept.slice(0, -10),
  kept.replace('scrypt', 'argon2id'),
  `${kept}=`,
])('%s is not what is kept of a password', (text) => {
  expect(passwordHashOf(text)).toBeUndefined();
});

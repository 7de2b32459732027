import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { openSigner, verifySigned } from '../../../../src/core/crypto/signing.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();

describe('signatures', () => {
  test('are made with a key that is made at its first use, for its owner only, and stays', async () => {
    const file = folder.path('made/key.pem');
    const [one, two] = await Promise.all([openSigner(file), openSigner(file)]);
    expect(two.kid).toBe(one.kid);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect((await openSigner(file)).kid).toBe(one.kid);
  });

  test('are not made with a new key where one has signed before and is gone', async () => {
    const file = folder.path('gone.pem');
    await expect(openSigner(file, () => Promise.resolve(false))).rejects.toMatchObject({
      code: 'signing_key_unusable',
    });
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('give back what was signed, and by which key', async () => {
    const signer = await openSigner(folder.path('key.pem'));
    const jws = await signer.sign({ what: 'é' }, 'test+jws');
    expect(await verifySigned(jws, 'test+jws')).toEqual({
      payload: { what: 'é' },
      kid: signer.kid,
      publicKey: signer.publicKey,
    });
  });

  test('fail when any character was changed, and for another kind of document', async () => {
    const jws = await (await openSigner(folder.path('key.pem'))).sign({ what: 1 }, 'test+jws');
    for (let at = 0; at < jws.length; at += 1) {
      const other = jws[at] === 'A' ? 'B' : 'A';
      const changed = jws.slice(0, at) + other + jws.slice(at + 1);
      await expect(verifySigned(changed, 'test+jws')).rejects.toMatchObject({ code: 'signature_invalid' });
    }
    await expect(verifySigned(jws, 'other+jws')).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  test.each([
    ['open to all', (file: string) => chmod(file, 0o644)],
    ['not a key', (file: string) => writeFile(file, 'nothing', { mode: 0o600 })],
  ])('are not made with a file that is %s', async (name, spoil) => {
    const file = folder.path(`${name}.pem`);
    await openSigner(file);
    await spoil(file);
    await expect(openSigner(file)).rejects.toMatchObject({ code: 'signing_key_unusable' });
  });
});

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import { makeLocalKey } from '../../../src/store/encryption/keyWrapping.ts';
import { keyringOf, onlyKeyObject } from '../../support/archive/encryption.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { digestOf, seconds } from '../store/storeContract.ts';

const folder = temporaryFolder();
const key = 'recordings/2026/11/26/a.wav';

describe('the program of docs/encryption.md', () => {
  it.each([0, 10, 65_536, 65_537, 300_000])('reads a recording of %i bytes without Préavis', async (length) => {
    const documentation = await readFile(join(import.meta.dirname, '..', '..', '..', 'docs', 'encryption.md'), 'utf8');
    const program = /```js\n(?<code>.+?)```/s.exec(documentation)?.groups?.['code'] ?? '';
    await writeFile(folder.path('decrypt.mjs'), program);
    const wrapping = randomBytes(32);
    await writeFile(folder.path('key'), `${wrapping.toString('base64')}\n`);
    const content = randomBytes(length);
    await writeFile(folder.path('plain'), content);
    const archive = folder.path(`archive-${length}`);
    const raw = makeDirectoryStore({ folder: archive });
    const store = makeEncryptedStore(raw, keyringOf(makeLocalKey(wrapping)));
    await store.check();
    await store.putFile(key, folder.path('plain'), digestOf(content), seconds(20));
    const files = [folder.path('key'), join(archive, key), join(archive, await onlyKeyObject(raw, key))];
    const { stdout } = await promisify(execFile)(process.execPath, [folder.path('decrypt.mjs'), ...files], {
      encoding: 'buffer',
    });
    expect(stdout.equals(content)).toBe(true);
  });
});

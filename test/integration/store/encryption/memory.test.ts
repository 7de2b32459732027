import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startStore, type LabStore } from '../../../../lab/store/store.ts';
import { built } from '../../../support/built.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const folder = temporaryFolder();
let server: LabStore;

beforeAll(async () => {
  server = await startStore();
  await server.makeBucket('plain');
});

afterAll(async () => {
  await server.stop();
});

async function fileOf(mebibytes: number): Promise<{ file: string; bytes: number; sha256: string }> {
  const file = folder.path(`${mebibytes}.wav`);
  const handle = await open(file, 'w');
  const hash = createHash('sha256');
  for (let index = 0; index < mebibytes; index += 1) {
    const piece = Buffer.alloc(mebibyte, `piece ${index} `);
    hash.update(piece);
    await handle.writeFile(piece);
  }
  await handle.close();

  return { file, bytes: mebibytes * mebibyte, sha256: hash.digest('hex') };
}

/** Stores and reads back in a process of its own; its greatest memory, in bytes. */
async function memoryOf(store: string, mebibytes: number): Promise<number> {
  const expected = await fileOf(mebibytes);
  const code = `
    import { randomBytes } from 'node:crypto';
    import { makeDirectoryStore } from '${built('store/directory/store.ts')}';
    import { makeEncryptedStore } from '${built('store/encryption/store.ts')}';
    import { makeKeyring, makeLocalKey } from '${built('store/encryption/keyWrapping.ts')}';
    import { makeMinioStore } from '${built('store/s3/store.ts')}';
    const expected = ${JSON.stringify({ ...expected, contentType: 'audio/wav' })};
    const store = makeEncryptedStore(${store}, makeKeyring(makeLocalKey(randomBytes(32)), []));
    await store.check();
    const signal = AbortSignal.timeout(300_000);
    await store.putFile('a', expected.file, expected, signal);
    const { sha256 } = await store.digest('a', null, signal);
    if (sha256 !== expected.sha256) throw new Error('other bytes came back');
    process.stdout.write(String(process.resourceUsage().maxRSS * 1024));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: process.env['PATH'] },
  });

  return Number(stdout);
}

describe('encryption on the way', () => {
  it.each([
    ['a folder', () => `makeDirectoryStore({ folder: ${JSON.stringify(folder.path('archive'))} })`],
    [
      'a bucket',
      () =>
        `makeMinioStore(${JSON.stringify({
          endPoint: server.endPoint,
          port: server.port,
          accessKey: server.accessKey,
          secretKey: server.secretKey,
          region: server.region,
          useTls: false,
          bucket: 'plain',
        })})`,
    ],
  ])('takes no more memory for 200 MiB than for 20 (%s)', async (_, store) => {
    const small = await memoryOf(store(), 20);
    const large = await memoryOf(store(), 200);
    expect(large - small).toBeLessThan(60 * mebibyte);
    if (store().includes('makeDirectoryStore')) {
      // The encrypted object, 3200 segments with a tag each, and nothing beside it.
      expect((await stat(folder.path('archive/a'))).size).toBe(200 * mebibyte + 32 + 3_200 * 16);
    }
  });
});

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'minio';
import { makeMinioStore, type MinioStoreOptions } from '../../../../src/store/s3/store.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { startStore, type LabStore } from '../../../../lab/store/store.ts';
import type { StoreAddress } from '../../../../lab/store/storeAccounts.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { startTransitVault, type TransitVault } from '../../../support/archive/transitVault.ts';
import { digestOf, listed, seconds } from '../storeContract.ts';

const mebibyte = 1024 * 1024;
const folder = temporaryFolder();
const content = randomBytes(6 * mebibyte);
let vault: TransitVault;
/** One of its own: it is configured. */
let encrypting: LabStore;
const s3 = useS3Server({ plain: {} });

beforeAll(async () => {
  vault = await startTransitVault();
  encrypting = await startStore({ vaultPort: vault.port });
  await encrypting.makeBucket('plain');
  await writeFile(folder.path('large'), content);
});

afterAll(async () => {
  await Promise.all([encrypting.stop(), vault.close()]);
});

const open = (server: StoreAddress, more: Partial<MinioStoreOptions> = {}): RawStore =>
  makeMinioStore({
    ...server,
    useTls: false,
    bucket: 'plain',
    partSizeBytes: 5 * mebibyte,
    serverSideEncryption: true,
    ...more,
  });

describe('a store that encrypts (SSE-S3)', () => {
  it('is asked to, says that it has, and gives the bytes back', async () => {
    const store = open(encrypting);
    expect(store.encryption).toEqual({ mode: 'server' });
    await store.check();
    await store.putText('a/small', 'told first', 'text/plain', seconds(10));
    await store.putFile('a/large', folder.path('large'), digestOf(content), seconds(30));
    expect((await store.digest('a/large', null, seconds(30))).sha256).toBe(digestOf(content).sha256);
    const client = new Client({ ...encrypting, useSSL: false });
    for (const key of ['a/small', 'a/large']) {
      expect((await client.statObject('plain', key)).metaData).toMatchObject({
        'x-amz-server-side-encryption': 'AES256',
      });
    }
    expect(vault.requests.some((request) => request.includes('/datakey/'))).toBe(true);
  });

  it('is not asked to without the setting', async () => {
    const store = open(encrypting, { serverSideEncryption: false });
    expect(store.encryption).toBeNull();
    await store.putText('b', 'x', 'text/plain', seconds(10));
    const { metaData } = await new Client({ ...encrypting, useSSL: false }).statObject('plain', 'b');
    expect(metaData).not.toHaveProperty('x-amz-server-side-encryption');
  });
});

describe('a store that cannot encrypt', () => {
  it('is told as such where it says so, and nothing is stored', async () => {
    const store = open(s3.server);
    for (const attempt of [
      () => store.check(),
      () => store.putText('a', 'x', 'text/plain', seconds(10)),
      () => store.putFile('a', folder.path('large'), digestOf(content), seconds(30)),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'encryption_not_offered' });
    }
    expect(await listed(store, '')).toEqual([]);
    await open(s3.server, { serverSideEncryption: false }).check();
  });

  it('is told as such where it passes over what it was asked, and what it stored is removed', async () => {
    const asked: string[] = [];
    // A server of our own: the real one refuses.
    const http = createServer((request, answer) => {
      asked.push(`${request.method ?? ''} ${request.headers['x-amz-server-side-encryption']?.toString() ?? '-'}`);
      request.resume().on('end', () => {
        answer
          .setHeader('ETag', '"0123456789abcdef0123456789abcdef"')
          .setHeader('Last-Modified', 'Thu, 26 Nov 2026 00:00:00 GMT');
        answer
          .writeHead(request.method === 'DELETE' ? 204 : 200, request.method === 'HEAD' ? { 'Content-Length': 1 } : {})
          .end();
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = http.address() as AddressInfo;
      const store = open({ ...s3.server, port });
      await expect(store.putText('a', 'x', 'text/plain', seconds(10))).rejects.toMatchObject({
        code: 'encryption_not_offered',
      });
      expect(asked).toEqual(['PUT AES256', 'HEAD -', 'DELETE -']);
    } finally {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    }
  });
});

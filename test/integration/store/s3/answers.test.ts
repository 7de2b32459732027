import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../../src/store/store.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { digestOf, seconds } from '../storeContract.ts';

const mebibyte = 1024 * 1024;
const folder = temporaryFolder();

/** A server of our own: the real one cannot be made to give these answers on demand. */
async function answering(listener: RequestListener, use: (store: ObjectStore) => Promise<void>): Promise<void> {
  const http = createServer(listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  try {
    const address = http.address();
    await use(
      makeMinioStore({
        endPoint: '127.0.0.1',
        port: typeof address === 'object' ? (address?.port ?? 0) : 0,
        useTls: false,
        accessKey: 'key',
        secretKey: 'secret',
        region: 'us-east-1',
        bucket: 'plain',
        partSizeBytes: 5 * mebibyte,
      }),
    );
  } finally {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
}

describe('a store', () => {
  it.each([500, 503, 418])('that answers %i gives archive_failed after one request', async (status) => {
    let requests = 0;
    await answering(
      (_, answer) => {
        requests += 1;
        answer.writeHead(status).end('<html>busy</html>');
      },
      async (store) => {
        await expect(store.versions('a')).rejects.toMatchObject({ code: 'archive_failed' });
        expect(requests).toBe(1);
      },
    );
  });

  it('that reports an error inside an answer with status 200 is understood', async () => {
    const content = Buffer.alloc(6 * mebibyte);
    const path = folder.path('large');
    await writeFile(path, content);
    const noUploads = '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>';
    await answering(
      (request, answer) => {
        request.resume().on('end', () => {
          answer.setHeader('ETag', `"${createHash('md5').digest('hex')}"`);
          const url = request.url ?? '';
          if (request.method === 'GET') answer.end(noUploads);
          else if (url.endsWith('?uploads')) {
            answer.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
          } else if (request.method === 'POST') answer.end('<Error><Code>AccessDenied</Code></Error>');
          else answer.writeHead(request.method === 'DELETE' ? 204 : 200).end();
        });
      },
      async (store) => {
        await expect(store.putFile('a', path, digestOf(content), seconds(20))).rejects.toMatchObject({
          code: 'archive_denied',
        });
      },
    );
  });
});

describe('a store that lies', () => {
  const none = '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>';
  const upload = '<Upload><Key>a</Key><UploadId>u</UploadId></Upload>';
  const uploads = `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${upload}</ListMultipartUploadsResult>`;
  const version = (id: string): string =>
    `<Version><Key>a</Key><VersionId>${id}</VersionId><IsLatest>true</IsLatest><Size>1</Size><ETag>"x"</ETag><LastModified>2026-08-24T10:00:00.000Z</LastModified></Version>`;
  const versions = (...ids: string[]): string =>
    `<ListVersionsResult><Name>plain</Name><IsTruncated>false</IsTruncated>${ids.map(version).join('')}</ListVersionsResult>`;

  it.each([
    ['keeps a version that it says is erased', () => versions('v1')],
    ['makes another of each that is erased', (round: number) => versions(`v${round}`)],
  ])('and %s fails an erasure with an error, after a few rounds', async (_, listing) => {
    let [listings, removals] = [0, 0];
    await answering(
      (request, answer) => {
        const url = request.url ?? '';
        if (request.method === 'DELETE') {
          removals += 1;
          answer.writeHead(204).end();
        } else if (url.includes('uploads')) answer.end(none);
        else answer.end(listing((listings += 1)));
      },
      async (store) => {
        await expect(store.erase('a')).rejects.toMatchObject({
          code: 'archive_failed',
          message: 'The object store still lists 1 version that it said was erased.',
        });
        expect([listings, removals]).toEqual([5, 4]);
      },
    );
  });

  it('about incomplete uploads fails an erasure too', async () => {
    let removals = 0;
    await answering(
      (request, answer) => {
        if (request.method === 'DELETE') {
          removals += 1;
          answer.writeHead(204).end();
        } else answer.end(request.url?.includes('uploads') === true ? uploads : versions());
      },
      async (store) => {
        await expect(store.erase('a')).rejects.toMatchObject({ code: 'archive_failed' });
        expect(removals).toBeLessThan(10);
      },
    );
  });

  it('in a listing without an end fails too', async () => {
    const page = versions('v1').replace(
      '<IsTruncated>false',
      '<NextVersionIdMarker>v1</NextVersionIdMarker><IsTruncated>true',
    );
    await answering(
      (_, answer) => {
        answer.end(page);
      },
      async (store) => {
        await expect(store.versions('a')).rejects.toMatchObject({
          code: 'archive_failed',
          message: 'The object store lists without an end.',
        });
      },
    );
  });
});

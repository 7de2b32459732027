import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Client, RETENTION_MODES } from 'minio';
import { makeMinioStore, type MinioStoreOptions } from '../../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../../src/store/store.ts';
import { startStore, type LabStore } from '../../../../lab/store/store.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { contentType, digestOf, everyMethod, listed, seconds } from '../storeContract.ts';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;
const folder = temporaryFolder();
let server: LabStore;
let client: Client;

beforeAll(async () => {
  server = await startStore();
  client = new Client({ ...server, useSSL: false });
  await server.makeBucket('plain');
  await server.makeBucket('versioned', { versioning: true });
  await server.makeBucket('locked', { objectLock: true });
});

afterAll(async () => {
  await server.stop();
});

const open = (options: Partial<MinioStoreOptions> = {}): ObjectStore =>
  makeMinioStore({ ...server, useTls: false, bucket: 'plain', partSizeBytes, ...options });

async function fileOf(content: Buffer): Promise<string> {
  const path = folder.path(randomBytes(8).toString('hex'));
  await writeFile(path, content);
  return path;
}

async function uploadsOf(key: string): Promise<string[]> {
  const { uploads } = await client.listIncompleteUploadsQuery('plain', key, '', '', '');
  return uploads.map(({ uploadId }) => uploadId);
}

/** An attempt that died after some of its parts. */
async function leaveUpload(key: string, parts: Buffer[]): Promise<void> {
  const uploadID = await client.initiateNewMultipartUpload('plain', key, { 'Content-Type': 'text/stale' });
  for (const [index, part] of parts.entries()) {
    await client.uploadPart(
      { bucketName: 'plain', objectName: key, uploadID, partNumber: index + 1, headers: {} },
      part,
    );
  }
}

describe('a large object', () => {
  it('arrives whole in parts, as other programs see it', async () => {
    const content = randomBytes(12 * mebibyte + 12_345);
    const stored = await open().putFile('large/a.wav', await fileOf(content), digestOf(content), seconds(60));
    expect(stored).toEqual({ key: 'large/a.wav', bytes: content.length, versionId: null });
    expect((await client.statObject('plain', 'large/a.wav')).etag).toMatch(/-3$/);
    expect(await open().digest('large/a.wav', null, seconds(60))).toMatchObject({ sha256: digestOf(content).sha256 });

    const s3cmdFile = folder.path('by-s3cmd');
    await writeFile(folder.path('s3cfg'), '');
    await run('s3cmd', [
      `--config=${folder.path('s3cfg')}`,
      '--no-ssl',
      `--host=127.0.0.1:${server.port}`,
      `--host-bucket=127.0.0.1:${server.port}`,
      `--access_key=${server.accessKey}`,
      `--secret_key=${server.secretKey}`,
      'get',
      's3://plain/large/a.wav',
      s3cmdFile,
    ]);
    expect((await readFile(s3cmdFile)).equals(content)).toBe(true);

    const { stdout } = await run('minio-client', ['--config-dir', folder.path('mc'), 'cat', 'lab/plain/large/a.wav'], {
      encoding: 'buffer',
      maxBuffer: 64 * mebibyte,
      env: {
        ...process.env,
        MC_HOST_lab: `http://${server.accessKey}:${server.secretKey}@127.0.0.1:${server.port}`,
      },
    });
    expect(stdout.equals(content)).toBe(true);
    expect((await client.statObject('plain', 'large/a.wav')).metaData['content-type']).toBe(contentType);
  });

  it('arrives whole after attempts that died with the same parts, in silence too', async () => {
    const silence = Buffer.alloc(16 * mebibyte);
    const part = silence.subarray(0, partSizeBytes);
    await leaveUpload('silence/a.wav', [part]);
    await leaveUpload('silence/a.wav', [part, part, part]);
    await leaveUpload('silence/a.wav2', [part]);
    const stored = await open().putFile('silence/a.wav', await fileOf(silence), digestOf(silence), seconds(60));
    expect(stored.bytes).toBe(silence.length);
    const { bytes, sha256 } = digestOf(silence);
    expect(await open().digest('silence/a.wav', null, seconds(60))).toEqual({ bytes, sha256 });
    expect((await client.statObject('plain', 'silence/a.wav')).metaData['content-type']).toBe(contentType);
    expect(await uploadsOf('silence/')).toHaveLength(1);
  });

  it.each([
    ['is cut short', (path: string) => truncate(path, 11 * mebibyte)],
    ['is cut to nothing', (path: string) => truncate(path, 0)],
    ['grows', (path: string) => appendFile(path, 'more')],
  ])('leaves nothing when its file %s while it is sent', async (what, change) => {
    const key = `changing/${what.replaceAll(' ', '-')}`;
    const content = randomBytes(40 * mebibyte);
    const path = await fileOf(content);
    const sending = open().putFile(key, path, digestOf(content), seconds(60));
    const outcome = expect(sending).rejects.toMatchObject({ code: 'archive_mismatch' });
    await eventually(async () => {
      expect(await uploadsOf(key)).toHaveLength(1);
    });
    server.freezeGateway();
    await change(path);
    server.thawGateway();
    await outcome;
    expect(await uploadsOf(key)).toEqual([]);
    expect(await open().versions(key)).toEqual([]);
  });

  it('leaves nothing when its time limit passes while it is sent, and arrives by the next attempt', async () => {
    const content = randomBytes(40 * mebibyte);
    const path = await fileOf(content);
    const limit = new AbortController();
    const sending = open().putFile('limit/a', path, digestOf(content), limit.signal);
    const outcome = expect(sending).rejects.toMatchObject({ code: 'archive_unreachable', cause: { message: 'limit' } });
    await eventually(async () => {
      expect(await uploadsOf('limit/a')).toHaveLength(1);
    });
    limit.abort(new Error('limit'));
    await outcome;
    await eventually(async () => {
      expect(await uploadsOf('limit/a')).toEqual([]);
    });
    expect(await open().versions('limit/a')).toEqual([]);
    await open().putFile('limit/a', path, digestOf(content), seconds(60));
    expect((await open().digest('limit/a', null, seconds(60))).sha256).toBe(digestOf(content).sha256);
  });

  it('is erased with what incomplete uploads left, under exactly its key', async () => {
    await leaveUpload('007', [Buffer.from('x')]);
    await leaveUpload('007', [Buffer.from('y')]);
    await leaveUpload('0071', [Buffer.from('z')]);
    expect(await open().erase('007')).toBe(0);
    expect(await uploadsOf('007')).toHaveLength(1);
    await open().erase('0071');
    expect(await uploadsOf('007')).toEqual([]);
  });
});

describe('a versioned bucket', () => {
  const versioned = (): ObjectStore => open({ bucket: 'versioned' });

  it('is left without any version or delete marker of an erased key, and with all of its neighbours', async () => {
    const store = versioned();
    for (const text of ['one', 'two', 'three']) await store.putText('marked/a.wav', text, contentType, seconds(10));
    await store.putText('marked/a.wav2', 'neighbour', contentType, seconds(10));
    await client.removeObject('versioned', 'marked/a.wav');
    await client.removeObject('versioned', 'marked/a.wav2');
    expect(await store.stat('marked/a.wav')).toBeUndefined();
    await expect(store.read('marked/a.wav', null, seconds(10))).rejects.toMatchObject({
      code: 'archive_object_missing',
    });
    expect(await store.versions('marked/a.wav')).toHaveLength(4);
    expect(await store.erase('marked/a.wav')).toBe(4);
    expect(await store.versions('marked/a.wav')).toEqual([]);
    expect(await store.versions('marked/a.wav2')).toHaveLength(2);
    expect(await store.erase('marked/a.wav')).toBe(0);
  });

  it('tells and erases more versions than one page of a listing holds', async () => {
    const store = versioned();
    const count = 1_010;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let index = writer; index < count; index += 8) await store.putText('a/b', 'x', contentType, seconds(30));
    });
    await Promise.all(writers);
    await store.putText('a/b2', 'neighbour', contentType, seconds(10));
    expect(new Set(await store.versions('a/b')).size).toBe(count);
    expect(await store.erase('a/b')).toBe(count);
    expect(await store.versions('a/b')).toEqual([]);
    expect(await listed(store, 'a/')).toEqual([{ key: 'a/b2', bytes: 9, versionId: null }]);
  });

  it('says the version of a large object', async () => {
    const content = Buffer.alloc(6 * mebibyte, 1);
    const stored = await versioned().putFile('large', await fileOf(content), digestOf(content), seconds(30));
    expect(await versioned().versions('large')).toEqual([stored.versionId]);
  });

  it('refuses to erase what a lock holds', async () => {
    const store = open({ bucket: 'locked' });
    const { versionId } = await store.putText('held', 'x', contentType, seconds(10));
    await client.putObjectRetention('locked', 'held', {
      mode: RETENTION_MODES.COMPLIANCE,
      retainUntilDate: new Date(Date.now() + 60_000).toISOString(),
      versionId: versionId ?? '',
    });
    await expect(store.erase('held')).rejects.toMatchObject({ code: 'archive_locked' });
    expect(await store.versions('held')).toEqual([versionId]);
  });
});

it('lists more objects than one page holds', async () => {
  const store = open({ prefix: 'pages/' });
  const keys = Array.from({ length: 1_010 }, (_, index) => `a/${String(index).padStart(5, '0')}`);
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let index = writer; index < keys.length; index += 8) {
      await store.putText(keys[index] ?? '', 'x', contentType, seconds(30));
    }
  });
  await Promise.all(writers);
  expect((await listed(store, 'a/')).map(({ key }) => key)).toEqual(keys);
});

describe('credentials', () => {
  it.each([
    ['a wrong secret key', { secretKey: 'wrong' }],
    ['an unknown access key', { accessKey: 'UNKNOWN' }],
  ])('are refused as archive_denied for %s, in every method', async (_, wrong) => {
    const store = open(wrong);
    const path = await fileOf(Buffer.from('x'));
    for (const attempt of [() => store.check(), ...everyMethod(store, 'denied/a', path)]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'archive_denied' });
    }
  });

  it('do not appear in an error', async () => {
    const error: unknown = await open({ secretKey: 'wrong-secret' })
      .stat('a')
      .catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/wrong-secret/);
  });
});

describe('an outage', () => {
  it('is archive_unreachable at once in every method, and over when the server is back', async () => {
    const store = open();
    const path = await fileOf(Buffer.from('x'));
    await store.check();
    await server.stopGateway();
    try {
      const began = performance.now();
      for (const attempt of [() => store.check(), ...everyMethod(store, 'outage/a', path)]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'archive_unreachable' });
      }
      expect(performance.now() - began).toBeLessThan(5_000);
    } finally {
      await server.startGateway();
    }
    await store.check();
  });

  it('in the middle of an upload ends it, and the next attempt arrives whole', async () => {
    const content = randomBytes(40 * mebibyte);
    const path = await fileOf(content);
    const sending = open().putFile('cut/a', path, digestOf(content), seconds(60));
    const outcome = expect(sending).rejects.toMatchObject({ code: 'archive_unreachable' });
    await eventually(async () => {
      expect(await uploadsOf('cut/a')).toHaveLength(1);
    });
    await server.stopGateway();
    await outcome;
    await server.startGateway();
    expect(await open().versions('cut/a')).toEqual([]);
    await open().putFile('cut/a', path, digestOf(content), seconds(60));
    expect((await open().digest('cut/a', null, seconds(60))).sha256).toBe(digestOf(content).sha256);
    expect(await uploadsOf('cut/a')).toEqual([]);
  });

  it('in the middle of reading fails the stream', async () => {
    const content = randomBytes(40 * mebibyte);
    await open().putFile('read/a', await fileOf(content), digestOf(content), seconds(60));
    const stream = await open().read('read/a', null, seconds(60));
    await server.stopGateway();
    try {
      await expect(buffer(stream)).rejects.toMatchObject({ code: 'archive_unreachable' });
    } finally {
      await server.startGateway();
    }
  });

  it('is not waited for when the signal fires while it sends', async () => {
    const content = randomBytes(40 * mebibyte);
    await open().putFile('read/b', await fileOf(content), digestOf(content), seconds(60));
    const stop = new AbortController();
    const stream = await open().read('read/b', null, stop.signal);
    server.freezeGateway();
    try {
      const read = buffer(stream);
      stop.abort(new Error('enough'));
      await expect(read).rejects.toMatchObject({ code: expect.stringMatching(/^archive_/) as string });
    } finally {
      server.thawGateway();
    }
  });

  it('of a server that accepts and never answers is archive_unreachable in every method', async () => {
    const store = open({ idleTimeoutMs: 200 });
    const path = await fileOf(Buffer.from('x'));
    server.freezeGateway();
    try {
      for (const attempt of [() => store.check(), ...everyMethod(store, 'frozen/a', path)]) {
        await expect(attempt()).rejects.toMatchObject({
          code: 'archive_unreachable',
          cause: { code: 'ETIMEDOUT' },
        });
      }
    } finally {
      server.thawGateway();
    }
    // It has all of those requests to answer first, and no more than 200 ms for each of these.
    await eventually(() => store.check().then(() => true));
  });

  it('of a silent server ends at the time limit of the call, before that of the request', async () => {
    const content = randomBytes(40 * mebibyte);
    const path = await fileOf(content);
    await open().putFile('silent/a', path, digestOf(content), seconds(60));
    server.freezeGateway();
    try {
      const began = performance.now();
      const signal = AbortSignal.timeout(300);
      await Promise.all([
        expect(open().putFile('silent/b', path, digestOf(content), signal)).rejects.toMatchObject({
          code: 'archive_unreachable',
          cause: { name: 'TimeoutError' },
        }),
        expect(open().digest('silent/a', null, signal)).rejects.toMatchObject({ code: 'archive_unreachable' }),
      ]);
      // That of a request is 30 s.
      expect(performance.now() - began).toBeLessThan(20_000);
    } finally {
      server.thawGateway();
    }
  });

  it.each([
    ['a name that does not exist', { endPoint: 'store.invalid' }],
    ['a port that nobody has', { port: 1 }],
  ])('is what %s looks like', async (_, wrong) => {
    const { endPoint, port } = { ...server, ...wrong };
    await expect(open(wrong).check()).rejects.toMatchObject({
      code: 'archive_unreachable',
      message: expect.stringContaining(`The object store ${endPoint}:${port} does not answer (`) as string,
    });
  });
});

it('leaves no file of the server behind', async () => {
  const other = await startStore();
  expect(existsSync(other.folder)).toBe(true);
  await other.stop();
  await other.stop();
  expect(existsSync(other.folder)).toBe(false);
  await expect(fetch(`http://127.0.0.1:${other.port}/`)).rejects.toThrow();
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import { built } from '../../../support/built.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { listed } from '../storeContract.ts';

const run = promisify(execFile);
/** The first byte of whoever speaks TLS. */
const tlsHandshake = 0x16;
const folder = temporaryFolder();
const certificate = (): string => folder.path('ca.pem');
const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });
let front: Server;
/** The heads of the uploads that came through it. */
const uploads: string[] = [];

/** The real server behind TLS, with a certificate that only those trust who were given it. */
beforeAll(async () => {
  const subject = ['-subj', '/CN=An archive', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const made = ['-keyout', folder.path('key.pem'), '-out', certificate()];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...made]);
  const [key, cert] = await Promise.all([readFile(folder.path('key.pem')), readFile(certificate())]);
  front = createServer({ key, cert }, (client) => {
    const onward = connect(s3.server.port, '127.0.0.1');
    client.on('data', (bytes: Buffer) => {
      const [head = ''] = bytes.toString('latin1').split('\r\n\r\n', 1);
      if (head.startsWith('PUT ')) uploads.push(head);
    });
    client.pipe(onward).pipe(client);
    client.on('error', () => onward.destroy());
    onward.on('error', () => client.destroy());
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
});

afterAll(() => {
  front.close();
});

/** In a process of its own: whom Node trusts is settled when it starts. Its output, read as JSON. */
async function storing(bucket: string, environment: NodeJS.ProcessEnv): Promise<unknown> {
  const { port } = front.address() as AddressInfo;
  const script = `
    import { createHash, randomBytes } from 'node:crypto';
    import { writeFile } from 'node:fs/promises';
    const { makeMinioStore } = await import('${built('store/s3/store.ts')}');
    const options = ${JSON.stringify({ ...s3.server, port, useTls: true, bucket, partSizeBytes: 5 * 1024 * 1024 })};
    const store = makeMinioStore(options);
    const limit = () => AbortSignal.timeout(30_000);
    const told = [];
    try {
      for (const [key, bytes] of [['small.wav', 100_000], ['large.wav', 11_000_000]]) {
        const content = randomBytes(bytes);
        const sha256 = createHash('sha256').update(content).digest('hex');
        const file = ${JSON.stringify(folder.path('content'))};
        await writeFile(file, content);
        const stored = await store.putFile(key, file, { bytes, sha256, contentType: 'audio/wav' }, limit());
        const back = await store.digest(key, stored.versionId, limit());
        told.push({ key, bytes: stored.bytes, same: back.sha256 === sha256, versioned: stored.versionId !== null });
      }
      await store.putText('receipt.json', '{}', 'application/json', limit());
      await store.check();
      for (const key of ['small.wav', 'large.wav', 'receipt.json']) told.push(await store.erase(key));
    } catch (error) {
      told.push(error.code, error.message, error.hint);
    }
    process.stdout.write(JSON.stringify(told));
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env['PATH'], ...environment },
  });

  return JSON.parse(stdout);
}

test.each(['plain', 'versioned'])(
  'a %s bucket under TLS takes, gives back and erases objects, in one piece and in parts',
  async (bucket) => {
    const versioned = bucket === 'versioned';
    uploads.length = 0;
    expect(await storing(bucket, { NODE_EXTRA_CA_CERTS: certificate() })).toEqual([
      { key: 'small.wav', bytes: 100_000, same: true, versioned },
      { key: 'large.wav', bytes: 11_000_000, same: true, versioned },
      1,
      1,
      1,
    ]);
    // small.wav, three parts of large.wav, the receipt, and what check writes. The client signs none of their bytes.
    expect(uploads).toHaveLength(6);
    for (const head of uploads) expect(head).toMatch(/^content-md5: /im);
  },
);

test('a server that nobody vouches for gets nothing, and the error says why', async () => {
  expect(await storing('plain', {})).toEqual([
    'archive_unreachable',
    `The certificate of the object store 127.0.0.1:${(front.address() as AddressInfo).port} is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT).`,
    expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
  ]);
  expect(await listed(makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain' }), '')).toEqual([]);
});

/** What the first request of a store is refused with. */
async function refusal(options: { port: number; useTls: boolean }): Promise<unknown> {
  return makeMinioStore({ ...s3.server, bucket: 'plain', ...options })
    .check()
    .catch((error: unknown) => error);
}

describe('the wrong useTls is named:', () => {
  test('TLS towards a server without', async () => {
    expect(await refusal({ port: s3.server.port, useTls: true })).toMatchObject({
      code: 'archive_unreachable',
      message: `The object store 127.0.0.1:${s3.server.port} speaks HTTP without TLS, and archive.minio.useTls is true.`,
      hint: expect.stringContaining('archive.minio.useTls: false') as string,
    });
  });

  test('none towards a server with TLS', async () => {
    const { port } = front.address() as AddressInfo;
    expect(await refusal({ port, useTls: false })).toMatchObject({
      code: 'archive_unreachable',
      message: `The object store 127.0.0.1:${port} speaks TLS, and archive.minio.useTls is false.`,
      hint: expect.stringContaining('archive.minio.useTls: true') as string,
    });
  });

  test('none towards a server with TLS that says so without it, as MinIO and nginx do', async () => {
    const [key, cert] = await Promise.all([readFile(folder.path('key.pem')), readFile(certificate())]);
    const tls = createServer({ key, cert }).listen(0, '127.0.0.1');
    await once(tls, 'listening');
    const polite = createTcpServer((client) => {
      client.on('error', () => client.destroy());
      client.once('data', (bytes) => {
        if (bytes[0] !== tlsHandshake) {
          client.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
          return;
        }
        const onward = connect((tls.address() as AddressInfo).port, '127.0.0.1');
        onward.on('error', () => client.destroy());
        onward.write(bytes);
        client.pipe(onward).pipe(client);
      });
    }).listen(0, '127.0.0.1');
    await once(polite, 'listening');
    const { port } = polite.address() as AddressInfo;
    expect(await refusal({ port, useTls: false })).toMatchObject({
      message: expect.stringContaining('speaks TLS') as string,
    });
    polite.close();
    tls.close();
  });

  test('but not of a server that ends every connection', async () => {
    const rude = createTcpServer((client) => client.destroy()).listen(0, '127.0.0.1');
    await once(rude, 'listening');
    const { port } = rude.address() as AddressInfo;
    expect(await refusal({ port, useTls: false })).toMatchObject({
      message: expect.stringMatching(/does not answer \(E\w+\)/) as string,
    });
    rude.close();
  });
});

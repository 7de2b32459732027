import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { bundleFile } from '../../../src/evidence/bundleForm.ts';
import { fetchTimeStamp, readTimeStamp } from '../../../src/evidence/timestamp.ts';
import { bundleStage, filesIn, resealed, verifyFile, type BundleStage } from '../../support/bundles.ts';
import { catalogues } from '../../support/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { startTimestampAuthority, type TimestampAuthority } from '../../support/timestampAuthority.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
const sha256 = createHash('sha256').update('something').digest('hex');
const nonce = 0x7fab_cdef_0123_4567n;
let authority: TimestampAuthority;

beforeAll(async () => {
  authority = await startTimestampAuthority(folder.path('authority'));
});
afterAll(() => authority.stop());
beforeEach(() => {
  authority.answer = undefined;
});

const stamped = (): Promise<Buffer> => fetchTimeStamp(authority.url, sha256, nonce, signal);
const failure = (what: string) =>
  expect.objectContaining({ code: 'timestamp_failed', message: expect.stringContaining(what) as string }) as unknown;

describe('a time stamp', () => {
  test('is asked for as RFC 3161 says, and says what was stamped and when', async () => {
    const before = Date.now() - 2_000;
    const stamp = readTimeStamp(await stamped());
    expect(stamp).toMatchObject({ sha256, nonce });
    expect(Date.parse(stamp.at)).toBeGreaterThan(before);
    expect(Date.parse(stamp.at)).toBeLessThan(Date.now() + 2_000);
    expect(authority.requests.at(-1)?.type).toBe('application/timestamp-query');
    await writeFile(folder.path('query.tsq'), authority.requests.at(-1)?.body ?? '');
    const { stdout } = await run('openssl', ['ts', '-query', '-in', folder.path('query.tsq'), '-text']);
    expect(stdout).toMatch(/Hash Algorithm: sha256/);
    expect(stdout).toMatch(/Certificate required: yes/);
    expect(stdout).toMatch(/Nonce: 0x7FABCDEF01234567/i);
  });

  test.each([1n, 0x7fn, 0x80n, 0xffn, 0x7fff_ffff_ffff_ffffn])('with the nonce %s is understood', async (each) => {
    expect(readTimeStamp(await fetchTimeStamp(authority.url, sha256, each, signal)).nonce).toBe(each);
  });

  test('is refused when it is not of this hash, or not of this request', async () => {
    const other = createHash('sha256').update('something else').digest('hex');
    const wrong = await fetchTimeStamp(authority.url, other, nonce, signal);
    const late = await fetchTimeStamp(authority.url, sha256, 1n, signal);
    authority.answer = () => wrong;
    await expect(stamped()).rejects.toEqual(failure('it stamped something else'));
    authority.answer = () => late;
    await expect(stamped()).rejects.toEqual(failure('belongs to another request'));
  });

  test('is not taken from a refusal, an error, nonsense, too much, or nobody', async () => {
    // PKIStatusInfo with status 2 (rejection), and no token.
    authority.answer = () => Buffer.from('30053003020102', 'hex');
    await expect(stamped()).rejects.toEqual(failure('it was refused (status 2)'));
    authority.answer = () => 503;
    await expect(stamped()).rejects.toEqual(failure('HTTP 503'));
    authority.answer = () => Buffer.from('<html>');
    await expect(stamped()).rejects.toEqual(failure(''));
    authority.answer = () => Buffer.alloc(300_000);
    await expect(stamped()).rejects.toEqual(failure('too long'));
    const gone = fetchTimeStamp('http://127.0.0.1:9/tsr', sha256, nonce, signal);
    await expect(gone).rejects.toEqual(failure('ECONNREFUSED'));
  });

  test('that was changed or cut off is read as another one or as none, and never hangs or breaks', async () => {
    const whole = await stamped();
    const places = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length));
    fc.assert(
      fc.property(places, ([place, byte, length]) => {
        const changed = Buffer.from(whole);
        changed[place] = byte;
        try {
          readTimeStamp(changed.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).name).not.toBe('TypeError');
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a bundle with a time stamp', () => {
  let at: string;
  let stage: BundleStage;
  let stages = 0;
  const stamp = (manifest: string): Promise<Buffer> => fetchTimeStamp(authority.url, manifest, nonce, signal);

  beforeEach(async () => {
    at = folder.path(`stage-${(stages += 1)}`);
    stage = await bundleStage(at, open);
    await mkdir(`${at}/out`);
  });

  test('fits, and openssl verifies the stamp over the manifest by the authority’s certificate', async () => {
    const { id } = await stage.archived();
    const { stamped: isStamped } = await stage.bundle(id, `${at}/out/b.zip`, { stamp });
    expect(isStamped).toBe(true);
    expect((await verifyFile(`${at}/out/b.zip`)).timeStamp).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const files = await filesIn(`${at}/out/b.zip`);
    const [data, tsr] = [`${at}/manifest.json`, `${at}/timestamp.tsr`];
    await writeFile(data, files.get(bundleFile.manifest) ?? '');
    await writeFile(tsr, files.get(bundleFile.timeStamp) ?? '');
    const verify = ['ts', '-verify', '-data', data, '-in', tsr, '-CAfile', authority.caFile];
    await expect(run('openssl', verify)).resolves.toMatchObject({ stdout: expect.stringContaining('OK') as string });
    await writeFile(data, 'another manifest');
    await expect(run('openssl', verify)).rejects.toThrow();
  });

  test('of something else does not fit', async () => {
    const { id } = await stage.archived();
    await stage.bundle(id, `${at}/out/b.zip`);
    const files = await filesIn(`${at}/out/b.zip`);
    files.set(bundleFile.timeStamp, await stamped());
    await resealed(`${at}/out/other.zip`, files, stage.ports.signer);
    await expect(verifyFile(`${at}/out/other.zip`)).rejects.toMatchObject({
      code: 'evidence_invalid',
      message: 'timestamp.tsr is over something else than manifest.json',
    });
  });

  test('is not made without one when the authority does not answer', async () => {
    const { id } = await stage.archived();
    authority.answer = () => 500;
    await expect(stage.bundle(id, `${at}/out/b.zip`, { stamp })).rejects.toEqual(failure('HTTP 500'));
    expect(await readdir(`${at}/out`)).toEqual([]);
  });
});

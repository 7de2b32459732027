import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { bundleFile } from '../../../../src/evidence/bundle/format.ts';
import { signatureFault, stampFault } from '../../../../src/evidence/bundle/stampSignature.ts';
import { fetchTimeStamp, readTimeStamp } from '../../../../src/evidence/bundle/timestamp.ts';
import { bundleStage, filesIn, resealed, verifyFile, type BundleStage } from '../../../support/evidence/bundles.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { startTimestampAuthority, type TimestampAuthority } from '../../../support/evidence/timestampAuthority.ts';

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

const stamped = (): Promise<Buffer> => fetchTimeStamp(authority.url, sha256, { nonce, signal });
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
    expect(readTimeStamp(await fetchTimeStamp(authority.url, sha256, { nonce: each, signal })).nonce).toBe(each);
  });

  test('is refused when it is not of this hash, or not of this request', async () => {
    const other = createHash('sha256').update('something else').digest('hex');
    const wrong = await fetchTimeStamp(authority.url, other, { nonce, signal });
    const late = await fetchTimeStamp(authority.url, sha256, { nonce: 1n, signal });
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
    const gone = fetchTimeStamp('http://127.0.0.1:9/tsr', sha256, { nonce, signal });
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

describe('the signature of a time stamp', () => {
  const faultOf = async (response: Buffer, caFile = authority.caFile): Promise<string | undefined> =>
    stampFault(response, readTimeStamp(response), caFile, signal);

  test('fits by the chain of certificates up to the root', async () => {
    expect(await faultOf(await stamped())).toBeUndefined();
  });

  test('does not fit when anything in it was changed that it still reads the same with', async () => {
    const whole = await stamped();
    const told = readTimeStamp(whole);
    let same = 0;
    for (let back = 1; back <= 60; back += 4) {
      const changed = Buffer.from(whole);
      const place = changed.length - back;
      changed[place] = (changed[place] ?? 0) ^ 1;
      try {
        expect(readTimeStamp(changed)).toEqual(told);
      } catch {
        continue;
      }
      same += 1;
      expect(await faultOf(changed)).toBeDefined();
    }
    expect(same).toBeGreaterThan(5);
  });

  test('does not fit when the certificate is for something else, or began after the stamp', async () => {
    for (const [name, validity] of [
      ['late', ['-not_before', '20400101000000Z', '-not_after', '20410101000000Z']],
      ['past', ['-not_before', '20100101000000Z', '-not_after', '20110101000000Z']],
    ] as const) {
      const other = await startTimestampAuthority(folder.path(name), validity);
      const response = await fetchTimeStamp(other.url, sha256, { nonce, signal });
      await other.stop();
      expect(await faultOf(response, other.caFile)).toMatch(/certificate (is not yet valid|has expired)/);
    }
  });

  /**
   * A stamp by a certificate that ends some seconds after it. Its end is settled before there is a key, and openssl is started half a dozen
   * times until the stamp is made: where the certificate or the stamp came too late, the next one lasts for twice as long.
   */
  async function stampedBriefly(): Promise<{ brief: TimestampAuthority; response: Buffer }> {
    for (let seconds = 3; ; seconds *= 2) {
      const end = Math.floor(Date.now() / 1_000 + seconds) * 1_000;
      const notAfter = new Date(end).toISOString().replace(/[-:T]|\.\d+/g, '');
      try {
        const at = folder.path(`brief-${seconds}`);
        const brief = await startTimestampAuthority(at, ['-days', '30', '-not_after', notAfter]);
        const response = await fetchTimeStamp(brief.url, sha256, { nonce, signal }).finally(() => brief.stop());
        expect(Date.parse(readTimeStamp(response).at)).toBeLessThan(end);

        return { brief, response };
      } catch (error) {
        if (Date.now() < end || seconds > 20) throw error;
      }
    }
  }

  test('fits for ever, as of its own time, when the certificate has ended since', async () => {
    const { brief, response } = await stampedBriefly();
    await writeFile(folder.path('brief.tsr'), response);
    const now = ['ts', '-verify', '-digest', sha256, '-in', folder.path('brief.tsr'), '-CAfile', brief.caFile];
    await eventually(async () => {
      await expect(run('openssl', now)).rejects.toThrow('certificate has expired');
    });
    expect(await faultOf(response, brief.caFile)).toBeUndefined();
  });

  test('is looked at before a bundle is made, where the authority is configured', async () => {
    const order = { nonce, signal, authorityFile: authority.caFile };
    await expect(fetchTimeStamp(authority.url, sha256, order)).resolves.toBeDefined();
    const stranger = await startTimestampAuthority(folder.path('stranger'));
    const made = fetchTimeStamp(stranger.url, sha256, order);
    await expect(made).rejects.toEqual(failure('it is not the one of evidence.timestampAuthorityFile'));
    await stranger.stop();
  });

  test('is looked at for its signature where no authority is configured, before a bundle is made', async () => {
    const broken = await stamped();
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    expect(await signatureFault(broken, signal)).toBe('its signature does not fit');
    expect(await signatureFault(await stamped(), signal)).toBeUndefined();
    authority.answer = (real) => {
      real[real.length - 1] = (real.at(-1) ?? 0) ^ 1;

      return real;
    };
    await expect(fetchTimeStamp(authority.url, sha256, { nonce, signal })).rejects.toEqual(
      failure('its signature does not fit'),
    );
  });

  test('cannot be looked at without openssl, and that is said', async () => {
    const response = await stamped();
    const path = process.env['PATH'];
    process.env['PATH'] = folder.path('nothing');
    try {
      expect(await signatureFault(response, signal)).toBeUndefined();
      await expect(faultOf(response)).rejects.toEqual(
        failure('openssl, which verifies time stamps, cannot be run (ENOENT)'),
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('a bundle with a time stamp', () => {
  let at: string;
  let stage: BundleStage;
  let stages = 0;
  const stamp = (manifest: string): Promise<Buffer> => fetchTimeStamp(authority.url, manifest, { nonce, signal });

  beforeEach(async () => {
    at = folder.path(`stage-${(stages += 1)}`);
    stage = await bundleStage(at, open);
    await mkdir(`${at}/out`);
  });

  test('fits, and openssl verifies the stamp over the manifest by the authority’s certificate', async () => {
    const { id } = await stage.archived();
    const { stamped: isStamped } = await stage.bundle(id, `${at}/out/b.zip`, { stamp });
    expect(isStamped).toBe(true);
    expect((await verifyFile(`${at}/out/b.zip`)).timeStamp?.at).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const files = await filesIn(`${at}/out/b.zip`);
    const [data, tsr] = [`${at}/manifest.json`, `${at}/timestamp.tsr`];
    await writeFile(data, files.get(bundleFile.manifest) ?? '');
    await writeFile(tsr, files.get(bundleFile.timeStamp) ?? '');
    const verify = ['ts', '-verify', '-data', data, '-in', tsr, '-CAfile', authority.caFile];
    await expect(run('openssl', verify)).resolves.toMatchObject({ stdout: expect.stringContaining('OK') as string });
    await writeFile(data, 'another manifest');
    await expect(run('openssl', verify)).rejects.toThrow();
  });

  test('is borne out by the root of its authority, and by no other', async () => {
    const { id } = await stage.archived();
    const file = `${at}/out/b.zip`;
    await stage.bundle(id, file, { stamp });
    expect((await verifyFile(file)).timeStamp?.trusted).toBe(false);
    expect((await verifyFile(file, undefined, authority.caFile)).timeStamp?.trusted).toBe(true);
    const stranger = await startTimestampAuthority(`${at}/stranger`);
    await stranger.stop();
    await expect(verifyFile(file, undefined, stranger.caFile)).rejects.toMatchObject({
      code: 'evidence_invalid',
      message: expect.stringContaining('timestamp.tsr is not of the authority that you named: ') as string,
    });
  });

  test('whose signature is broken does not fit, also where no authority is named', async () => {
    const { id } = await stage.archived();
    const file = `${at}/out/b.zip`;
    await stage.bundle(id, file, { stamp });
    const files = await filesIn(file);
    const broken = Buffer.from(files.get(bundleFile.timeStamp) ?? '');
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    await resealed(`${at}/out/other.zip`, files.set(bundleFile.timeStamp, broken), stage.ports.signer);
    await expect(verifyFile(`${at}/out/other.zip`)).rejects.toMatchObject({
      code: 'evidence_invalid',
      message: 'timestamp.tsr: its signature does not fit',
    });
  });

  test('of something else does not fit', async () => {
    const { id } = await stage.archived();
    await stage.bundle(id, `${at}/out/b.zip`);
    const files = await filesIn(`${at}/out/b.zip`);
    files.set(bundleFile.timeStamp, await stamped());
    await resealed(`${at}/out/other.zip`, files, stage.ports.signer, { timeStamp: true });
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

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { copyVerified, refuseTaken, type CopyOptions } from '../../../src/archive/verifiedCopy.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const content = randomBytes(200_000);
const expected = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
const options: CopyOptions = {
  proved: () => Promise.resolve(),
  progress: () => undefined,
  signal: new AbortController().signal,
};

async function* pieces(bytes: Buffer, size = 70_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
const sourceOf = (bytes: Buffer) => ({ expected, open: () => Promise.resolve(pieces(bytes)) });

let places = 0;
async function place(): Promise<{ at: string; file: string }> {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);

  return { at, file: `${at}/a.wav` };
}

describe('a verified copy', () => {
  test('has the bytes, is for its owner only whatever the umask, and leaves nothing beside it', async () => {
    const { at, file } = await place();
    const seen: number[] = [];
    const progress = (bytes: number): void => void seen.push(bytes);
    const before = process.umask(0);
    await copyVerified(sourceOf(content), { file, replace: false }, { ...options, progress });
    process.umask(before);
    expect((await readFile(file)).equals(content)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(at)).toEqual(['a.wav']);
    expect(seen).toEqual([70_000, 140_000, 200_000]);
  });

  test.each<[string, Buffer]>([
    ['shorter', content.subarray(1)],
    ['longer', Buffer.concat([content, Buffer.from('x')])],
    ['different', Buffer.concat([content.subarray(1), Buffer.from('x')])],
    ['shorter', Buffer.alloc(0)],
  ])('of what is %s than it was is not there', async (how, bytes) => {
    const { at, file } = await place();
    const proved = (): Promise<void> => Promise.reject(new Error('nothing was proved'));
    await expect(copyVerified(sourceOf(bytes), { file, replace: false }, { ...options, proved })).rejects.toMatchObject(
      { code: 'recording_altered', message: `what is kept of the recording is ${how}; nothing was written` },
    );
    expect(await readdir(at)).toEqual([]);
  });

  test('does not read on when there is more than expected', async () => {
    const { file } = await place();
    let read = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) yield await Promise.resolve(Buffer.alloc((read += 1) && 100_000));
    };
    const source = { expected, open: () => Promise.resolve(endless()) };
    await expect(copyVerified(source, { file, replace: false }, options)).rejects.toMatchObject({
      code: 'recording_altered',
    });
    expect(read).toBe(3);
  });

  test('is invisible until it is proved, and not there when that is refused', async () => {
    const { at, file } = await place();
    let during: string[] = [];
    const proved = async (): Promise<void> => {
      during = await readdir(at);
      throw new Error('over in the meantime');
    };
    await expect(copyVerified(sourceOf(content), { file, replace: false }, { ...options, proved })).rejects.toThrow(
      'over in the meantime',
    );
    expect(during).toEqual([expect.stringMatching(/^\.preavis-[0-9a-f]{16}\.partial$/)]);
    expect(await readdir(at)).toEqual([]);
  });

  test('that is interrupted is not there, and says what interrupted it', async () => {
    const { at, file } = await place();
    const stop = new AbortController();
    const progress = (): void => {
      stop.abort(new Error('a signal'));
    };
    await expect(
      copyVerified(sourceOf(content), { file, replace: false }, { ...options, progress, signal: stop.signal }),
    ).rejects.toThrow('a signal');
    expect(await readdir(at)).toEqual([]);
  });

  test('never replaces what came there in the meantime', async () => {
    const { at, file } = await place();
    const proved = (): Promise<void> => writeFile(file, 'of somebody else');
    await expect(
      copyVerified(sourceOf(content), { file, replace: false }, { ...options, proved }),
    ).rejects.toMatchObject({ code: 'usage' });
    expect(await readFile(file, 'utf8')).toBe('of somebody else');
    expect(await readdir(at)).toEqual(['a.wav']);
  });

  test('replaces a file where that is wanted, and only by a whole one', async () => {
    const { file } = await place();
    await writeFile(file, 'before', { mode: 0o644 });
    await expect(copyVerified(sourceOf(content.subarray(1)), { file, replace: true }, options)).rejects.toMatchObject({
      code: 'recording_altered',
    });
    expect(await readFile(file, 'utf8')).toBe('before');
    await copyVerified(sourceOf(content), { file, replace: true }, options);
    expect((await readFile(file)).equals(content)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('in a folder that is not there is output_unwritable, and the source is not even opened', async () => {
    const open = (): never => {
      throw new Error('opened');
    };
    await expect(
      copyVerified({ expected, open }, { file: folder.path('none/a.wav'), replace: false }, options),
    ).rejects.toMatchObject({ code: 'output_unwritable', message: 'the file of --output: ENOENT' });
  });
});

describe('a name that is taken', () => {
  test('by a file is refused unless it is to be replaced', async () => {
    const { file } = await place();
    await expect(refuseTaken({ file, replace: false })).resolves.toBeUndefined();
    await writeFile(file, '');
    await expect(refuseTaken({ file, replace: false })).rejects.toMatchObject({ code: 'usage' });
    await expect(refuseTaken({ file, replace: true })).resolves.toBeUndefined();
  });

  test('by a folder, a device or a link is refused always', async () => {
    const { at, file } = await place();
    await symlink('nowhere', file);
    for (const other of [at, '/dev/null', file]) {
      await expect(refuseTaken({ file: other, replace: true })).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

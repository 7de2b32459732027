import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, chown, open, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { jest } from '@jest/globals';
import wavefile from 'wavefile';
import { inspectWav, repairWav, silenceWav } from '../../../src/audio/wav.ts';
import { built } from '../../support/built.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();

function wav(samples: number[] | number[][], { rate = 8000, depth = '16', channels = 1 } = {}): Buffer {
  const file = new wavefile.WaveFile();
  file.fromScratch(channels, rate, depth, samples);
  return Buffer.from(file.toBuffer());
}

function withLengths(content: Buffer, riff: number, data: number): Buffer {
  const copy = Buffer.from(content);
  copy.writeUInt32LE(riff, 4);
  copy.writeUInt32LE(data, copy.indexOf('data') + 4);
  return copy;
}

/** Three samples of 8 bits. */
function threeBytes(riff: number, isPadded: boolean): Buffer {
  const bare = wav([1, 2, 3], { depth: '8' }).subarray(0, 47);
  return withLengths(isPadded ? Buffer.concat([bare, Buffer.alloc(1)]) : bare, riff, 3);
}

let files = 0;
async function file(content: Buffer | string): Promise<string> {
  const path = folder.path(`${(files += 1)}.wav`);
  await writeFile(path, content);
  return path;
}

const second = Array.from({ length: 8000 }, (_, index) => Math.trunc(16_384 * Math.cos(index / 10)) || 0);

describe('inspecting a WAV', () => {
  it('tells its format, its length and its hash', async () => {
    const content = wav(second);
    expect(await inspectWav(await file(content))).toEqual({
      bytes: 16_044,
      sha256: createHash('sha256').update(content).digest('hex'),
      sampleRate: 8000,
      channels: 1,
      bitsPerSample: 16,
      dataBytes: 16_000,
      durationMs: 1000,
      header: 'intact',
    });
  });

  it.each([
    { depth: '8', samples: [128, 128, 0, 128], dataBytes: 4 },
    { depth: '16', samples: [0, -32_768, 5, 0], dataBytes: 8 },
    { depth: '24', samples: [0, 4_194_304, -5, 0], dataBytes: 12 },
    { depth: '32', samples: [0, -536_870_912, 0, 0], dataBytes: 16 },
  ])('knows PCM of $depth bits', async ({ depth, samples, dataBytes }) => {
    const info = await inspectWav(await file(wav(samples, { depth, rate: 1000 })));
    expect(info).toMatchObject({ bitsPerSample: Number(depth), dataBytes, durationMs: 4, header: 'intact' });
  });

  it('counts frames, not samples, in stereo', async () => {
    const info = await inspectWav(await file(wav([second, second], { channels: 2 })));
    expect(info).toMatchObject({ channels: 2, dataBytes: 32_000, durationMs: 1000 });
  });

  it('hashes all of a file that is read in several pieces', async () => {
    const content = wav(Array.from({ length: 400_000 }, (_, index) => index % 1_000));
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(await inspectWav(await file(content))).toMatchObject({ bytes: content.length, sha256 });
  });

  it('steps over chunks before and after the audio', async () => {
    const tagged = new wavefile.WaveFile(wav(second));
    tagged.setTag('ICMT', 'abc');
    const before = wav(second);
    const list = Buffer.concat([Buffer.from('LIST\x05\x00\x00\x00INFOx\x00', 'latin1')]);
    const inserted = Buffer.concat([before.subarray(0, 36), list, before.subarray(36)]);
    inserted.writeUInt32LE(inserted.length - 8, 4);
    for (const content of [Buffer.from(tagged.toBuffer()), inserted]) {
      const info = await inspectWav(await file(content));
      expect(info).toMatchObject({ dataBytes: 16_000, durationMs: 1000, header: 'intact', bytes: content.length });
    }
  });

  it.each([
    ['both lengths 0, as after a crash of Asterisk', 0, 0],
    ['the lengths of a stream', 0xffff_ffff, 0xffff_ffff],
    ['more audio than there is', 20_036, 20_000],
    ['less audio than there is', 8_036, 8_000],
    ['only the length of the whole wrong', 0, 16_000],
  ])('calls a header unfinished that tells %s, and measures what is there', async (_, riff, data) => {
    const info = await inspectWav(await file(withLengths(wav(second), riff, data)));
    expect(info).toMatchObject({ header: 'unfinished', dataBytes: 16_000, durationMs: 1000 });
  });

  it('does not take silence after the told length for further chunks', async () => {
    const silence = wav(new Array<number>(8000).fill(0));
    const info = await inspectWav(await file(withLengths(silence, 16_036, 12_000)));
    expect(info).toMatchObject({ header: 'unfinished', dataBytes: 16_000 });
  });

  it('takes audio of odd length with or without its padding byte', async () => {
    for (const content of [threeBytes(40, true), threeBytes(40, false), threeBytes(39, false)]) {
      expect(await inspectWav(await file(content))).toMatchObject({ dataBytes: 3, header: 'intact' });
    }
  });

  it('refuses what has a header and no audio', async () => {
    const header = wav([]).subarray(0, 44);
    expect(header.length).toBe(44);
    await expect(inspectWav(await file(header))).rejects.toMatchObject({ code: 'wav_empty' });
    await expect(inspectWav(await file(Buffer.concat([header, Buffer.alloc(1)])))).rejects.toMatchObject({
      code: 'wav_empty',
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('This is not a recording. '.repeat(10))],
    ['a header that is cut off', wav(second).subarray(0, 40)],
    ['another RIFF file', Buffer.from('RIFF\x04\x00\x00\x00AVI ', 'latin1')],
    ['audio without a format', Buffer.from('RIFF\x14\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd', 'latin1')],
  ])('refuses %s', async (_, content) => {
    await expect(inspectWav(await file(content))).rejects.toMatchObject({ code: 'wav_invalid' });
  });

  it('refuses WAV that is not PCM', async () => {
    const alaw = new wavefile.WaveFile(wav(second));
    alaw.toALaw();
    await expect(inspectWav(await file(Buffer.from(alaw.toBuffer())))).rejects.toMatchObject({ code: 'wav_invalid' });
  });

  it('tells a missing file from a bad one, and follows no link', async () => {
    await expect(inspectWav(folder.path('missing.wav'))).rejects.toMatchObject({
      code: 'spool_unusable',
      cause: { code: 'ENOENT' },
    });
    await symlink(await file(wav(second)), folder.path('link.wav'));
    await expect(inspectWav(folder.path('link.wav'))).rejects.toMatchObject({
      code: 'spool_unusable',
      cause: { code: 'ELOOP' },
    });
    await expect(inspectWav(folder.path())).rejects.toMatchObject({ code: 'spool_unusable' });
  });

  it('does not wait for a pipe that nobody writes to', async () => {
    const pipe = folder.path('pipe.wav');
    execFileSync('mkfifo', [pipe]);
    // Whoever opens the other end lets go of a reader that waits, so that a failure does not keep the process.
    let isLetGo = false;
    const other = setTimeout(() => {
      isLetGo = true;
      writeFile(pipe, '').catch(() => undefined);
    }, 30_000);
    await expect(inspectWav(pipe)).rejects.toMatchObject({ code: 'spool_unusable' });
    expect(isLetGo).toBe(false);
    clearTimeout(other);
  });
});

describe('repairing a WAV', () => {
  it('gives a recording that Asterisk did not close the bytes that it would have had', async () => {
    const whole = wav(second);
    const path = await file(withLengths(whole, 0, 0));
    expect(await repairWav(path)).toMatchObject({ header: 'intact', dataBytes: 16_000, durationMs: 1000 });
    expect((await readFile(path)).equals(whole)).toBe(true);
    expect(Array.from(new wavefile.WaveFile(await readFile(path)).getSamples())).toEqual(second);
  });

  it('cuts off half a sample at the end', async () => {
    const path = await file(withLengths(wav(second), 0, 0));
    await appendFile(path, 'x');
    expect(await repairWav(path)).toMatchObject({ header: 'intact', dataBytes: 16_000, bytes: 16_044 });
  });

  it('pads audio of odd length', async () => {
    const path = await file(withLengths(threeBytes(0, false), 0, 0));
    expect(await repairWav(path)).toMatchObject({ header: 'intact', dataBytes: 3, bytes: 48 });
    const repaired = await readFile(path);
    expect([repaired.readUInt32LE(4), repaired.readUInt32LE(40), repaired[47]]).toEqual([40, 3, 0]);
  });

  it('is not led astray by a crash between the lengths and the padding byte', async () => {
    const path = await file(threeBytes(40, false));
    expect(await repairWav(path)).toMatchObject({ header: 'intact', dataBytes: 3 });
  });

  it('does not touch a file whose header is intact', async () => {
    const path = await file(wav(second));
    const before = await stat(path, { bigint: true });
    await repairWav(path);
    expect((await stat(path, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
  });

  it('refuses a header alone and leaves it as it is', async () => {
    const header = withLengths(wav(second), 0, 0).subarray(0, 44);
    const path = await file(header);
    await expect(repairWav(path)).rejects.toMatchObject({ code: 'wav_empty' });
    expect((await readFile(path)).equals(header)).toBe(true);
  });

  it('refuses more audio than a header can tell and leaves the file as it is', async () => {
    const path = await file(withLengths(wav(second), 0, 0));
    await truncate(path, 2 ** 32 + 100);
    await expect(repairWav(path)).rejects.toMatchObject({ code: 'wav_invalid' });
    expect((await stat(path)).size).toBe(2 ** 32 + 100);
    await truncate(path, 0);
  });
});

describe('making parts silent', () => {
  it('changes nothing else, nor the time of the file, which tells when it was recorded', async () => {
    const content = wav(second);
    const path = await file(content);
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const spans = [{ from: 250, to: 500 }];
    await silenceWav(path, spans);
    await silenceWav(path, spans);
    expect((await readFile(path)).equals(Buffer.from(content).fill(0, 44 + 4_000, 44 + 8_000))).toBe(true);
    expect((await stat(path)).mtimeMs).toBe(1_700_000_000_000);
  });

  (process.getuid?.() === 0 ? it : it.skip)(
    'works on a file of another account that the group may write, as Asterisk makes it',
    async () => {
      const content = wav(second);
      const path = await file(content);
      const [asterisk, ours] = [65_533, 65_534];
      await chmod(folder.path('.'), 0o755);
      await chown(path, asterisk, ours);
      await chmod(path, 0o660);
      const script = `const { silenceWav } = await import('${built('audio/wav.ts')}'); await silenceWav('${path}', [{ from: 250, to: 500 }]);`;
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { uid: ours, gid: ours, cwd: '/' });
      expect((await readFile(path)).equals(Buffer.from(content).fill(0, 44 + 4_000, 44 + 8_000))).toBe(true);
    },
  );

  it('goes on where less was written than was asked for', async () => {
    const content = wav(second);
    const path = await file(content);
    const handle = await open(path);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const write = Reflect.get(prototype, 'write') as unknown as (
      this: unknown,
      ...given: unknown[]
    ) => ReturnType<typeof handle.write<Buffer>>;
    const short = jest.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...given: unknown[]) {
      const [buffer, offset, length, position] = given;

      return write.call(this, buffer, offset, Math.min(Number(length), 1_001), position);
    } as never);
    try {
      await silenceWav(path, [{ from: 250, to: 750 }]);
    } finally {
      short.mockRestore();
    }
    expect((await readFile(path)).equals(Buffer.from(content).fill(0, 44 + 4_000, 44 + 12_000))).toBe(true);
  });
});

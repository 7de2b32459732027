import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { jest } from '@jest/globals';
import { inspectWav, readRecording, repairWav, type WavInfo } from '../../../src/audio/wav.ts';
import { plainWav, promptFormats, readPromptSound } from '../../../src/prompts/soundFile.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { mutatedBytes } from '../../support/hostileValues.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const path = (): string => folder.path('x.wav');

const intact = plainWav({ rate: 8000, samples: Int16Array.from({ length: 700 }, (_, index) => (index * 91) % 20_000) });

function chunk(id: string, length: number, content: Uint8Array = Buffer.alloc(Math.min(length, 100))): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(length, 4);

  return Buffer.concat([head, content]);
}

function riff(chunks: readonly Buffer[], { form = 'RIFF', length }: { form?: string; length?: number } = {}): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.from(`${form}....WAVE`, 'latin1');
  head.writeUInt32LE(length ?? body.length + 4, 4);

  return Buffer.concat([head, body]);
}

const format = intact.subarray(12, 36);
const audio = intact.subarray(44);
const endless = 0xffff_ffff;

/** What recorders, editors and crashes make of a WAV. */
const samples: readonly Buffer[] = [
  intact,
  riff([format, chunk('data', 0, audio)], { length: 0 }),
  riff([format, chunk('data', endless, audio)], { length: endless }),
  riff([format, chunk('data', audio.length + 2, audio)]),
  riff([format, chunk('data', 11, audio.subarray(0, 11))]),
  riff([format, chunk('LIST', 26), chunk('data', audio.length, audio), chunk('id3 ', 9)]),
  riff([format, chunk('LIST', endless), chunk('data', audio.length, audio)]),
  riff([format, chunk('fact', 1, Buffer.alloc(2)), format, chunk('data', 0), chunk('data', audio.length, audio)]),
  riff([chunk('ds64', 28), format, chunk('data', endless, audio)], { form: 'RF64', length: endless }),
  riff([format, chunk('data', audio.length, audio)], { form: 'RIFX' }),
  riff([chunk('data', audio.length, audio), format]),
  riff([format]),
  riff([chunk('fmt ', endless, audio)]),
  riff([chunk('fmt ', 4), chunk('data', audio.length, audio)]),
  ...[
    { bits: 8, frameBytes: 1 },
    { bits: 24, frameBytes: 3 },
    { bits: 32, frameBytes: 4 },
    { bits: 16, frameBytes: 5 },
    { bits: 16, frameBytes: 0 },
  ].map(({ bits, frameBytes }) => {
    const other = Buffer.from(format);
    other.writeUInt16LE(frameBytes, 20);
    other.writeUInt16LE(bits, 22);

    return riff([other, chunk('data', 25, audio.subarray(0, 25))], { length: 0 });
  }),
];

const anyFile = fc.oneof(
  { arbitrary: mutatedBytes(samples), weight: 6 },
  fc.constantFrom(...samples),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([intact.subarray(0, 12), bytes])),
);

/** What it says of the file; undefined where it says that this is no recording. */
async function said<T>(step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof PreavisError && ['wav_invalid', 'wav_empty'].includes(error.code)) return undefined;
    throw error;
  }
}

function isTrue(info: WavInfo, content: Buffer): void {
  const { bytes, sha256, dataBytes, durationMs, sampleRate, channels, bitsPerSample } = info;
  expect({ bytes, sha256 }).toEqual({
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  });
  expect(dataBytes).toBeGreaterThan(0);
  expect(dataBytes).toBeLessThanOrEqual(content.length - 28);
  expect(durationMs).toBe(Math.round((dataBytes * 8_000) / (channels * bitsPerSample * sampleRate)));
}

test('a file of any bytes is a recording that is told as it is, or none', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, async (content) => {
      await writeFile(path(), content);
      const info = await said(() => inspectWav(path()));
      if (info !== undefined) isTrue(info, content);
      const heard = await said(async () => {
        let count = 0;
        const read = await readRecording(path(), ({ loudest }) => {
          count += loudest.length;
        });

        return { count, read };
      });
      if (heard !== undefined) {
        const { dataBytes = 0, channels = 1, sampleRate = 8_000 } = info ?? {};
        const at8000Hz = Math.floor((dataBytes / 2 / channels) * (8_000 / sampleRate));
        expect(heard).toEqual({ count: at8000Hz, read: info });
      }
      expect((await readFile(path())).equals(content)).toBe(true);
    }),
    tried(250),
  );
});

test('mending changes the two lengths alone, takes half a frame at most, and nothing from an intact file', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, async (content) => {
      await writeFile(path(), content);
      const before = await said(() => inspectWav(path()));
      const info = await said(() => repairWav(path()));
      const mended = await readFile(path());
      expect(info === undefined).toBe(before === undefined);
      if (info === undefined || before?.header === 'intact') {
        expect(mended.equals(content)).toBe(true);
        return;
      }
      isTrue(info, mended);
      expect(info.header).toBe('intact');
      expect(info.dataBytes).toBe(before?.dataBytes);
      const frameBytes = (info.channels * info.bitsPerSample) / 8;
      expect(content.length - mended.length).toBeLessThan(frameBytes);
      expect(mended.length - content.length).toBeLessThanOrEqual(1);
      const shared = Math.min(content.length, mended.length);
      const changed = Array.from({ length: shared }, (_, at) => at).filter((at) => mended[at] !== content[at]);
      const [first = 0] = changed.filter((at) => at > 7);
      // Of an odd number of bytes the last is the padding now.
      const others = changed.filter((at) => at < 4 || (at > 7 && at > first + 3 && at !== mended.length - 1));
      expect(others).toEqual([]);
      await repairWav(path());
      expect((await readFile(path())).equals(mended)).toBe(true);
    }),
    tried(250),
  );
});

test('no length in a header is believed: what is held in memory has a limit', async () => {
  const alloc = jest.spyOn(Buffer, 'alloc');
  const allocUnsafe = jest.spyOn(Buffer, 'allocUnsafe');
  try {
    for (const id of ['fmt ', 'data', 'LIST', 'ds64']) {
      for (const length of [endless, endless - 1, 0x7fff_ffff, 0x1000_0000]) {
        await writeFile(path(), riff([chunk(id, length, audio), format, chunk('data', length, audio)], { length }));
        await said(() => inspectWav(path()));
        await said(() => repairWav(path()));
      }
    }
    const sizes = [...alloc.mock.calls, ...allocUnsafe.mock.calls].map(([size]) => size);
    expect(sizes.length).toBeGreaterThan(50);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  } finally {
    alloc.mockRestore();
    allocUnsafe.mockRestore();
  }
});

test('a list of chunks without an end is given up', async () => {
  const empty = Buffer.alloc(0);
  const many = Buffer.concat(new Array<Buffer>(500_000).fill(chunk('junk', 0, empty)));
  await writeFile(path(), Buffer.concat([intact.subarray(0, 12), many, format, chunk('data', audio.length, audio)]));
  expect(await said(() => inspectWav(path()))).toBeUndefined();
  // Behind the audio: then the header is not believed, and what follows counts as audio.
  await writeFile(path(), riff([format, chunk('data', audio.length, audio), many]));
  expect(await said(() => inspectWav(path()))).toMatchObject({ header: 'unfinished' });
});

test('a sound file of any bytes is a sound or has a fault in words', () => {
  const bytes = fc.oneof(
    anyFile,
    fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each)),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(...promptFormats), (content, kind) => {
      const sound = readPromptSound(kind, content);
      if (typeof sound === 'string') expect(sound).toMatch(/^(is|has|ends|announces|holds) /);
      else expect(sound.samples.length).toBeLessThanOrEqual(content.length);
    }),
    tried(300),
  );
});

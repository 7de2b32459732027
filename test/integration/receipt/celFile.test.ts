import { appendFile, mkdir, open, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { jest } from '@jest/globals';
import { lastCelLine, readCelLines } from '../../../src/receipt/celFile.ts';
import type { CelLine } from '../../../src/receipt/celLine.ts';
import { celBegin, celEnd, celText } from '../../support/ari/cel.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const start = Date.UTC(2025, 10, 25, 3);
const channel = '1795576835.1';
const minuteMs = 60_000;

const folder = temporaryFolder();
let count = 0;
/** A CEL file in a folder of its own, with this content. */
async function celFile(content?: string | Buffer): Promise<string> {
  const at = folder.path(`${(count += 1)}`);
  await mkdir(at);
  const file = join(at, 'preavis.csv');
  if (content !== undefined) await writeFile(file, content);

  return file;
}

const lines = (at = start, of = channel): string[] => [celBegin(at, of, 'preavis/one'), celEnd(at + 3_000, of)];
const window = { ids: [channel], from: start - 1_000, to: start + minuteMs };
const linesIn = async (file: string): Promise<CelLine[]> => (await readCelLines(file, window)).lines.get(channel) ?? [];
const seen = (found: readonly CelLine[]): string[] => found.map(({ event, at }) => `${event} ${at - start}`);
const both = ['begin 0', 'end 3000'];

describe('the lines of a call', () => {
  test('are found among those of others', async () => {
    const file = await celFile(
      celText([
        ...lines(start - 10, '1795576835.11'),
        ...lines(),
        ...lines(start + 10, '1795576835.0'),
        celEnd(start, `${channel}1`),
      ]),
    );
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('are found for several calls at once, each its own', async () => {
    const other = '1795576835.7';
    const file = await celFile(
      celText([...lines(), ...lines(start + 500, other), ...lines(start + 700, '1795576835.9')]),
    );
    const { lines: found } = await readCelLines(file, { ...window, ids: [channel, other, 'nobody'] });
    expect([...found].map(([of, own]) => [of, seen(own)])).toEqual([
      [channel, both],
      [other, ['begin 500', 'end 3500']],
      ['nobody', []],
    ]);
  });

  test('are only those of its time: a channel id may come again after a restart of the clock', async () => {
    const file = await celFile(celText([...lines(start - 3_600_000), ...lines(), ...lines(start + 3_600_000)]));
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('are given in the order of time, however they stand', async () => {
    const file = await celFile(celText(lines().reverse()));
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('are none while the file is not there, is empty, or is a folder', async () => {
    expect(await linesIn(await celFile())).toEqual([]);
    expect(await linesIn(await celFile(''))).toEqual([]);
    const file = await celFile();
    await mkdir(file);
    expect(await linesIn(file)).toEqual([]);
  });

  test('are found when they come: a line is read when it is whole', async () => {
    const [begin = '', end = ''] = lines();
    const file = await celFile(`${begin}\n${end.slice(0, 20)}`);
    expect(seen(await linesIn(file))).toEqual(['begin 0']);
    await appendFile(file, `${end.slice(20)}\n`);
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('are found by a program that was just started: nothing is remembered', async () => {
    const file = await celFile(celText(lines()));
    expect(seen(await linesIn(file))).toEqual(seen(await linesIn(file)));
  });

  test('cannot be read where the folder is not there: said, not passed over', async () => {
    await expect(linesIn(folder.path('nowhere/preavis.csv'))).rejects.toMatchObject({
      code: 'witness_unusable',
    });
  });

  test('cannot be read through a link that leads to itself', async () => {
    const file = await celFile();
    await symlink(file, file);
    expect(await linesIn(file)).toEqual([]);
    await expect(lastCelLine(file)).rejects.toMatchObject({ code: 'witness_unusable' });
  });
});

describe('a file that was rotated', () => {
  const [begin = '', end = ''] = lines();

  test.each(['.1', '-20261125', '-20261125.old'])('is read on under its new name (%s)', async (suffix) => {
    const file = await celFile(celText([begin]));
    await rename(file, file + suffix);
    await writeFile(file, celText([end]));
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('is read where the new one has not begun yet', async () => {
    const file = await celFile(celText([begin, end]));
    await rename(file, `${file}.1`);
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('by copying and truncating is read in its copy', async () => {
    const file = await celFile(celText([begin]));
    await writeFile(`${file}.1`, celText([begin]));
    await truncate(file, 0);
    await appendFile(file, celText([end]));
    expect(seen(await linesIn(file))).toEqual(both);
  });

  test('before the call began, that was compressed, or that has only a similar name is left alone', async () => {
    const file = await celFile(celText([end]));
    await writeFile(`${file}.1`, celText([begin]));
    const longAgo = (start - minuteMs) / 1_000;
    await utimes(`${file}.1`, longAgo, longAgo);
    await writeFile(`${file}.2.gz`, gzipSync(celText([begin])));
    await writeFile(`${file}x`, celText([begin]));
    expect(seen(await linesIn(file))).toEqual(['end 3000']);
  });
});

describe('a file of any content', () => {
  test('does not hide the lines that are ours: binary bytes, other CSV, open quotes, endless lines', async () => {
    const [begin = '', end = ''] = lines();
    const hostile = [
      Buffer.from(`\u0000\u0001\u0002\n"STREAM_BEGIN","17\n"${'"'.repeat(77)}\n`),
      Buffer.from(`name,number\n"Jan ""J"" Peeters","+3292345678"\n${begin}\n`),
      Buffer.alloc(3_000_000, 'x'),
      Buffer.from(`\n${celBegin(start, channel, 's'.repeat(5_000))}\n${channel},${channel}\n"${channel}\n`),
      Buffer.from([0xff, 0xfe, 0xc3, 0x28, 10]),
      Buffer.from(`${end}\n`),
    ];
    expect(seen(await linesIn(await celFile(Buffer.concat(hostile))))).toEqual(both);
  });

  test('gives no more than a thousand lines of one channel', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => celEnd(start + index, channel));
    expect(await linesIn(await celFile(celText(many)))).toHaveLength(1_000);
  });

  // Were it read whole, or kept, the test would not come to its end.
  test('is not read whole, however large: a terabyte without a line', async () => {
    const file = await celFile(celText(lines()));
    await truncate(file, 2 ** 40);
    expect(seen(await linesIn(file))).toEqual(both);
    expect(await lastCelLine(file)).toBe('foreign');
  });
});

test('a busy day is not read whole: the place of a call is found by its time', async () => {
  // 300 000 lines, some 40 MB; each second three sounds to others.
  const seconds = 50_000;
  const day = Array.from({ length: seconds }, (_, second) =>
    [0, 1, 2].flatMap((other) => lines(start + second * 1_000 + other * 100, `17955700${second}.${other}`)),
  );
  const calls = [0, 1, 17_000, 33_333, seconds - 4].map((second) => ({ second, of: `call.${second}` }));
  for (const { second, of } of calls) day[second]?.push(...lines(start + second * 1_000, of));
  const file = await celFile(celText(day.flat()));
  const handle = await open(file);
  const reads = jest.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'read');
  try {
    const { size } = await handle.stat();
    for (const { second, of } of calls) {
      reads.mockClear();
      const at = start + second * 1_000;
      const found = await readCelLines(file, { ids: [of], from: at - 1_000, to: at + 20_000 });
      expect(found.knownTo).toBe(Number.POSITIVE_INFINITY);
      expect(found.lines.get(of)?.map((line) => line.at)).toEqual([at, at + 3_000]);
      const asked = reads.mock.calls.map(([buffer]) => (buffer as unknown as Buffer).length);
      expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(size / 60);
    }
  } finally {
    reads.mockRestore();
    await handle.close();
  }
});

describe('what is left out', () => {
  const never = Number.NEGATIVE_INFINITY;
  const other = '1795576835.7';

  test('is nothing in a file that is read to the end of its time', async () => {
    const found = await readCelLines(await celFile(celText(lines())), window);
    expect(found).toMatchObject({ knownTo: Number.POSITIVE_INFINITY, aliveTo: start + 3_000 });
    expect(await readCelLines(await celFile(), window)).toMatchObject({
      knownTo: Number.POSITIVE_INFINITY,
      aliveTo: never,
    });
  });

  test('is told with the time from which on it is: more than a thousand lines of one channel', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => celEnd(start + 10 * index, channel));
    const { knownTo } = await readCelLines(await celFile(celText(many)), window);
    expect(knownTo).toBe(start + 10_000 - 5_000);
  });

  test('is told so: more lines of others than are read', async () => {
    // 5 ms apart, of some 4 kB each: 32 MiB are over before the minute is.
    const long = (at: number): string => celBegin(at, other, 's'.repeat(3_900));
    const file = await celFile(
      celText([...lines(), ...Array.from({ length: 10_000 }, (_, at) => long(start + 5 * at))]),
    );
    const { knownTo } = await readCelLines(file, window);
    expect(knownTo).toBeGreaterThan(start + 30_000);
    expect(knownTo).toBeLessThan(start + 45_000);
  });

  test('may be everything where a file that it was renamed to is compressed, or where there are more than eight', async () => {
    const compressed = await celFile(celText(lines()));
    await writeFile(`${compressed}.1.gz`, gzipSync(celText(lines())));
    expect((await readCelLines(compressed, window)).knownTo).toBe(never);
    const many = await celFile(celText(lines()));
    for (let number = 1; number <= 8; number += 1) await writeFile(`${many}.${number}`, celText(lines()));
    expect((await readCelLines(many, window)).knownTo).toBe(never);
  });

  test('does not hide when Asterisk wrote last, whoever it was about', async () => {
    const file = await celFile(
      celText([...lines(), celEnd(start + 20_000, other), '"CHAN_END","1795576899.0","1",""']),
    );
    expect((await readCelLines(file, window)).aliveTo).toBe(start + 20_000);
  });
});

describe('the last line', () => {
  test('is that of the last sound, whatever stands behind it', async () => {
    const file = await celFile(celText([...lines(), '"CHAN_END","1795576840.000000","1795576835.1",""']));
    expect(await lastCelLine(file)).toMatchObject({ event: 'end', at: start + 3_000 });
  });

  test('is none in an empty file or one that is not there, and foreign where no line is ours', async () => {
    expect(await lastCelLine(await celFile())).toBe('none');
    expect(await lastCelLine(await celFile(''))).toBe('none');
    expect(await lastCelLine(await celFile('"STREAM_END","2026-11-25 03:20:35","1795576835.0",""\n'))).toBe('foreign');
    await expect(lastCelLine(folder.path('nowhere/preavis.csv'))).rejects.toMatchObject({ code: 'witness_unusable' });
  });
});

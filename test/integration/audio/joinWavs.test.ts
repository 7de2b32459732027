import { execFile } from 'node:child_process';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import wavefile from 'wavefile';
import { joinWavs } from '../../../src/audio/joinWavs.ts';
import { inspectWav } from '../../../src/audio/wav.ts';
import { presentMs, readChannels, readWav, writeWav } from '../../support/audio/audio.ts';
import { join, tones } from '../../support/audio/soundMaking.ts';
import { built } from '../../support/built.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let files = 0;
const newFile = (): string => folder.path(`${(files += 1)}.wav`);

function part(samples: Int16Array): string {
  const file = newFile();
  writeWav(file, samples);

  return file;
}

const sounds = [440, 700, 1_000].map((hz) => tones(500, [hz], 8_000));

describe('parts of a recording', () => {
  test('are one after another in the whole, sample by sample, under a header that is right', async () => {
    const whole = newFile();
    await joinWavs(sounds.map(part), whole);
    expect(await inspectWav(whole)).toMatchObject({
      sampleRate: 8_000,
      channels: 1,
      header: 'intact',
      durationMs: 1_500,
    });
    expect(Buffer.from(readWav(whole).buffer)).toEqual(Buffer.from(join(...sounds).buffer));
  });

  test('whose header Asterisk did not finish add all that they have', async () => {
    const unfinished = part(tones(500, [440], 8_000));
    const content = await readFile(unfinished);
    content.writeUInt32LE(0, 4);
    content.writeUInt32LE(0, 40);
    await writeFile(unfinished, content);
    const whole = newFile();
    await joinWavs([unfinished, part(tones(500, [700], 8_000))], whole);
    expect(await inspectWav(whole)).toMatchObject({ header: 'intact', durationMs: 1_000 });
  });

  test('give the whole the time of the last that was written', async () => {
    const [one, two] = [part(tones(100, [440], 8_000)), part(tones(100, [700], 8_000))];
    await utimes(one, 1_700_000_000, 1_700_000_000);
    await utimes(two, 1_700_000_050, 1_700_000_050);
    const whole = newFile();
    await joinWavs([one, two], whole);
    expect((await stat(whole)).mtimeMs).toBe(1_700_000_050_000);
  });

  test('of a form that Asterisk does not make are refused', async () => {
    const other = part(tones(100, [440], 8_000));
    const content = await readFile(other);
    content.writeUInt32LE(11_025, 24);
    await writeFile(other, content);
    await expect(joinWavs([part(tones(100, [440], 8_000)), other], newFile())).rejects.toMatchObject({
      code: 'wav_invalid',
    });
  });

  test('that are no WAV are left out, and told; where none is one, that is an error', async () => {
    const empty = newFile();
    await writeFile(empty, '');
    const whole = newFile();
    expect([...(await joinWavs([empty, part(tones(500, [440], 8_000))], whole))]).toEqual(['mono']);
    expect(presentMs(readWav(whole), 440)).toBeGreaterThan(400);
    await expect(joinWavs([empty, empty], newFile())).rejects.toMatchObject({ code: 'wav_invalid' });
  });

  test('are not written over a file that is there', async () => {
    const there = part(tones(100, [440], 8_000));
    await expect(joinWavs([part(tones(100, [700], 8_000))], there)).rejects.toMatchObject({ code: 'spool_unusable' });
  });
});

const whole = async (parts: Parameters<typeof joinWavs>[0]) => {
  const file = newFile();
  const lacks = await joinWavs(parts, file);

  return { ...readChannels(file), lacks: [...lacks] };
};

describe('the two sides of a part', () => {
  const [told, others] = [tones(1_000, [440], 8_000), tones(1_000, [1_000], 8_000)];

  test('are the two channels of the whole: the told side left, the others right', async () => {
    const { rate, channels, lacks } = await whole([{ told: part(told), others: part(others) }]);
    expect([rate, channels.length, lacks]).toEqual([8_000, 2, []]);
    expect(channels).toEqual([told, others]);
  });

  test.each([
    [100, [0, 100]],
    [-40, [40, 0]],
  ])('of which the others began %d ms later are together: there is silence before', async (othersLateMs, begin) => {
    const { channels, lacks } = await whole([{ told: part(told), others: part(others), othersLateMs }]);
    const begins = channels.map((samples) => Math.floor(samples.findIndex((each) => each !== 0) / 8));
    expect([begins, lacks]).toEqual([begin, []]);
    expect(channels.map((samples) => samples.length / 8)).toEqual(
      [1_000, 1_000].map((ms) => ms + Math.abs(othersLateMs)),
    );
  });

  test('of which one is missing, is no WAV, or ends early, are the other and silence; that is told', async () => {
    const empty = newFile();
    await writeFile(empty, '');
    const cases = [{ told: part(told) }, { told: part(told), others: empty }];
    for (const sides of cases) {
      const { channels, lacks } = await whole([sides]);
      expect(lacks).toEqual(['others']);
      expect(channels).toEqual([told, new Int16Array(told.length)]);
    }
    const early = await whole([{ told: part(told.subarray(0, 2_000)), others: part(others) }]);
    expect(early.lacks).toEqual(['told']);
    expect(early.channels[0]?.length).toBe(others.length);
  });

  test('follow those of the part before, and a part in one file is in both', async () => {
    const { channels } = await whole([{ told: part(told), others: part(others) }, part(told)]);
    expect(channels.map((samples) => samples.length)).toEqual([16_000, 16_000]);
    expect(channels.map((samples) => presentMs(samples.subarray(8_000), 440) > 900)).toEqual([true, true]);
  });
});

test('parts of two rates get the higher one, and sound the same', async () => {
  const fast = newFile();
  const sound = new wavefile.WaveFile();
  // 8000 samples of a tone of 500 Hz at 8000 Hz are half a second of one of 1000 Hz at 16,000 Hz.
  sound.fromScratch(1, 16_000, '16', tones(1_000, [500], 8_000));
  await writeFile(fast, sound.toBuffer());
  const slow = tones(500, [1_000], 8_000);
  const { rate, channels } = await whole([part(slow), fast]);
  expect(rate).toBe(16_000);
  const [samples = new Int16Array()] = channels;
  expect(samples.length).toBe(16_000);
  expect(presentMs(samples, 500, { share: 0.98 })).toBeGreaterThan(1_900);
});

/** In a process that may have no more than 64 files open, some 20 of which Node has. */
async function joinedByFewDescriptors(parts: Parameters<typeof joinWavs>[0]): Promise<string> {
  const target = newFile();
  const program = `const { joinWavs } = await import('${built('audio/joinWavs.ts')}');
    await joinWavs(${JSON.stringify(parts)}, '${target}');`;
  const node = [process.execPath, '--input-type=module', '--eval', program];
  await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node]);

  return target;
}

test('parts may be more than a process may have files open, also with a file for each side', async () => {
  const pieces = Array.from({ length: 100 }, (_none, index) => new Int16Array(160).fill(index + 1));
  const plain = await joinedByFewDescriptors(pieces.map(part));
  expect(readWav(plain)).toEqual(join(...pieces));
  const sided = await joinedByFewDescriptors(pieces.map((piece) => ({ told: part(piece), others: part(piece) })));
  expect(readChannels(sided).channels).toEqual([join(...pieces), join(...pieces)]);
});

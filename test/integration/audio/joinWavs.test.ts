import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { joinWavs } from '../../../src/audio/joinWavs.ts';
import { inspectWav } from '../../../src/audio/wav.ts';
import { readWav, writeWav } from '../../support/audio/audio.ts';
import { join, tones } from '../../support/audio/soundMaking.ts';
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

  test('of another format than the first are refused', async () => {
    const other = part(tones(100, [440], 8_000));
    const content = await readFile(other);
    content.writeUInt32LE(16_000, 24);
    await writeFile(other, content);
    await expect(joinWavs([part(tones(100, [440], 8_000)), other], newFile())).rejects.toMatchObject({
      code: 'wav_invalid',
    });
  });

  test('are not written over a file that is there', async () => {
    const there = part(tones(100, [440], 8_000));
    await expect(joinWavs([part(tones(100, [700], 8_000))], there)).rejects.toMatchObject({ code: 'spool_unusable' });
  });
});

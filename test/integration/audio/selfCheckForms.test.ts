/** The self-check of recordings with two channels, and of those with 16,000 Hz. */
import { writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import wavefile from 'wavefile';
import { checkRecording, type SelfCheck } from '../../../src/audio/selfCheck.ts';
import { inspectWav, silenceWav } from '../../../src/audio/wav.ts';
import { readChannels, readWav, rms } from '../../support/audio/audio.ts';
import { aLaw, cut, join, noise, silence, tones } from '../../support/audio/soundMaking.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const sounds = joinPath(import.meta.dirname, '../../../sounds');
const read = (name: string): Int16Array => readWav(joinPath(sounds, `${name}.wav`));
const notice = { id: 'fr/no-answer', samples: read('fr/no-answer') };
const others = read('nl/turned-away');

let files = 0;
async function fileOf(channels: readonly Int16Array[], rate = 8_000): Promise<string> {
  const file = folder.path(`${(files += 1)}.wav`);
  const wav = new wavefile.WaveFile();
  wav.fromScratch(channels.length, rate, '16', channels.length === 1 ? (channels[0] ?? []) : [...channels]);
  await writeFile(file, wav.toBuffer());

  return file;
}

const check = (file: string): Promise<SelfCheck> => checkRecording(file, { prompts: [notice], expectedMs: undefined });
const kinds = ({ findings }: SelfCheck): string[] => findings.map(({ kind }) => kind);

/** Each sample twice: the same sound at 16,000 Hz, but for images above 4000 Hz. */
const doubled = (samples: Int16Array): Int16Array =>
  Int16Array.from({ length: 2 * samples.length }, (_none, index) => samples[index >> 1] ?? 0);

const fit = (samples: Int16Array, ms: number): Int16Array => cut(join(samples, silence(ms)), 0, ms);

describe('a recording with two channels', () => {
  const ms = 12_000;
  const talk = fit(others, ms);
  const told = fit(join(silence(1_500), notice.samples), ms);

  test.each([
    ['left', [told, talk]],
    ['right', [talk, told]],
  ])('has the notice found in its %s one', async (_which, channels) => {
    const found = await check(await fileOf(channels));
    expect(kinds(found)).toEqual(['notice_inside']);
    expect(found.wav).toMatchObject({ channels: 2, durationMs: ms });
    const [finding] = found.findings;
    if (finding?.kind !== 'notice_inside') throw new Error('nothing was found');
    expect(Math.abs(finding.atMs - finding.promptFromMs - 1_500)).toBeLessThan(5);
  });

  test('is as loud as its louder channel, and clipped where one of them is, not where their sum would be', async () => {
    const loud = tones(3_000, [440], 20_000);
    const both = await check(await fileOf([loud, loud]));
    expect(kinds(both)).toEqual([]);
    expect(both.measured.loudestDbfs).toBeCloseTo(20 * Math.log10(20_000 / Math.SQRT2 / 32_768), 0);
    const clipped = loud.map((each) => Math.max(-32_767, Math.min(32_767, each * 4)));
    expect(kinds(await check(await fileOf([silence(3_000), clipped])))).toEqual(['clipped']);
  });

  test('is silent where both are', async () => {
    expect(kinds(await check(await fileOf([silence(2_000), silence(2_000)])))).toEqual(['silent']);
    expect(kinds(await check(await fileOf([silence(2_000), noise(2_000, 3_000)])))).toEqual([]);
  });

  test('is made silent in both, for as long as was asked', async () => {
    const file = await fileOf([noise(3_000, 8_000), noise(3_000, 8_000, 2)]);
    await silenceWav(file, [{ from: 1_000, to: 2_000 }]);
    expect((await inspectWav(file)).durationMs).toBe(3_000);
    for (const samples of readChannels(file).channels) {
      expect(rms(samples.subarray(8_000, 16_000))).toBe(0);
      for (const part of [samples.subarray(0, 8_000), samples.subarray(16_000)]) {
        expect(rms(part)).toBeGreaterThan(1_000);
        expect([part.at(0), part.at(-1)]).not.toContain(0);
      }
    }
  });
});

describe('a recording at 16,000 Hz', () => {
  test('has the notice found at its place, and its lengths told in time', async () => {
    const samples = doubled(aLaw(fit(join(silence(1_500), notice.samples), 12_000)));
    const found = await check(await fileOf([samples], 16_000));
    expect(kinds(found)).toEqual(['notice_inside']);
    expect(found.wav).toMatchObject({ sampleRate: 16_000, durationMs: 12_000 });
    const [finding] = found.findings;
    if (finding?.kind !== 'notice_inside') throw new Error('nothing was found');
    expect(Math.abs(finding.atMs - finding.promptFromMs - 1_500)).toBeLessThan(5);
  });

  test('and two channels with a long silence has it told in time', async () => {
    const samples = doubled(join(tones(1_000, [440], 8_000), silence(61_000), tones(1_000, [440], 8_000)));
    const { findings } = await check(await fileOf([samples, samples], 16_000));
    expect(findings).toEqual([{ kind: 'long_silence', atMs: 1_000, ms: 61_000 }]);
  });

  test('is made silent where it was asked', async () => {
    const file = await fileOf([doubled(noise(3_000, 8_000))], 16_000);
    await silenceWav(file, [{ from: 1_000, to: 2_000 }]);
    const [samples = new Int16Array()] = readChannels(file).channels;
    expect(rms(samples.subarray(16_000, 32_000))).toBe(0);
    expect([samples.at(15_999), samples.at(32_000)]).not.toContain(0);
  });
});

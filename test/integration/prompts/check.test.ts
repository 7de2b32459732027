import { createHash } from 'node:crypto';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPromptFiles, type PromptFinding } from '../../../src/prompts/check.ts';
import { loadPrompts, promptTexts, readPromptSource } from '../../../src/prompts/library.ts';
import { plainWav, promptFormats, type Sound } from '../../../src/prompts/soundFile.ts';
import { activeSpeechLevel, peakLevel, speechSpan } from '../../../src/prompts/loudness.ts';
import { makePromptFolder, type PromptFolder, shippedSound } from '../../support/policy/promptFolder.ts';

const sentence = 'Cet appel peut être enregistré à des fins de formation et de qualité, et conservé un mois au plus.';

let folder: PromptFolder;

beforeEach(async () => {
  folder = makePromptFolder();
  await folder.yaml(`
languages: { fr: { made: placeholder, voice: a } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { fr: "${sentence}" } }
`);
  await folder.ship('fr/notice-training', 'fr/notice');
});
afterEach(() => {
  folder.remove();
});

/** The same folder, spoken by a person. */
const asRecording = (): Promise<void> =>
  folder.yaml(`
languages: { fr: { made: recording, voice: a } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { fr: "${sentence}" } }
`);

async function findings(): Promise<PromptFinding[]> {
  return checkPromptFiles(await loadPrompts(folder.path), folder.path);
}

const kinds = (list: readonly PromptFinding[]): string[] => list.map(({ format, what }) => `${format} ${what}`);

const louder = (sound: Sound, decibels: number): Sound => ({
  rate: sound.rate,
  samples: sound.samples.map((sample) => Math.max(-32768, Math.min(32767, sample * 10 ** (decibels / 20)))),
});

const withSilence = (sound: Sound, leadMs: number, tailMs: number): Sound => {
  const lead = (leadMs * sound.rate) / 1000;
  const samples = new Int16Array(lead + sound.samples.length + (tailMs * sound.rate) / 1000);
  samples.set(sound.samples, lead);
  return { rate: sound.rate, samples };
};

/** Only the WAV, changed; the other formats go, so that what is found is about the change. */
async function onlyWav(change: (sound: Sound) => Sound): Promise<void> {
  for (const format of promptFormats) await rm(join(folder.path, `fr/notice.${format}`));
  await folder.write('fr/notice.wav', plainWav(change(await shippedSound('fr/notice-training', 'wav'))));
}

const aboutWav = async (): Promise<PromptFinding[]> => (await findings()).filter(({ format }) => format === 'wav');

test('a good prompt in all formats has no findings', async () => {
  expect(await findings()).toEqual([]);
});

test('a recording whose peaks were cut off is found, although its level is right', async () => {
  await asRecording();
  await onlyWav((sound) => {
    const clipped = louder(sound, 30);
    return louder(clipped, -22 - activeSpeechLevel(clipped));
  });
  expect(await aboutWav()).toMatchObject([
    { what: 'clipped', measured: expect.stringMatching(/^peaks \d\.\d dB/) as string },
  ]);
});

test('a recording that was a little too loud, and is right now, has no findings', async () => {
  await asRecording();
  await onlyWav((sound) => louder(louder(sound, 3), -3));
  expect(await aboutWav()).toEqual([]);
});

test('a format that is not there is named', async () => {
  await rm(join(folder.path, 'fr/notice.g722'));
  expect(await findings()).toEqual([
    { prompt: 'notice', language: 'fr', format: 'g722', what: 'missing', measured: 'no file', allowed: 'a .g722 file' },
  ]);
});

test('a recording needs only its WAV', async () => {
  await asRecording();
  for (const format of ['wav16', 'ulaw', 'alaw', 'g722']) await rm(join(folder.path, `fr/notice.${format}`));
  expect(await findings()).toEqual([]);
  await folder.ship('fr/opt-in', 'fr/notice', ['alaw']);
  expect(kinds(await findings())).toContain('alaw content');
});

test('a WAV that is not there or cannot be played is found, not thrown', async () => {
  await asRecording();
  await rm(join(folder.path, 'fr/notice.wav'));
  const prompts = promptTexts(await readPromptSource(folder.path));
  expect(kinds(await checkPromptFiles({ prompts }, folder.path))).toEqual(['wav missing']);
  await folder.write('fr/notice.wav', plainWav(await shippedSound('fr/notice-training', 'wav16')));
  expect(kinds(await checkPromptFiles({ prompts }, folder.path))).toEqual(['wav format']);
});

test('a text that was changed after its sound was made is found', async () => {
  const wav = await readFile(join(folder.path, 'fr/notice.wav'));
  const sha256 = createHash('sha256').update(wav).digest('hex');
  const origin = { text: 'Cet appel est enregistré.', voice: 'a', source: null, sha256 };
  await folder.write('made.json', Buffer.from(JSON.stringify({ 'fr/notice': origin })));
  const prompts = promptTexts(await readPromptSource(folder.path));
  expect(await checkPromptFiles({ prompts }, folder.path)).toEqual([
    expect.objectContaining({ what: 'text', measured: 'made from "Cet appel est enregistré."' }),
  ]);
});

test('a placeholder that is left in a recorded language is found', async () => {
  await asRecording();
  const wav = await readFile(join(folder.path, 'fr/notice.wav'));
  const sha256 = createHash('sha256').update(wav).digest('hex');
  const made = (source: string | null): Promise<void> => {
    const origin = { text: sentence, voice: 'espeak-ng fr-be', source, sha256 };
    return folder.write('made.json', Buffer.from(JSON.stringify({ 'fr/notice': origin })));
  };
  await made('0123');
  expect(await findings()).toEqual([]);
  await made(null);
  expect(await findings()).toEqual([
    expect.objectContaining({ what: 'voice', measured: 'spoken by espeak-ng fr-be', allowed: 'a recording' }),
  ]);
});

test('one WAV for two sentences is found', async () => {
  await folder.yaml(`
languages: { fr: { made: recording, voice: a } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { fr: "${sentence}" } }
  again: { kind: purpose, wording: may, purposes: [agreement], text: { fr: "${sentence}" } }
`);
  await folder.ship('fr/notice-training', 'fr/again');
  const prompts = promptTexts(await readPromptSource(folder.path));
  expect(await checkPromptFiles({ prompts }, folder.path)).toEqual([
    expect.objectContaining({ prompt: 'again', what: 'content', measured: 'the same file as fr/notice.wav' }),
  ]);
});

test('an 8 kHz file under the wideband name is found', async () => {
  await copyFile(join(folder.path, 'fr/notice.wav'), join(folder.path, 'fr/notice.wav16'));
  const [finding] = await findings();
  expect(finding).toMatchObject({ format: 'wav16', what: 'format', measured: 'has 8000 Hz, must be 16000 Hz' });
});

test.each(['wav16', 'ulaw', 'alaw', 'g722'] as const)('another sentence in the %s file is found', async (format) => {
  await folder.ship('fr/opt-in', 'fr/notice', [format]);
  expect(kinds(await findings())).toContain(`${format} content`);
});

test('another sentence of the same length is found', async () => {
  const wav = await shippedSound('fr/notice-training', 'wav');
  const other = await shippedSound('fr/notice-both', 'wav16');
  const cut: Sound = { rate: 16000, samples: other.samples.slice(0, wav.samples.length * 2) };
  await folder.write('fr/notice.wav16', plainWav(cut));
  expect(kinds(await findings())).toContain('wav16 content');
});

test('mu-law under the A-law name is found, by its level', async () => {
  await copyFile(join(folder.path, 'fr/notice.ulaw'), join(folder.path, 'fr/notice.alaw'));
  expect(kinds(await findings())).toContain('alaw content');
});

test('a quiet prompt is found, with what was measured', async () => {
  await onlyWav((sound) => louder(sound, -6));
  const [finding, ...others] = await aboutWav();
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ what: 'level', allowed: '-23 to -21 dBov' });
  expect(finding?.measured).toMatch(/^-2[78]\.\d dBov$/);
});

test('a loud and clipped prompt is found', async () => {
  await onlyWav((sound) => louder(sound, 12));
  expect(kinds(await aboutWav())).toEqual(['wav level', 'wav peak']);
});

test('words that begin or end with the file are found', async () => {
  await onlyWav((sound) => ({ rate: 8000, samples: sound.samples.slice(8 * 120, -8 * 200) }));
  expect(kinds(await aboutWav())).toEqual(['wav lead', 'wav tail']);
});

test('a long silence before or after the words is found', async () => {
  await onlyWav((sound) => withSilence(sound, 1000, 1000));
  expect(kinds(await aboutWav())).toEqual(['wav lead', 'wav tail']);
});

test('half a sentence is found by its pace', async () => {
  await onlyWav((sound) =>
    withSilence({ rate: 8000, samples: sound.samples.slice(0, sound.samples.length / 3) }, 0, 250),
  );
  expect(kinds(await aboutWav())).toContain('wav pace');
});

test('silence is found', async () => {
  await onlyWav((sound) => ({ rate: 8000, samples: new Int16Array(sound.samples.length) }));
  expect(await aboutWav()).toEqual([expect.objectContaining({ what: 'level', measured: '-Infinity dBov' })]);
});

describe('the level meter', () => {
  const tone = (amplitude: number, onMs: number, offMs: number): Sound => ({
    rate: 8000,
    samples: Int16Array.from({ length: 8 * 4 * (onMs + offMs) }, (_, index) =>
      index % (8 * (onMs + offMs)) < 8 * onMs
        ? Math.round(amplitude * Math.sin((2 * Math.PI * 1000 * index) / 8000))
        : 0,
    ),
  });

  test('a tone of RMS 2600 is -22 dBov, as RFC 7874 says', () => {
    expect(activeSpeechLevel(tone(2600 * Math.SQRT2, 1000, 0))).toBeCloseTo(-22, 1);
  });

  test('long pauses do not count', () => {
    const level = activeSpeechLevel(tone(2600 * Math.SQRT2, 3000, 3000));
    expect(Math.abs(level + 22)).toBeLessThan(0.5);
  });

  test('hum below the telephone band does not count', () => {
    const hum = Int16Array.from({ length: 16000 }, (_, index) => 8000 * Math.sin((2 * Math.PI * 50 * index) / 8000));
    expect(activeSpeechLevel({ rate: 8000, samples: hum })).toBeLessThan(-42);
  });

  test('the largest sample is the peak', () => {
    expect(peakLevel({ rate: 8000, samples: Int16Array.from([0, -16384, 3]) })).toBeCloseTo(-6.02, 2);
  });

  test('speech is found between its silences', () => {
    const sound = withSilence(tone(8000, 500, 0), 100, 300);
    expect(speechSpan(sound)).toEqual({ from: 800, to: 800 + 16000 });
  });
});

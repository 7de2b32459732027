import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPromptFiles } from '../../../src/prompts/check.ts';
import { originOf, readOrigins } from '../../../src/prompts/origins.ts';
import { loadPrompts, promptFile, type PromptLibrary, readPromptSource } from '../../../src/prompts/library.ts';
import { promptFormats, readPromptSound, soundLengthMs } from '../../../src/prompts/soundFile.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';

const languages = ['fr', 'nl', 'de', 'en'];
const ids = [
  ...['notice-training', 'notice-agreement', 'notice-both', 'keep-training', 'keep-agreement', 'keep-both'],
  ...['notice-mifid', 'opt-out', 'opt-out-ack', 'opt-in', 'opt-in-ack', 'no-answer', 'erased-ack'],
  ...['rec-paused', 'rec-resumed', 'rec-stopped', 'choose-lang', 'turned-away'],
];

let library: PromptLibrary;

beforeAll(async () => {
  library = await loadPrompts(shippedSounds);
});

test('every prompt is shipped in every language', () => {
  expect(library.languages).toEqual(languages);
  expect(library.prompts.map(({ id, language }) => `${id} ${language}`)).toEqual(
    ids.flatMap((id) => languages.map((language) => `${id} ${language}`)),
  );
});

test('every format of every prompt has the right form, level, peak, silence and words', async () => {
  expect(await checkPromptFiles(library, shippedSounds)).toEqual([]);
});

test('no file is shipped that no prompt needs', async () => {
  for (const language of languages) {
    const expected = ids.flatMap((id) => promptFormats.map((format) => `${id}.${format}`));
    expect((await readdir(join(shippedSounds, language))).sort()).toEqual(expected.sort());
  }
});

test('the sound name carries the hash of the WAV', async () => {
  for (const prompt of library.prompts) {
    const bytes = await readFile(promptFile(shippedSounds, prompt, 'wav'));
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(prompt.sha256).toBe(hash);
    expect(prompt.soundName).toBe(`preavis/${prompt.id}-${hash.slice(0, 12)}`);
  }
});

test('the length is that of the audio in the file', async () => {
  for (const prompt of library.prompts) {
    const { size } = await stat(promptFile(shippedSounds, prompt, 'wav'));
    expect(prompt.lengthMs).toBe(Math.round((size - 44) / 16));
    expect(prompt.lengthMs).toBeGreaterThan(1500);
    expect(prompt.lengthMs).toBeLessThan(10_000);
  }
});

test('the words of all formats begin and end with the silence of the build', async () => {
  for (const prompt of library.prompts) {
    const wav = readPromptSound('wav', await readFile(promptFile(shippedSounds, prompt, 'wav')));
    const wide = readPromptSound('wav16', await readFile(promptFile(shippedSounds, prompt, 'wav16')));
    if (typeof wav === 'string' || typeof wide === 'string') throw new Error(`${prompt.language}/${prompt.id}`);
    const silent = (samples: Int16Array): boolean => !samples.some((sample) => sample !== 0);
    expect(silent(wav.samples.subarray(0, 8 * 130))).toBe(true);
    expect(silent(wide.samples.subarray(0, 16 * 130))).toBe(true);
    expect(silent(wav.samples.subarray(-8 * 230))).toBe(true);
    expect(Math.abs(soundLengthMs(wav) - soundLengthMs(wide))).toBeLessThanOrEqual(20);
  }
});

test('every set of purposes has a notice of what for and how long, in every language', () => {
  for (const language of languages) {
    const notice = (...purposes: string[]): string[] | undefined =>
      library.noticeFor(purposes, language)?.map(({ id }) => id);
    expect(notice('training')).toEqual(['notice-training', 'keep-training']);
    expect(notice('agreement')).toEqual(['notice-agreement', 'keep-agreement']);
    expect(notice('agreement', 'training')).toEqual(['notice-both', 'keep-both']);
  }
});

test('a month is promised for training, and thirteen months for an agreement, each counted at its shortest', () => {
  for (const language of languages) {
    expect(library.find('keep-training', language)?.statesMaxDays).toEqual({ training: 28 });
    expect(library.find('keep-agreement', language)?.statesMaxDays).toEqual({ agreement: 393 });
    expect(library.find('keep-both', language)?.statesMaxDays).toEqual({ training: 28, agreement: 393 });
  }
});

test('a call under MiFID II is told in one sentence that it is recorded and kept for five years', () => {
  for (const language of languages) {
    const notice = library.noticeFor(['mifid'], language);
    expect(notice?.map(({ id }) => id)).toEqual(['notice-mifid']);
    expect(notice?.[0]).toMatchObject({ wording: 'is', statesMaxDays: { mifid: 1827 } });
  }
});

const mayWords = {
  fr: 'peut être enregistré',
  nl: 'kan worden opgenomen',
  de: /kann .* aufgezeichnet/,
  en: 'may be recorded',
};
test.each(Object.entries(mayWords))('a sentence in %s is worded may exactly if it says so', (language, words) => {
  const sentences = library.prompts.filter((prompt) => prompt.language === language && prompt.wording !== null);
  expect(sentences).toHaveLength(4);
  for (const { text, wording } of sentences) {
    expect(new RegExp(words).test(text) ? 'may' : 'is').toBe(wording);
  }
});

const digitWords: Record<string, string[]> = {
  fr: ['un', 'deux', 'trois', 'quatre', 'neuf'],
  nl: ['één', 'twee', 'drie', 'vier', 'negen'],
  de: ['Eins', 'Zwei', 'Drei', 'Vier', 'Neun'],
  en: ['one', 'two', 'three', 'four', 'nine'],
};
test.each(languages)(
  'the sentences in %s say exactly the keys that are obeyed, in the order of the words',
  (language) => {
    const said = (kind: 'optOut' | 'optIn' | 'chooseLanguage'): string[] => {
      const words = library.single(kind, language)?.text.match(/[\p{L}]+/gu) ?? [];
      return words.flatMap((word, index) => {
        const digit = digitWords[language]?.indexOf(word) ?? -1;
        // "appuyez sur un", not "un accord".
        const asked = words.slice(Math.max(0, index - 3), index).some((near) => /^(sur|op|die|press)$/.test(near));
        return digit < 0 || !asked ? [] : [['1', '2', '3', '4', '9'][digit] ?? ''];
      });
    };
    const keys = (kind: 'optOut' | 'optIn' | 'chooseLanguage') => library.single(kind, language)?.keys;
    expect(said('optOut')).toEqual([keys('optOut')?.refuse]);
    expect(said('optIn')).toEqual([keys('optIn')?.accept, keys('optIn')?.refuse]);
    expect(said('chooseLanguage')).toEqual([keys('chooseLanguage')?.choose]);
  },
);

test('every WAV was made from the words of prompts.yaml', async () => {
  const origins = await readOrigins(shippedSounds);
  expect(library.prompts.map((prompt) => originOf(origins, prompt)?.text)).toEqual(
    library.prompts.map(({ text }) => text),
  );
  expect(origins.size).toBe(library.prompts.length);
});

test('the synthesised voices are labelled as placeholders, in the file and in the manual', async () => {
  const source = await readPromptSource(shippedSounds);
  for (const { made, voice } of Object.values(source.languages)) {
    if (voice.startsWith('espeak')) expect(made).toBe('placeholder');
  }
  expect(await readFile(join(shippedSounds, 'README.md'), 'utf8')).toContain('are placeholders');
});

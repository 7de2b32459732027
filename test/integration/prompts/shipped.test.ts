import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPromptFiles } from '../../../src/prompts/check.ts';
import { originOf, readOrigins } from '../../../src/prompts/origins.ts';
import { loadPrompts, promptFile, type PromptLibrary, readPromptSource } from '../../../src/prompts/library.ts';
import { promptFormats, readPromptSound, soundLengthMs } from '../../../src/prompts/soundFile.ts';
import type { ConsentMode } from '../../../src/config/consent.ts';
import { spokenIn } from '../../../src/policy/spokenIn.ts';
import { makePromptFolder, shippedSounds } from '../../support/policy/promptFolder.ts';

const languages = ['fr', 'nl', 'de', 'en', 'es', 'it'];
const ids = [
  ...['notice-training', 'notice-agreement', 'notice-both', 'notice-mifid', 'opt-out'],
  ...['opt-out-ack', 'opt-in', 'opt-in-ack', 'no-answer', 'erased-ack'],
  ...['rec-paused', 'rec-resumed', 'choose-lang', 'turned-away'],
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
    expect(prompt.lengthMs).toBeLessThan(10_500);
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

test('every set of purposes has one sentence of what for and how long, in every language', () => {
  for (const language of languages) {
    const notice = (...purposes: string[]): string[] | undefined =>
      library.noticeFor(purposes, language)?.map(({ id }) => id);
    expect(notice('training')).toEqual(['notice-training']);
    expect(notice('agreement')).toEqual(['notice-agreement']);
    expect(notice('agreement', 'training')).toEqual(['notice-both']);
    expect(notice('mifid')).toEqual(['notice-mifid']);
  }
});

test('a month is promised for training, and thirteen months for an agreement, each counted at its shortest', () => {
  for (const language of languages) {
    expect(library.find('notice-training', language)?.statesMaxDays).toEqual({ training: 28 });
    expect(library.find('notice-agreement', language)?.statesMaxDays).toEqual({ agreement: 393 });
    expect(library.find('notice-both', language)?.statesMaxDays).toEqual({ training: 28, agreement: 393 });
  }
});

test('a call under MiFID II is told that it is recorded and kept for five years, for seven if the authority asks', () => {
  for (const language of languages) {
    expect(library.noticeFor(['mifid'], language)?.[0]).toMatchObject({
      wording: 'is',
      statesMinDays: { mifid: 1827 },
      statesMaxDays: { mifid: 1827 },
      statesHeldDays: { mifid: 2557 },
    });
  }
});

/** As each line of the shipped purposes says it, by the WAV headers, s. */
describe('how long a caller waits', () => {
  const spoken = (language: string, purposes: string[], mode: ConsentMode): number => {
    const policy = { notice: library.noticeFor.bind(library), sentence: library.single.bind(library) };
    const prompts = spokenIn(policy, purposes, language, mode);
    expect(prompts.length).toBe(mode === 'announce' ? 1 : 2);
    const samples = prompts.map(({ id }) => {
      const sound = readPromptSound('wav', readFileSync(promptFile(shippedSounds, { id, language }, 'wav')));
      if (typeof sound === 'string') throw new Error(`${language}/${id}`);

      return sound.samples.length / sound.rate;
    });

    return samples.reduce((sum, each) => sum + each, 0);
  };

  test.each<[string, string[], ConsentMode, number]>([
    ['fr', ['training'], 'optOut', 8.5],
    ['en', ['training'], 'optOut', 8.5],
    ['nl', ['training'], 'optOut', 10],
    ['de', ['training'], 'optOut', 8.5],
    ['es', ['training'], 'optOut', 8.5],
    ['it', ['training'], 'optOut', 8.5],
    ['es', ['training'], 'optIn', 11],
    ['it', ['training'], 'optIn', 11],
    ['es', ['agreement'], 'announce', 8.5],
    ['it', ['agreement'], 'announce', 8.5],
    ['es', ['training', 'agreement'], 'optOut', 13],
    ['it', ['training', 'agreement'], 'optOut', 13],
    ['de', ['training'], 'optIn', 11],
    ['fr', ['training'], 'optIn', 11],
    ['en', ['training'], 'optIn', 11],
    ['nl', ['training'], 'optIn', 12.5],
    ['fr', ['agreement'], 'announce', 8.5],
    ['en', ['agreement'], 'announce', 8.5],
    ['nl', ['agreement'], 'announce', 10],
    ['de', ['agreement'], 'optIn', 11],
    ['fr', ['training', 'agreement'], 'optOut', 13],
    ['en', ['training', 'agreement'], 'optOut', 13],
    ['nl', ['training', 'agreement'], 'optOut', 13],
    ['de', ['training', 'agreement'], 'optIn', 13],
    ...languages.map((language): [string, string[], ConsentMode, number] => [language, ['mifid'], 'announce', 13]),
  ])('in %s for %s, %s: at most %d s', (language, purposes, mode, most) => {
    expect(spoken(language, purposes, mode)).toBeLessThanOrEqual(most);
  });

  test.each([
    ['fr', 'nl'],
    ['fr', 'en'],
    ['nl', 'de'],
  ])('in %s and %s one after the other: at most 18 s', (one, other) => {
    expect(spoken(one, ['training'], 'optOut') + spoken(other, ['training'], 'optOut')).toBeLessThanOrEqual(18);
  });
});

/** Terms that the sentences must not have beside the one that is theirs. */
const otherTerms = {
  fr: /terminée?\b|appuyez|enregistrement vocal|message|conversation|communication/i,
  nl: /\b(oproep|registratie|bericht|toets)\b/i,
  de: /In Ordnung|angefochten|Mitschnitt|Anruf|Telefonat/,
  en: /\b(conversation|recorded message|monitored|hit)\b/i,
  es: /\b(conversación|comunicación|marque|presione|archiv\w+)\b/i,
  it: /\b(conversazione|telefonata|digiti|tasto|archiviat\w+)\b/i,
};
test.each(Object.entries(otherTerms))('the sentences in %s have one term for one thing', (language, others) => {
  const texts = library.prompts.filter((prompt) => prompt.language === language).map(({ text }) => text);
  expect(texts.filter((text) => others.test(text))).toEqual([]);
});

/** How each language says a time of so many days. */
const timeWords: Record<string, Record<number, RegExp>> = {
  fr: { 28: /\bun mois au plus\b/, 393: /\btreize mois au plus\b/, 1827: /\bcinq ans\b/, 2557: /\bsept\b/ },
  nl: { 28: /(^| )één maand\b/, 393: /\bdertien maanden\b/, 1827: /\bvijf jaar\b/, 2557: /\bzeven\b/ },
  de: { 28: /\beinen Monat\b/, 393: /\bdreizehn Monate\b/, 1827: /\bfünf Jahre\b/, 2557: /\bsieben\b/ },
  es: { 28: /\bun mes\b/, 393: /\btrece meses\b/, 1827: /\bcinco años\b/, 2557: /\bsiete\b/ },
  it: { 28: /\bun mese\b/, 393: /\btredici mesi\b/, 1827: /\bcinque anni\b/, 2557: /\bsette\b/ },
  en: { 28: /\bone month\b/, 393: /\bthirteen months\b/, 1827: /\bfive years\b/, 2557: /\bseven\b/ },
};
test('a sentence says exactly the times that prompts.yaml gives it', () => {
  for (const { language, text, statesMaxDays, statesMinDays, statesHeldDays } of library.prompts) {
    const given = [statesMaxDays, statesMinDays, statesHeldDays].flatMap((days) => Object.values(days ?? {}));
    const said = Object.entries(timeWords[language] ?? {}).flatMap(([days, words]) =>
      words.test(text) ? [Number(days)] : [],
    );
    expect(new Set(said)).toEqual(new Set(given));
  }
});

const mayWords = {
  fr: 'peut être enregistré',
  nl: 'kan worden opgenomen',
  de: /kann (.* )?aufgezeichnet/,
  en: 'may be recorded',
  es: /puede grabarse/,
  it: 'può essere registrata',
};
test.each(Object.entries(mayWords))('a sentence in %s is worded may exactly if it says so', (language, words) => {
  const sentences = library.prompts.filter((prompt) => prompt.language === language && prompt.wording !== null);
  expect(sentences).toHaveLength(4);
  for (const { text, wording } of sentences) {
    expect(new RegExp(words).test(text) ? 'may' : 'is').toBe(wording);
  }
});

const digitWords: Record<string, string[]> = {
  fr: ['1', '2', '3', '4', '9'],
  nl: ['één', 'twee', 'drie', 'vier', 'negen'],
  de: ['Eins', 'Zwei', 'Drei', 'Vier', 'Neun'],
  en: ['one', 'two', 'three', 'four', 'nine'],
  es: ['uno', 'dos', 'tres', 'cuatro', 'nueve', 'cinco'],
  it: ['uno', 'due', 'tre', 'quattro', 'nove', 'sei'],
};
/** The keys of these words. */
const digitsOf = (language: string): string[] => ['1', '2', '3', '4', '9', language === 'es' ? '5' : '6'];
test.each(languages)(
  'the sentences in %s say exactly the keys that are obeyed, in the order of the words',
  (language) => {
    const said = (kind: 'optOut' | 'optIn' | 'chooseLanguage'): string[] => {
      const words = library.single(kind, language)?.text.match(/[\p{L}]+|\d/gu) ?? [];
      return words.flatMap((word, index) => {
        const digit = digitWords[language]?.indexOf(word) ?? -1;
        // "druk op één", not "één maand".
        const asked = words
          .slice(Math.max(0, index - 3), index)
          .some((near) => /^(tapez|op|der|die|press|pulse|prema)$/i.test(near));
        return digit < 0 || !asked ? [] : [digitsOf(language)[digit] ?? ''];
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

test('the sentences that the manual offers to companies can be taken as they stand', async () => {
  const manual = await readFile(join(shippedSounds, 'README.md'), 'utf8');
  const blocks = [...manual.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text);
  const offered = blocks.join('');
  const folder = makePromptFolder();
  try {
    await folder.yaml((await readFile(join(shippedSounds, 'prompts.yaml'), 'utf8')) + offered);
    const { prompts } = await readPromptSource(folder.path);
    expect(Object.values(prompts).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['company', 'more', 'refuseLater', 'again']),
    );
    expect(Object.keys(prompts['refuse-later']?.text ?? {})).toEqual(languages);
  } finally {
    folder.remove();
  }
});

/** It is also heard where a line records on request and the recording begins only then. */
test.each(languages)('the %s sentence that ends a pause does not say that a recording goes on', (language) => {
  const { text = '' } = library.single('resumed', language) ?? {};
  expect(text).not.toBe('');
  expect(text).not.toMatch(/repren|de nouveau|hervat|verder|fortgesetzt|wieder|resum|again|continú|reanud|ripren/i);
});

test('the manual tells the seconds of the shipped sentences', async () => {
  const manual = await readFile(join(shippedSounds, 'README.md'), 'utf8');
  const policy = { notice: library.noticeFor.bind(library), sentence: library.single.bind(library) };
  const row = (name: string, purposes: string[], mode: ConsentMode): string => {
    const ms = (language: string): number =>
      spokenIn(policy, purposes, language, mode).reduce((sum, { lengthMs }) => sum + lengthMs, 0);
    const all = [...languages.map(ms), ms('fr') + ms('nl')].map((each) => (each / 1_000).toFixed(1));

    return `| ${name} | ${all.join(' | ')} |`;
  };
  for (const line of [
    row('training, a key refuses', ['training'], 'optOut'),
    row('training, a key accepts', ['training'], 'optIn'),
    row('training and agreement, a key refuses', ['training', 'agreement'], 'optOut'),
    row('agreement, announced', ['agreement'], 'announce'),
    row('MiFID II, announced', ['mifid'], 'announce'),
  ]) {
    expect(manual).toContain(line);
  }
});

/**
 * How far what is a prompt lies from what is not: the measurements behind the thresholds of src/audio/promptFinder.ts.
 * `npm run bench:likeness`, with espeak-ng and sox (the lab installs them). It takes about two minutes.
 *
 * Not a prompt: sentences of the same voices, made of the prompts' own words and others. A sentence that has three words
 * in a row with a prompt goes into a second heap: there the same sound really is in it, for a second or more.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { promisify } from 'node:util';
import { makePromptFinder, type PromptFound } from '../src/audio/promptFinder.ts';
import { rules } from '../src/audio/promptMatch.ts';
import { loadPrompts, readPromptSource } from '../src/prompts/library.ts';
import { plainWav } from '../src/prompts/soundFile.ts';
import { readWav, sampleRate } from '../test/support/audio/audio.ts';
import {
  aLaw,
  cut,
  drift,
  join,
  levelled,
  makeRandom,
  mix,
  music,
  noise,
  samplesOf,
  scale,
  silence,
  tones,
} from '../test/support/audio/soundMaking.ts';
import { mean } from './figures.ts';

const run = promisify(execFile);
const soundsFolder = joinPath(import.meta.dirname, '../sounds');
const minutesPerVoice = 10;

/** Beginnings, middles and ends: any three make a sentence. */
const words: Record<string, [string[], string[], string[]]> = {
  fr: [
    [
      "L'appel",
      'Votre dossier',
      'La formation',
      'Notre accord',
      'Ce contrat',
      'La preuve',
      'Un collègue',
      'Il',
      'Cet appel',
    ],
    [
      'peut être transféré',
      'est conservé',
      'est effacé',
      'sera vérifié',
      'est enregistré',
      'doit être signé',
      'est prêt',
    ],
    ['comme convenu', 'au plus tard demain', 'après un an', 'pour la comptabilité', 'par courrier', 'à la fin du mois'],
  ],
  nl: [
    ['Het gesprek', 'Uw dossier', 'De opleiding', 'Onze overeenkomst', 'Dit contract', 'De opname', 'Een collega'],
    [
      'kan worden doorverbonden',
      'wordt bewaard',
      'wordt gewist',
      'is klaar',
      'wordt opgenomen',
      'moet getekend worden',
    ],
    ['voor scholing', 'als bewijs van betaling', 'na één jaar', 'uiterlijk morgen', 'in ons systeem', 'met de post'],
  ],
  de: [
    ['Das Gespräch', 'Ihre Akte', 'Die Schulung', 'Unsere Vereinbarung', 'Dieser Vertrag', 'Die Aufzeichnung', 'Sie'],
    ['kann weitergeleitet werden', 'bleibt gespeichert', 'wird gelöscht', 'ist fertig', 'muss unterschrieben werden'],
    ['zu Hause', 'als Nachweis der Zahlung', 'nach einem Jahr', 'spätestens morgen', 'mit der Post', 'ohne Kosten'],
  ],
  en: [
    ['The call', 'Your file', 'The training', 'Our agreement', 'This contract', 'The recording', 'It', 'Your evidence'],
    [
      'may be transferred',
      'is kept',
      'is erased',
      'can be disputed',
      'has been received',
      'must be signed',
      'is ready',
    ],
    [
      'for two weeks',
      'as evidence of payment',
      'after one year',
      'at the latest tomorrow',
      'by post',
      'for that month',
    ],
  ],
};

const bare = (text: string): string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];

function threes(text: string): string[] {
  const list = bare(text);

  return list.slice(2).map((_, index) => list.slice(index, index + 3).join(' '));
}

async function speak(voice: string, sentences: readonly string[], folder: string): Promise<Int16Array> {
  if (sentences.length === 0) return silence(0);
  const [text, wide, narrow] = ['said.txt', 'wide.wav', 'narrow.wav'].map((name) => joinPath(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(text, sentences.join('\n'));
  await run('espeak-ng', ['-v', voice, '-s', '150', '-b', '1', '-w', wide, '-f', text]);
  await run('sox', ['-D', wide, '-r', '8000', '-b', '16', '-c', '1', narrow, 'sinc', '250-3400', 'gain', '-n', '-6']);

  return readWav(narrow);
}

async function gsm(samples: Int16Array, folder: string): Promise<Int16Array> {
  const [plain, coded, back] = ['plain.wav', 'coded.gsm', 'back.wav'].map((name) => joinPath(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(plain, plainWav({ rate: sampleRate, samples }));
  await run('sox', ['-D', plain, coded]);
  await run('sox', ['-D', coded, '-b', '16', back]);

  return readWav(back);
}

/** The strongest evidence by each rule, whatever its threshold. */
type Evidence = { clear: number; covered: number; found: PromptFound[] };

function evidence(recording: Int16Array, prompts: readonly { id: string; samples: Int16Array }[]): Evidence {
  let [clear, covered] = [0, 0];
  const finder = makePromptFinder(prompts, (_, profile) => {
    const length = Math.min(rules.covered.windows, profile.length);
    profile.forEach((_value, from) => {
      const short = profile.slice(from, from + rules.clear.windows);
      if (short.length === rules.clear.windows) clear = Math.max(clear, Math.min(...short));
      const long = profile.slice(from, from + length).map((value) => Math.min(value, rules.covered.cap));
      if (long.length === length) covered = Math.max(covered, mean(long));
    });
  });
  finder.push(recording);

  return { found: finder.end(), clear, covered };
}

const figure = (value: number): string => value.toFixed(3);

async function main(): Promise<void> {
  const source = await readPromptSource(soundsFolder);
  const library = await loadPrompts(soundsFolder);
  const random = makeRandom(7);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  const folder = await mkdtemp(joinPath(tmpdir(), 'preavis-bench-'));
  const talk: Int16Array[] = [];
  try {
    console.log(
      `thresholds: clear ${rules.clear.each}, covered ${rules.covered.mean}\n\nnot a prompt (strongest evidence)`,
    );
    for (const language of library.languages) {
      const prompts = library.prompts
        .filter((prompt) => prompt.language === language)
        .map(({ id, text }) => ({ id, text, samples: readWav(joinPath(soundsFolder, language, `${id}.wav`)) }));
      const shared = new Set(prompts.flatMap(({ text }) => threes(text)));
      const parts = words[language];
      if (parts === undefined) throw new Error(`no words for ${language}`);
      const [other, alike]: [string[], string[]] = [[], []];
      // A sentence takes about 3 s.
      while (other.length < minutesPerVoice * 20) {
        const sentence = parts.map(pick).join(' ');
        (threes(sentence).some((three) => shared.has(three)) ? alike : other).push(`${sentence}.`);
      }
      const voice = source.languages[language]?.voice.replace(/^espeak-ng /, '') ?? language;
      for (const [name, sentences] of [
        ['other sentences', other],
        ['sentences with three of its words in a row', alike.slice(0, other.length)],
      ] as const) {
        const spoken = await speak(voice, sentences, folder);
        const { clear, covered, found } = evidence(spoken, prompts);
        const minutes = (spoken.length / sampleRate / 60).toFixed(1);
        console.log(
          `  ${language}, ${minutes} min of ${name}: clear ${figure(clear)}, covered ${figure(covered)}, found ${found.length}`,
        );
        if (sentences === other) talk.push(spoken);
      }
    }
    const all = library.prompts.map(({ id, language }) => ({
      id: `${language}/${id}`,
      samples: readWav(joinPath(soundsFolder, language, `${id}.wav`)),
    }));
    for (const [name, sound] of [
      ['10 min of music', music(600_000, 12_000)],
      ['5 min of noise', noise(300_000, 8_000)],
      ['5 min of tones', join(...[425, 350, 440, 1_000, 2_100].map((hz) => tones(60_000, [hz, hz * 1.1], 5_000)))],
    ] as const) {
      const { clear, covered, found } = evidence(sound, all);
      console.log(`  ${name}: clear ${figure(clear)}, covered ${figure(covered)}, found ${found.length}`);
    }

    console.log('\na prompt (how many are found, weakest evidence by the better rule)');
    const base = (): Int16Array => {
      const [one, other] = [talk[Math.floor(random() * talk.length)], talk[Math.floor(random() * talk.length)]];
      const piece = (from: Int16Array = silence(0)): Int16Array => {
        const start = Math.floor(random() * (from.length - samplesOf(20_000)));

        return from.slice(start, start + samplesOf(20_000));
      };

      return mix(piece(one), scale(piece(other), -6), 0);
    };
    const under = (samples: Int16Array, level: number, ppm: number): Int16Array => {
      const around = base();

      return aLaw(
        scale(mix(around, drift(levelled(samples, around, level), ppm, random()), 2_000 + 5_000 * random()), -6),
      );
    };
    const alone = (samples: Int16Array, ms: number): Int16Array => {
      // From where the words are: 150 ms after its beginning, 250 ms before its end.
      const length = samples.length / samplesOf(1);
      const from = 150 + random() * Math.max(0, length - 400 - ms);

      return aLaw(
        join(base(), silence(1_000), drift(cut(samples, from, from + ms), 50, random()), silence(1_000), base()),
      );
    };
    const cases: [string, (samples: Int16Array) => Int16Array | Promise<Int16Array>][] = [
      ['0 dB under two talkers, A-law', (samples) => under(samples, 0, 0)],
      ['-6 dB, A-law, +100 ppm', (samples) => under(samples, -6, 100)],
      ['-6 dB, A-law, -100 ppm', (samples) => under(samples, -6, -100)],
      ['-10 dB, A-law', (samples) => under(samples, -10, 0)],
      ['-10 dB, A-law, 100 ppm', (samples) => under(samples, -10, 100)],
      ['-13 dB, A-law', (samples) => under(samples, -13, 0)],
      ['any 1.0 s alone', (samples) => alone(samples, 1_000)],
      ['any 1.25 s alone', (samples) => alone(samples, 1_250)],
      ['any 1.5 s alone', (samples) => alone(samples, 1_500)],
      ['any 2 s, -3 dB under two talkers', (samples) => under(cut(samples, 300, 2_300), -3, 0)],
      ['through GSM, alone', (samples) => gsm(join(base(), samples, base()), folder)],
      ['through GSM, 0 dB under two talkers', async (samples) => gsm(under(samples, 0, 0), folder)],
    ];
    for (const [name, make] of cases) {
      let [found, weakest] = [0, Infinity];
      for (const prompt of all) {
        const result = evidence(await make(prompt.samples), [prompt]);
        found += result.found.length;
        weakest = Math.min(weakest, Math.max(result.clear / rules.clear.each, result.covered / rules.covered.mean));
      }
      console.log(`  ${name}: ${found} of ${all.length}, ${figure(weakest)} of the threshold`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();

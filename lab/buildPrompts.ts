/**
 * Makes the placeholder sound files of sounds/ from the texts in sounds/prompts.yaml: `npm run prompts:build`.
 *
 * espeak-ng speaks, sox limits the band and changes the rate, this file trims and sets the level, sox and ffmpeg encode.
 * The same texts and the same versions of those programs give the same bytes, so a rebuild shows only what changed.
 * Languages whose `made` is not `placeholder` are left alone: somebody recorded them.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkPromptFiles } from '../src/config/promptCheck.ts';
import { loadPrompts, promptFile, readPromptSource } from '../src/config/prompts.ts';
import { plainWav, type Sound } from '../src/config/promptSound.ts';
import { activeSpeechLevel, speechSpan } from '../src/config/speechLevel.ts';
import { errnoOf } from '../src/core/errors.ts';

const run = promisify(execFile);
const soundsFolder = join(import.meta.dirname, '..', 'sounds');

const levelDbov = -22;
/** 2 dB below what is allowed, because G.722 overshoots. */
const peakDbfs = -5;
const leadMs = 150;
const tailMs = 250;
/** Real sound kept around the words, so that soft first and last sounds are not cut; part of lead and tail. */
const marginMs = 20;
const wordsPerMinute = 150;

/** Pass band in Hz for each sample rate: telephone band, and wide band. */
const band = { 8000: '250-3400', 16000: '200-7000' } as const;

async function requirePrograms(): Promise<void> {
  const missing: string[] = [];
  for (const [program, argument] of [
    ['espeak-ng', '--version'],
    ['sox', '--version'],
    ['ffmpeg', '-version'],
  ] as const) {
    await run(program, [argument]).catch((thrown: unknown) => {
      if (errnoOf(thrown) !== 'ENOENT') throw thrown;
      missing.push(program);
    });
  }
  if (missing.length > 0) {
    throw new Error(`Not installed: apt-get install --no-install-recommends ${missing.join(' ')}`);
  }
}

/** The words in one band, as loud as the synthesiser made them. */
async function shape(spoken: string, rate: 8000 | 16000): Promise<Float32Array> {
  const effects = ['sinc', band[rate], 'rate', '-v', String(rate)];
  const raw = ['-t', 'raw', '-e', 'floating-point', '-b', '32', '-L', '-'];
  const { stdout } = await run('sox', ['-D', spoken, ...raw, ...effects], { encoding: 'buffer', maxBuffer: 2 ** 26 });
  const samples = new Float32Array(stdout.length / 4);
  for (let index = 0; index < samples.length; index += 1) samples[index] = stdout.readFloatLE(index * 4);
  return samples;
}

/** Level, peak and silence as the constants above say. */
function finish(words: Float32Array, rate: 8000 | 16000): Sound {
  let levelled = words;
  // Limiting the peaks takes a little of the level, so again until neither moves; three rounds give 0.1 dB.
  for (let round = 0; round < 3; round += 1) {
    const gain = 10 ** ((levelDbov - activeSpeechLevel(toSound(levelled, rate))) / 20);
    levelled = limit(
      levelled.map((value) => value * gain),
      rate,
    );
  }
  const whole = toSound(levelled, rate);
  const span = speechSpan(whole);
  if (span === undefined) throw new Error('The synthesiser made no sound');
  const samplesOf = (ms: number): number => Math.round((ms * rate) / 1000);
  const from = Math.max(0, span.from - samplesOf(marginMs));
  const samples = new Int16Array(samplesOf(leadMs) + (span.to - span.from) + samplesOf(tailMs));
  samples.set(whole.samples.subarray(from, span.to + samplesOf(marginMs)), samplesOf(leadMs) - (span.from - from));
  return { rate, samples };
}

/** Turns the gain down around each peak, smoothly, instead of cutting it off. */
function limit(words: Float32Array, rate: number): Float32Array {
  const ceiling = 10 ** (peakDbfs / 20);
  const reach = Math.round(rate * 0.003);
  const around = (index: number): [number, number] => [Math.max(0, index - reach), index + reach + 1];
  const needed = words.map((value) => Math.min(1, ceiling / Math.abs(value)));
  const held = needed.map((_, index) => Math.min(...needed.subarray(...around(index))));
  return words.map((value, index) => {
    const near = held.subarray(...around(index));
    return (value * near.reduce((sum, gain) => sum + gain, 0)) / near.length;
  });
}

function toSound(words: Float32Array, rate: number): Sound {
  const rounded = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
  return { rate, samples: Int16Array.from(words, rounded) };
}

/** A file appears complete or not at all. */
async function place(target: string, make: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = `${target}.tmp`;
  try {
    await make(temporary);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function buildPrompt(
  prompt: { id: string; language: string; text: string },
  voice: string,
  work: string,
): Promise<void> {
  const spoken = join(work, 'spoken.wav');
  await run('espeak-ng', ['-v', voice, '-s', String(wordsPerMinute), '-b', '1', '-w', spoken, '--', prompt.text]);
  const [narrow, wide] = [promptFile(soundsFolder, prompt, 'wav'), promptFile(soundsFolder, prompt, 'wav16')];
  await place(narrow, async (file) => writeFile(file, plainWav(finish(await shape(spoken, 8000), 8000))));
  await place(wide, async (file) => writeFile(file, plainWav(finish(await shape(spoken, 16000), 16000))));
  for (const [format, encoding] of [
    ['ulaw', 'ul'],
    ['alaw', 'al'],
  ] as const) {
    await place(promptFile(soundsFolder, prompt, format), (file) => run('sox', ['-D', narrow, '-t', encoding, file]));
  }
  await place(promptFile(soundsFolder, prompt, 'g722'), (file) =>
    run('ffmpeg', ['-v', 'error', '-y', '-f', 'wav', '-i', wide, '-c:a', 'g722', '-f', 'g722', '-bitexact', file]),
  );
}

async function main(): Promise<void> {
  await requirePrograms();
  const source = await readPromptSource(soundsFolder);
  const work = await mkdtemp(join(tmpdir(), 'preavis-prompts-'));
  try {
    for (const [language, { made, voice }] of Object.entries(source.languages)) {
      if (made !== 'placeholder') {
        console.log(`${language}: recorded by ${voice}, left alone`);
        continue;
      }
      await mkdir(join(soundsFolder, language), { recursive: true });
      const texts = Object.entries(source.prompts).flatMap(([id, { text }]) => {
        const words = text[language];
        return words === undefined ? [] : [{ id, language, text: words }];
      });
      for (const prompt of texts) await buildPrompt(prompt, voice.replace(/^espeak-ng /, ''), work);
      console.log(`${language}: ${texts.length} prompts`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const findings = await checkPromptFiles(await loadPrompts(soundsFolder), soundsFolder);
  for (const { language, prompt, format, what, measured, allowed } of findings) {
    console.error(`${language}/${prompt}.${format}: ${what} ${measured}, allowed ${allowed}`);
  }
  if (findings.length > 0) process.exitCode = 1;
}

await main();

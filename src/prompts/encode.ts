/**
 * Makes the sound files of one prompt: espeak-ng speaks or a person did, sox limits the band and changes the rate, this file
 * trims and sets the level, sox and ffmpeg encode. The same input and the same versions of those programs give the same
 * bytes.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { promptLimits } from './check.ts';
import { plainWav, type PromptFormat, readPromptSound, type Sound } from './soundFile.ts';
import { activeSpeechLevel, peakLevel, speechSpan } from './loudness.ts';

const execute = promisify(execFile);

export type Program = 'espeak-ng' | 'sox' | 'ffmpeg';

/** Words as somebody spoke them, before they are fit for a telephone. */
export type Speech = {
  /** A WAV file of any kind that sox reads. */
  file: string;
  /** Hz. */
  rate: number;
  /** Real sound kept before and after the words, ms; the rest of the silence is digital. */
  keepBeforeMs: number;
  keepAfterMs: number;
};

const levelDbov = -22;
/** 2 dB below what is allowed, because G.722 overshoots. */
const peakDbfs = -5;
const leadMs = 150;
const tailMs = 250;
const wordsPerMinute = 150;

/** Pass band in Hz for each sample rate: telephone band, and wide band. */
const band = { 8000: '250-3400', 16000: '200-7000' } as const;

/** Throws program_missing with the names of all that are not installed. */
export async function requirePrograms(programs: Iterable<Program>): Promise<void> {
  const missing: Program[] = [];
  for (const program of programs) {
    await execute(program, [program === 'ffmpeg' ? '-version' : '--version']).catch((thrown: unknown) => {
      if (errnoOf(thrown) !== 'ENOENT') throw thrown;
      missing.push(program);
    });
  }
  if (missing.length === 0) return;
  throw new PreavisError(
    'program_missing',
    `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed`,
    {
      hint: `On Debian or Ubuntu: apt-get install --no-install-recommends ${missing.join(' ')}`,
    },
  );
}

/** What the program wrote to standard output. Throws prompts_build_failed with what it said when it failed. */
async function run(program: Program, args: readonly string[]): Promise<Buffer> {
  try {
    const { stdout } = await execute(program, args, { encoding: 'buffer', maxBuffer: 2 ** 26 });
    return stdout;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') await requirePrograms([program]);
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n').at(-1) : '';
    throw new PreavisError('prompts_build_failed', `${program}: ${said === '' ? 'failed' : said}`, { cause });
  }
}

/** Lets espeak-ng speak, into a file in `work`. */
export async function speak(text: string, voice: string, work: string): Promise<Speech> {
  const file = join(work, 'spoken.wav');
  await run('espeak-ng', ['-v', voice, '-s', String(wordsPerMinute), '-b', '1', '-w', file, '--', text]);
  // A little real sound, so that soft first and last sounds are not cut.
  return { file, rate: await rateOf(file), keepBeforeMs: 20, keepAfterMs: 20 };
}

/** What a synthesiser of the operator's wrote to `file`. */
export async function spoken(file: string): Promise<Speech> {
  return { file, rate: await telephoneRate(file), keepBeforeMs: 20, keepAfterMs: 20 };
}

/** A person's recording. Its own quiet stays around the words: digital silence would be heard as a gap in the room. */
export async function recorded(file: string): Promise<Speech> {
  return { file, rate: await telephoneRate(file), keepBeforeMs: leadMs, keepAfterMs: tailMs };
}

async function telephoneRate(file: string): Promise<number> {
  const rate = await rateOf(file);
  if (rate >= 8000) return rate;
  throw new PreavisError('prompts_build_failed', `${file} has ${rate} Hz, must have at least 8000 Hz`);
}

async function rateOf(file: string): Promise<number> {
  return Number((await run('sox', ['--i', '-r', file])).toString('latin1').trim());
}

/** Every format that the speech is good enough for: .wav16 needs 16 000 Hz. `work` is a folder for files in between. */
export async function makeFormats(speech: Speech, work: string): Promise<Map<PromptFormat, Buffer>> {
  const narrowBand = level(await shape(speech, 8000), 8000);
  const span = speechSpan(narrowBand);
  if (span === undefined) throw new PreavisError('prompts_build_failed', 'there is no speech in it');
  const narrow = cut(narrowBand, span, speech);
  const formats = new Map<PromptFormat, Buffer>([['wav', plainWav(narrow)]]);
  let best = narrow;
  if (speech.rate >= 16000) {
    // Cut where the narrow one is, so that all formats are equally long.
    best = cut(level(await shape(speech, 16000), 16000), { from: span.from * 2, to: span.to * 2 }, speech);
    formats.set('wav16', plainWav(best));
  }
  const file = join(work, 'made.wav');
  await writeFile(file, plainWav(narrow));
  formats.set('ulaw', await run('sox', ['-D', file, '-t', 'ul', '-']));
  formats.set('alaw', await run('sox', ['-D', file, '-t', 'al', '-']));
  formats.set('g722', await makeG722(best, work));
  return formats;
}

/** G.722 overshoots; where that makes it too loud, it is encoded from a little less. */
async function makeG722(sound: Sound, work: string): Promise<Buffer> {
  const file = join(work, 'made.wav');
  const args = [
    '-v',
    'error',
    '-f',
    'wav',
    '-i',
    file,
    '-c:a',
    'g722',
    '-ar',
    '16000',
    '-f',
    'g722',
    '-bitexact',
    'pipe:1',
  ];
  let quieterDb = 0;
  for (;;) {
    const factor = 10 ** (-quieterDb / 20);
    const samples = sound.samples.map((sample) => Math.round(sample * factor));
    await writeFile(file, plainWav({ rate: sound.rate, samples }));
    const bytes = await run('ffmpeg', args);
    const heard = readPromptSound('g722', bytes);
    if (typeof heard === 'string') throw new PreavisError('prompts_build_failed', `the G.722 file ${heard}`);
    const above = peakLevel(heard) - promptLimits.peak.to;
    if (above <= 0 || quieterDb > 1) return bytes;
    quieterDb += above + 0.1;
  }
}

/** The words in one band, mono, as loud as they were spoken. */
async function shape({ file }: Speech, rate: 8000 | 16000): Promise<Float32Array> {
  const effects = ['remix', '-', 'sinc', band[rate], 'rate', '-v', String(rate)];
  const raw = ['-t', 'raw', '-e', 'floating-point', '-b', '32', '-L', '-'];
  const bytes = await run('sox', ['-D', '-t', 'wav', file, ...raw, ...effects]);
  const samples = new Float32Array(bytes.length / 4);
  for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readFloatLE(index * 4);
  return samples;
}

/** Level and peak as the constants above say. */
function level(words: Float32Array, rate: 8000 | 16000): Sound {
  let levelled = words;
  // Limiting the peaks takes a little of the level, so again until neither moves; three rounds give 0.1 dB.
  for (let round = 0; round < 3; round += 1) {
    const gain = 10 ** ((levelDbov - activeSpeechLevel(toSound(levelled, rate))) / 20);
    levelled = limit(
      levelled.map((value) => value * gain),
      rate,
    );
  }
  return toSound(levelled, rate);
}

/** The words from `from` to `to`, in samples, with the silence that the constants above say. */
function cut(whole: Sound, { from, to }: { from: number; to: number }, { keepBeforeMs, keepAfterMs }: Speech): Sound {
  const samplesOf = (ms: number): number => Math.round((ms * whole.rate) / 1000);
  const start = Math.max(0, from - samplesOf(keepBeforeMs));
  const samples = new Int16Array(samplesOf(leadMs) + (to - from) + samplesOf(tailMs));
  samples.set(whole.samples.subarray(start, to + samplesOf(keepAfterMs)), samplesOf(leadMs) - (from - start));
  return { rate: whole.rate, samples };
}

/** Turns the gain down around each peak, smoothly, instead of cutting it off. */
function limit(words: Float32Array, rate: number): Float32Array {
  const ceiling = 10 ** (peakDbfs / 20);
  const reach = Math.round(rate * 0.003);
  const needed = words.map((value) => Math.min(1, ceiling / Math.abs(value)));
  const around = (gains: Float32Array, join: (one: number, other: number) => number, index: number, start: number) => {
    let value = start;
    const last = Math.min(gains.length - 1, index + reach);
    for (let near = Math.max(0, index - reach); near <= last; near += 1) value = join(value, gains[near] ?? 1);
    return value;
  };
  const held = needed.map((_, index) => around(needed, Math.min, index, 1));
  return words.map((value, index) => {
    const count = Math.min(held.length - 1, index + reach) - Math.max(0, index - reach) + 1;
    return (value * around(held, (one, other) => one + other, index, 0)) / count;
  });
}

function toSound(words: Float32Array, rate: number): Sound {
  const rounded = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
  return { rate, samples: Int16Array.from(words, rounded) };
}

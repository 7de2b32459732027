/**
 * Measures the sound files of prompts against what a telephone needs. Loading only asks whether a file can be played;
 * this asks whether a caller will hear it, and whether every format says the same.
 */
import { readIfPresent } from '../core/files.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { originOf, type PromptOrigins, readOrigins } from './origins.ts';
import { promptFile, type PromptText } from './library.ts';
import { type PromptFormat, promptFormats, readPromptSound, type Sound, soundLengthMs } from './soundFile.ts';
import { isOfOtherVoice } from './voices.ts';
import { activeSpeechLevel, peakLevel, speechLikeness, speechSpan } from './loudness.ts';

/**
 * missing: a file is not there; a recording needs only the WAV, which Asterisk then converts. format: the file is not what its
 * name says. content: it does not say what the WAV says, or is that of another sentence. text: it was made from other words
 * than those of prompts.yaml. voice: a synthesiser spoke what should be a recording, or espeak-ng what another should. level, peak: too quiet, too loud. clipped: its
 * peaks were cut off before. lead, tail: silence before and after the words. pace: too short or too long for the text, so
 * probably not this text.
 */
type PromptFindingKind =
  'missing' | 'format' | 'content' | 'text' | 'voice' | 'level' | 'peak' | 'clipped' | 'lead' | 'tail' | 'pace';

export type PromptFinding = {
  prompt: string;
  language: string;
  /** The file extension. */
  format: PromptFormat;
  what: PromptFindingKind;
  /** With unit. */
  measured: string;
  /** With unit. */
  allowed: string;
};

/** Levels in dBov (peak in dBFS), silence in ms, pace in characters of text a second of speech. */
export const promptLimits = {
  level: { from: -23, to: -21, unit: 'dBov' },
  peak: { from: -Infinity, to: -3, unit: 'dBFS' },
  lead: { from: 100, to: 250, unit: 'ms' },
  tail: { from: 150, to: 500, unit: 'ms' },
  pace: { from: 8, to: 22, unit: 'characters/s' },
} as const;

/**
 * How far the peaks of speech stand out of its active level at least, dB. Measured: 16 to 17 in clean speech, 12 when 12 dB of it were
 * cut off, 9 when 18 dB were.
 */
const leastCrestDb = 11;

/** Least likeness of loudness between a format and the WAV: the same speech is above 0.9, other speech below 0.5. */
const leastLikeness = 0.8;

/** Most difference of level from the WAV, in dB: mu-law under the name of A-law has the same rhythm, but not the level. */
const levelToleranceDb = 2;

/** Codecs pad to their frame, so a file may differ this much from the WAV, in ms. */
const lengthToleranceMs = 20;

/**
 * Every fault of the sound files of these prompts (a library, or the texts of prompts.yaml) in `folder`; empty when all is well.
 * Throws only what reading throws.
 */
export async function checkPromptFiles(
  { prompts }: { prompts: readonly PromptText[] },
  folder: string,
): Promise<PromptFinding[]> {
  const origins = await readOrigins(folder);
  const findings: PromptFinding[] = [];
  const owners = new Map<string, string>();
  for (const prompt of prompts) findings.push(...(await checkPrompt(prompt, folder, origins, owners)));
  return findings;
}

async function checkPrompt(
  prompt: PromptText,
  folder: string,
  origins: PromptOrigins,
  owners: Map<string, string>,
): Promise<PromptFinding[]> {
  const findings: PromptFinding[] = [];
  let reference: Levelled | undefined;
  const files = await Promise.all(
    promptFormats.map(async (format) => ({ format, bytes: await readIfPresent(promptFile(folder, prompt, format)) })),
  );
  for (const { format, bytes } of files) {
    const add = (what: PromptFindingKind, measured: string, allowed: string): void => {
      findings.push({ prompt: prompt.id, language: prompt.language, format, what, measured, allowed });
    };
    if (bytes === undefined) {
      if (format === 'wav' || prompt.made === 'placeholder') add('missing', 'no file', `a .${format} file`);
      continue;
    }
    if (format === 'wav') checkOrigin(prompt, bytes, { origins, owners }, add);
    const sound = readPromptSound(format, bytes);
    if (typeof sound === 'string') {
      add('format', sound, formatNames[format]);
      continue;
    }
    const levelled = { sound, level: activeSpeechLevel(sound) };
    if (reference === undefined) reference = levelled;
    else compare(levelled, reference, add);
    measure(levelled, prompt, add);
  }
  return findings;
}

/** `owners`: who had a WAV of this hash before. */
function checkOrigin(
  { id, language, text, made }: PromptText,
  wav: Buffer,
  { origins, owners }: { origins: PromptOrigins; owners: Map<string, string> },
  add: Add,
): void {
  const sha256 = sha256Of(wav);
  const origin = originOf(origins, { id, language, sha256 });
  if (origin !== undefined && origin.text !== text) {
    add('text', `made from ${JSON.stringify(origin.text)}`, JSON.stringify(text));
  }
  if (origin !== undefined && isOfOtherVoice(made, origin)) {
    add('voice', `spoken by ${origin.voice}`, made === 'recording' ? 'a recording' : 'no placeholder');
  }
  const owner = owners.get(sha256);
  if (owner === undefined) owners.set(sha256, `${language}/${id}`);
  else add('content', `the same file as ${owner}.wav`, 'a sound of its own');
}

/** A sound with its active level in dBov. */
type Levelled = { sound: Sound; level: number };

type Add = (what: PromptFindingKind, measured: string, allowed: string) => void;

function compare({ sound, level }: Levelled, reference: Levelled, add: Add): void {
  const [length, wanted] = [soundLengthMs(sound), soundLengthMs(reference.sound)];
  if (Math.abs(length - wanted) > lengthToleranceMs) {
    add('content', `${length} ms`, `${wanted} ms as the WAV, within ${lengthToleranceMs} ms`);
    return;
  }
  if (Math.abs(level - reference.level) > levelToleranceDb) {
    add(
      'content',
      `${level.toFixed(1)} dBov`,
      `${reference.level.toFixed(1)} dBov as the WAV, within ${levelToleranceDb} dB`,
    );
  }
  const likeness = speechLikeness(reference.sound, sound);
  if (likeness < leastLikeness) {
    add('content', `likeness ${likeness.toFixed(2)}`, `the words of the WAV, at least ${leastLikeness}`);
  }
}

function measure({ sound, level }: Levelled, prompt: PromptText, add: Add): void {
  const span = speechSpan(sound, level);
  const within = (what: keyof typeof promptLimits, value: number, digits = 0): void => {
    const { from, to, unit } = promptLimits[what];
    if (value >= from && value <= to) return;
    add(
      what,
      `${value.toFixed(digits)} ${unit}`,
      from === -Infinity ? `at most ${to} ${unit}` : `${from} to ${to} ${unit}`,
    );
  };
  within('level', level, 1);
  const peak = peakLevel(sound);
  within('peak', peak, 1);
  const crest = peak - level;
  if (crest < leastCrestDb) {
    add(
      'clipped',
      `peaks ${crest.toFixed(1)} dB above the speech`,
      `at least ${leastCrestDb} dB: record it again, less loud`,
    );
  }
  if (span === undefined) return;
  const ms = (samples: number): number => (samples * 1000) / sound.rate;
  within('lead', ms(span.from));
  within('tail', ms(sound.samples.length - span.to));
  within('pace', pace(prompt.text, span, sound.rate), 1);
}

/** Characters of text a second of speech. */
function pace(text: string, { from, to }: { from: number; to: number }, rate: number): number {
  return (text.length * rate) / (to - from);
}

/** Why a sound cannot be this text, by how long its words take; undefined where it can. */
export function paceFault(text: string, sound: Sound): string | undefined {
  const span = speechSpan(sound);
  if (span === undefined) return 'there is no speech in it';
  const { from, to, unit } = promptLimits.pace;
  const measured = pace(text, span, sound.rate);
  const seconds = ((span.to - span.from) / sound.rate).toFixed(1);
  if (measured >= from && measured <= to) return undefined;

  return `its words take ${seconds} s for a text of ${text.length} characters, ${measured.toFixed(1)} ${unit}; must be ${from} to ${to}`;
}

const formatNames: Record<PromptFormat, string> = {
  wav: 'WAV, 8000 Hz, mono, 16-bit PCM, plain header',
  wav16: 'WAV, 16000 Hz, mono, 16-bit PCM, plain header',
  ulaw: 'G.711 mu-law, 8000 Hz, no header',
  alaw: 'G.711 A-law, 8000 Hz, no header',
  g722: 'G.722, 64 kbit/s, no header',
};

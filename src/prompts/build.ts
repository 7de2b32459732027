/**
 * Makes the sound files of a folder of prompts: by a synthesiser from the texts, and the formats of what people recorded. It makes what is missing and what no longer says the text, and never replaces a sound that came from elsewhere
 * unless told to.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Of } from '../core/crypto/sha256.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { makeFolder, readIfPresent, writeWhole } from '../core/files.ts';
import { paceFault } from './check.ts';
import { makeFormats, type Program, recorded, requirePrograms, speak, type Speech, spoken } from './encode.ts';
import { originKey, type PromptOrigin, readOrigins, writeOrigins } from './origins.ts';
import { promptFile, type PromptSource, type PromptText, promptTexts, readPromptSource } from './library.ts';
import { recordingFile } from './recordings.ts';
import { type PromptFormat, promptFormats, readPromptSound } from './soundFile.ts';
import { asWrittenBy, speakBy, type Synthesiser, type Words } from './synthesiser.ts';
import { espeakVoice } from './voices.ts';

type Built = { prompt: string; language: string };

export type PromptsBuild = {
  made: (Built & { sha256: string })[];
  /** They were as they should be. */
  kept: Built[];
  /** Not made, with the reason. */
  left: (Built & { why: string })[];
};

export type BuildOptions = {
  /** All of prompts.yaml if left out. */
  languages?: readonly string[] | undefined;
  /** Makes every sound again, also in place of one that came from elsewhere. */
  force: boolean;
  /** Who speaks the languages that are `made: synthetic`; without it their sounds stay as they are. */
  synthesiser?: Synthesiser | undefined;
  progress?: (done: number, of: number) => void;
};

/** What a sound is to be made from, and how. */
type Plan = {
  origin: Omit<PromptOrigin, 'sha256'>;
  /** Or why there is no way. */
  speech: ((work: string) => Promise<Speech>) | string;
  /** Formats that it must have. */
  formats: readonly PromptFormat[];
  /** Makes the formats of it. */
  encode: (speech: Speech, work: string) => Promise<Map<PromptFormat, Buffer>>;
};

const narrowFormats = promptFormats.filter((format) => format !== 'wav16');

/**
 * Builds `<folder>/<language>/<id>.<format>`. In a language that is `made: placeholder`, espeak-ng speaks the text; in one
 * that is `made: synthetic` the synthesiser of the options does; in one that is `made: recording`, `<id>.source.wav` is converted, and where there is none everything is left as it is.
 *
 * @throws PreavisError `usage`: a language that prompts.yaml lacks, a synthesiser for no language. `program_missing`. `prompts_invalid`: prompts.yaml, or a
 * placeholder's voice that is not espeak-ng's. `prompts_build_failed`: a program refused, or the folder cannot be written; what
 * was made before is complete.
 */
export async function buildPrompts(folder: string, options: BuildOptions): Promise<PromptsBuild> {
  const source = await readPromptSource(folder);
  const all = promptTexts(source);
  const languages = options.languages ?? Object.keys(source.languages);
  const unknown = languages.filter((language) => !Object.hasOwn(source.languages, language));
  if (unknown.length > 0) {
    throw new PreavisError('usage', `prompts.yaml has no language ${unknown.join(', ')}`, {
      hint: 'Name it under languages in prompts.yaml, and give each prompt its text.',
    });
  }
  if (options.synthesiser !== undefined && !languages.some((each) => source.languages[each]?.made === 'synthetic')) {
    throw new PreavisError('usage', `--command: none of ${languages.join(', ')} is made: synthetic in prompts.yaml`, {
      hint: 'Set made: synthetic for each language that it speaks, and name its voice there.',
    });
  }
  const chosen = all.filter(({ language }) => languages.includes(language));
  await requirePrograms(programsFor(source, chosen));

  const keys = new Set(all.map(originKey));
  const origins = new Map([...(await readOrigins(folder))].filter(([key]) => keys.has(key)));
  const result: PromptsBuild = { made: [], kept: [], left: [] };
  const work = await mkdtemp(join(tmpdir(), 'preavis-prompts-'));
  try {
    for (const [index, text] of chosen.entries()) {
      options.progress?.(index, chosen.length);
      const built = { prompt: text.id, language: text.language };
      const outcome = await buildPrompt(folder, text, source, {
        known: origins.get(originKey(text)),
        options,
        work,
      }).catch((thrown: unknown) => {
        throw named(thrown, text, folder);
      });
      switch (outcome.result) {
        case 'left':
          result.left.push({ ...built, why: outcome.why });
          break;
        case 'kept':
          result.kept.push(built);
          break;
        case 'made':
          origins.set(originKey(text), outcome.origin);
          await writeOrigins(folder, origins);
          if (outcome.changed) result.made.push({ ...built, sha256: outcome.origin.sha256 });
          else result.kept.push(built);
      }
    }
    options.progress?.(chosen.length, chosen.length);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return result;
}

type Outcome =
  { result: 'left'; why: string } | { result: 'kept' } | { result: 'made'; origin: PromptOrigin; changed: boolean };

async function buildPrompt(
  folder: string,
  text: PromptText,
  source: PromptSource,
  { known, options, work }: { known: PromptOrigin | undefined; options: BuildOptions; work: string },
): Promise<Outcome> {
  const { force, synthesiser } = options;
  const plan = await planFor(folder, text, source, { known, synthesiser });
  if (typeof plan === 'string') return { result: 'left', why: plan };
  const before = new Map<PromptFormat, Buffer>();
  for (const format of promptFormats) {
    const bytes = await readIfPresent(promptFile(folder, text, format));
    if (bytes !== undefined) before.set(format, bytes);
  }
  const wav = before.get('wav');
  const isOurs = wav === undefined || sha256Of(wav) === known?.sha256;
  if (!force && wav !== undefined && isOurs && isMadeFrom(known, plan.origin) && isComplete(before, plan)) {
    return { result: 'kept' };
  }
  if (typeof plan.speech === 'string') return { result: 'left', why: plan.speech };

  const after = await plan.encode(await plan.speech(work), work);
  const made = after.get('wav') ?? Buffer.alloc(0);
  // Nothing is known of a WAV that was copied here or whose build was killed; the same bytes are the same sound.
  if (!force && !isOurs && !made.equals(wav)) {
    return { result: 'left', why: 'this sound came from elsewhere; --force replaces it' };
  }
  await makeFolder(join(folder, text.language));
  let changed = false;
  // The WAV last: until it is there, the next build knows that it has to be made.
  for (const format of [...promptFormats].reverse()) {
    const bytes = after.get(format);
    const old = before.get(format);
    if (bytes === undefined ? old === undefined : old?.equals(bytes) === true) continue;
    changed = true;
    // An old format beside a new WAV would be played in its place.
    if (bytes === undefined) await rm(promptFile(folder, text, format));
    else await writeWhole(promptFile(folder, text, format), bytes);
  }
  return { result: 'made', origin: { ...plan.origin, sha256: sha256Of(made) }, changed };
}

/** What to make the sound from, or why there is nothing to make. */
async function planFor(
  folder: string,
  text: PromptText,
  source: PromptSource,
  { known, synthesiser }: { known: PromptOrigin | undefined; synthesiser: Synthesiser | undefined },
): Promise<Plan | string> {
  const voice = source.languages[text.language]?.voice ?? '';
  const recording = recordingFile(folder, text);
  const bytes = await readIfPresent(recording);
  if (text.made !== 'recording' && bytes !== undefined) {
    return `${text.id}.source.wav is there, but languages.${text.language}.made in prompts.yaml is not recording`;
  }
  const origin = { text: text.text, voice, source: null };
  switch (text.made) {
    case 'placeholder':
      return {
        origin,
        speech: (work) => speak(text.text, placeholderVoice(voice, text.language), work),
        formats: promptFormats,
        encode: makeFormats,
      };
    case 'synthetic': {
      const by = synthesiser && bySynthesiser(synthesiser, { text: text.text, language: text.language, voice });
      return { origin, formats: narrowFormats, speech: withoutCommand(known, voice), encode: makeFormats, ...by };
    }
    case 'recording':
      if (bytes === undefined) {
        const lacking = `there is no ${text.id}.source.wav to make it from`;
        const isSynthesised = known?.source === null && (await isOfHash(promptFile(folder, text, 'wav'), known.sha256));
        return isSynthesised ? `still spoken by ${known.voice}, not by ${voice}: ${lacking}` : lacking;
      }
      return {
        origin: { ...origin, source: sha256Of(bytes) },
        speech: () => recorded(recording),
        formats: narrowFormats,
        encode: makeFormats,
      };
  }
}

function withoutCommand(known: PromptOrigin | undefined, voice: string): string {
  const still = known === undefined || known.voice === voice ? '' : `still spoken by ${known.voice}, not by ${voice}: `;

  return `${still}it is made: synthetic, and only --command says who speaks`;
}

/** A program that is not known to say the whole text and nothing else: how long that takes is measured before anything is replaced. */
function bySynthesiser(synthesiser: Synthesiser, words: Words): Pick<Plan, 'speech' | 'encode'> {
  const { program } = synthesiser;

  return {
    speech: async (work) => {
      const file = join(work, 'command.wav');
      await speakBy(synthesiser, words, file);

      return asWrittenBy(program, () => spoken(file));
    },
    encode: (speech, work) =>
      asWrittenBy(program, async () => {
        const formats = await makeFormats(speech, work);
        requirePace(words.text, formats.get('wav') ?? Buffer.alloc(0));

        return formats;
      }),
  };
}

function requirePace(text: string, wav: Buffer): void {
  const sound = readPromptSound('wav', wav);
  const fault = typeof sound === 'string' ? sound : paceFault(text, sound);
  if (fault !== undefined) throw new PreavisError('prompts_build_failed', fault);
}

function placeholderVoice(voice: string, language: string): string {
  const found = espeakVoice(voice);
  if (found !== undefined) return found;
  throw new PreavisError('prompts_invalid', `languages.${language}.voice: ${voice} is not a voice of espeak-ng`, {
    hint: 'Write for example `espeak-ng es`; `espeak-ng --voices` lists them. For another synthesiser set made: synthetic, for a person made: recording.',
  });
}

function programsFor(source: PromptSource, texts: readonly PromptText[]): Set<Program> {
  const spoken = texts.some(({ language }) => source.languages[language]?.made === 'placeholder');
  return new Set<Program>([...(spoken ? (['espeak-ng'] as const) : []), 'sox', 'ffmpeg']);
}

function isMadeFrom(known: PromptOrigin | undefined, wanted: Plan['origin']): boolean {
  return known?.text === wanted.text && known.voice === wanted.voice && known.source === wanted.source;
}

/** Speech from elsewhere may be too narrow for .wav16. */
function isComplete(present: ReadonlyMap<PromptFormat, Buffer>, { formats }: Plan): boolean {
  return formats.every((format) => present.has(format));
}

async function isOfHash(file: string, sha256: string): Promise<boolean> {
  const bytes = await readIfPresent(file);

  return bytes !== undefined && sha256Of(bytes) === sha256;
}

/** The error with the prompt it is about. */
function named(thrown: unknown, { id, language }: PromptText, folder: string): unknown {
  if (thrown instanceof PreavisError) {
    if (thrown.code !== 'prompts_build_failed') return thrown;
    return new PreavisError(thrown.code, `${language}/${id}: ${thrown.message}`, { cause: thrown, hint: thrown.hint });
  }
  const code = errnoOf(thrown);
  if (code === undefined) return thrown;
  return new PreavisError('prompts_build_failed', `Prompts cannot be written in ${folder} (${code})`, {
    cause: thrown,
  });
}

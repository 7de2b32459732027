/**
 * Recordings of people: the code by which a telephone names a prompt, where a recording is put, and what remains to be done
 * until callers hear it. Nothing here changes a sound that is in use; `preavis prompts build` and `install` do.
 */
import { join } from 'node:path';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { makeFolder, readIfPresent, writeWhole } from '../core/files.ts';
import { originOf, readOrigins, type Named } from './origins.ts';
import { promptTexts, type Prompt, type PromptSource, type PromptText } from './library.ts';
import { isOfOtherVoice, type VoiceKind } from './voices.ts';

/**
 * The keys that name a prompt in a language on a telephone: its place in prompts.yaml, two digits, then the place of the
 * language, one digit; more digits where there are more of them. Codes stay as they are while the order stays.
 */
export function promptCode(source: PromptSource, { id, language }: Named): string {
  const ids = Object.keys(source.prompts);
  const languages = Object.keys(source.languages);
  const place = (list: readonly string[], entry: string, width: number): string =>
    String(list.indexOf(entry) + 1).padStart(Math.max(width, String(list.length).length), '0');

  return `${place(ids, id, 2)}${place(languages, language, 1)}`;
}

export function promptOfCode(source: PromptSource, code: string): PromptText | undefined {
  return promptTexts(source).find((text) => promptCode(source, text) === code);
}

/** The recording that `preavis prompts build` makes the sound from. */
export function recordingFile(folder: string, { id, language }: Named): string {
  return join(folder, language, `${id}.source.wav`);
}

/**
 * Puts a recording there, complete or not at all, in the place of an earlier one.
 *
 * @throws PreavisError `prompts_unwritable`.
 */
export async function storeRecording(folder: string, prompt: Named, wav: Buffer): Promise<void> {
  const file = recordingFile(folder, prompt);
  try {
    await makeFolder(join(folder, prompt.language));
    await writeWhole(file, wav);
  } catch (cause) {
    throw new PreavisError('prompts_unwritable', `${file} cannot be written (${errnoOf(cause) ?? 'error'})`, { cause });
  }
}

/** What remains to be done in a language that has recordings, until callers hear them. */
export type RecordingProgress = {
  language: string;
  made: VoiceKind;
  recorded: number;
  of: number;
  /** Prompts without a recording. */
  missing: string[];
  next: string;
};

/** One for each language that has a recording. */
export async function recordingProgress(folder: string, source: PromptSource): Promise<RecordingProgress[]> {
  const list: RecordingProgress[] = [];
  const texts = promptTexts(source);
  for (const [language, { made }] of Object.entries(source.languages)) {
    const own = texts.filter((text) => text.language === language);
    const missing: string[] = [];
    for (const text of own) {
      if ((await readIfPresent(recordingFile(folder, text))) === undefined) missing.push(text.id);
    }
    const recorded = own.length - missing.length;
    if (recorded === 0) continue;
    list.push({ language, made, recorded, of: own.length, missing, next: nextStep(language, made, missing.length) });
  }

  return list;
}

function nextStep(language: string, made: RecordingProgress['made'], missing: number): string {
  const install = 'run `preavis prompts build`, then `preavis prompts install`, then restart `preavis serve`';
  const rest = missing === 0 ? '' : `record the ${missing} that are missing, then `;
  if (made === 'recording') return `${rest}${install}`;

  return `${rest}set languages.${language}.made to recording in prompts.yaml, ${install}; until then callers hear the ${made === 'placeholder' ? 'placeholders' : 'synthesiser'}`;
}

/** A language of which some prompts are still spoken as before it was switched to another kind of voice. */
export type HalfRecorded = { language: string; made: VoiceKind; prompts: string[] };

/** The languages of `prompts` that were switched by halves; a sound that came from elsewhere counts as of the new voice. */
export async function halfRecorded(folder: string, prompts: readonly Prompt[]): Promise<HalfRecorded[]> {
  const origins = await readOrigins(folder);
  const byLanguage = new Map<string, HalfRecorded>();
  for (const prompt of prompts) {
    const origin = originOf(origins, prompt);
    if (origin === undefined || !isOfOtherVoice(prompt.made, origin)) continue;
    const { language, made, id } = prompt;
    byLanguage.set(language, { language, made, prompts: [...(byLanguage.get(language)?.prompts ?? []), id] });
  }

  return [...byLanguage.values()];
}

export function halfRecordedInWords({ language, made, prompts }: HalfRecorded): string {
  const still = made === 'recording' ? 'a synthesiser' : 'espeak-ng';

  return `${language} is made: ${made} in prompts.yaml, but ${still} still speaks ${prompts.join(', ')}`;
}

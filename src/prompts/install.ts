/**
 * Copies the prompts to where Asterisk looks for sounds. A file's name carries the hash of its WAV, so a changed prompt is
 * a new file; old ones are never removed, because receipts name them and calls may be playing them.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { readIfPresent } from '../core/files.ts';
import { placeSounds, removeLeftStagings, type SoundToPlace } from './placeSounds.ts';
import { checkPromptFiles } from './check.ts';
import { makePromptLibrary, promptFile, type PromptLibrary } from './library.ts';
import { promptFormats } from './soundFile.ts';

/** Absolute or relative as `asteriskSounds` was given. */
export type InstalledPrompts = {
  copied: string[];
  /** Already there, byte for byte. */
  kept: string[];
};

/**
 * Copies every prompt, in every format that `soundsFolder` has, to `<asteriskSounds>/<language>/<soundName>.<format>`.
 * All of them or none. Asterisk 22 was seen to find new files without a reload.
 *
 * @param soundsFolder the folder that `library` was loaded from
 * @param asteriskSounds Asterisk's sounds folder, usually /usr/share/asterisk/sounds or /var/lib/asterisk/sounds
 * @param languages all of the library if left out
 * @throws PreavisError `usage`: a language that the library lacks, or no folder `asteriskSounds`. `prompts_invalid`: a
 * format does not say what the WAV says, or another sound has its name on Asterisk. `prompts_missing`: a path below `asteriskSounds` cannot be
 * written. Nothing is changed then.
 */
export async function installPrompts(
  library: PromptLibrary,
  soundsFolder: string,
  asteriskSounds: string,
  languages: readonly string[] = library.languages,
): Promise<InstalledPrompts> {
  const unknown = languages.filter((language) => !library.languages.includes(language));
  if (unknown.length > 0) {
    throw new PreavisError('usage', `There are no prompts in ${unknown.join(', ')}`, {
      hint: `Prompts exist in ${library.languages.join(', ')}.`,
    });
  }
  const chosen = makePromptLibrary(
    languages,
    library.prompts.filter((prompt) => languages.includes(prompt.language)),
  );
  // Before the sounds are measured, which takes seconds.
  await requireFolder(asteriskSounds);
  await refuseFalseFormats(chosen, soundsFolder);
  await refuseOtherSounds(chosen, soundsFolder, asteriskSounds);

  const result: InstalledPrompts = { copied: [], kept: [] };
  const missing: SoundToPlace[] = [];
  for (const prompt of chosen.prompts) {
    for (const format of promptFormats) {
      const source = promptFile(soundsFolder, prompt, format);
      const bytes = await readIfPresent(source);
      if (bytes === undefined) continue;
      const target = join(asteriskSounds, prompt.language, `${prompt.soundName}.${format}`);
      // What cannot be read is not kept; placing says what is wrong with it.
      const isThere = (await readIfPresent(target).catch(() => undefined))?.equals(bytes) === true;
      (isThere ? result.kept : result.copied).push(target);
      if (!isThere) missing.push({ source, language: prompt.language, name: basename(target) });
    }
  }
  await removeLeftStagings(asteriskSounds, languages);
  await placeSounds(asteriskSounds, missing);

  return result;
}

/**
 * A recording that replaces only the WAV would leave the old voice in the other formats, and Asterisk prefers those on
 * most trunks: the receipt would then name a sound that nobody heard.
 */
async function refuseFalseFormats(library: PromptLibrary, soundsFolder: string): Promise<void> {
  const findings = await checkPromptFiles(library, soundsFolder);
  const faults = findings
    .filter(({ what }) => what === 'format' || what === 'content')
    .map(
      ({ language, prompt, format, measured, allowed }) =>
        `${language}/${prompt}.${format}: ${measured}, must be ${allowed}`,
    );
  if (faults.length === 0) return;
  throw new PreavisError('prompts_invalid', `Nothing was copied: ${faults.join('; ')}`, {
    hint: 'Make this format again from the WAV, or delete the file: Asterisk then converts the WAV itself.',
  });
}

/**
 * A name carries the hash of the WAV alone, and Asterisk prefers the other formats: with other bytes under the same name,
 * receipts written before and after would name two sounds alike. A WAV that differs from the hash in its own name is damaged
 * and may be replaced.
 */
async function refuseOtherSounds(library: PromptLibrary, soundsFolder: string, asteriskSounds: string): Promise<void> {
  const others: string[] = [];
  for (const prompt of library.prompts) {
    for (const format of promptFormats.filter((each) => each !== 'wav')) {
      const target = join(asteriskSounds, prompt.language, `${prompt.soundName}.${format}`);
      const [ours, theirs] = await Promise.all([
        readIfPresent(promptFile(soundsFolder, prompt, format)),
        readIfPresent(target).catch(() => undefined),
      ]);
      if (ours !== undefined && theirs?.equals(ours) === false) others.push(target);
    }
  }
  if (others.length === 0) return;
  throw new PreavisError('prompts_invalid', `Nothing was copied: another sound has the name of ${others.join(', ')}`, {
    hint: 'Record or build the sentence again, so that its WAV gets another name. Remove that file only if it was never played.',
  });
}

async function requireFolder(folder: string): Promise<void> {
  const entry = await stat(folder).catch((thrown: unknown) => {
    if (errnoOf(thrown) === undefined) throw thrown;
    return undefined;
  });
  if (entry?.isDirectory() === true) return;
  throw new PreavisError('usage', `There is no folder ${folder}`, {
    hint: "Name Asterisk's sounds folder: /usr/share/asterisk/sounds on Debian, /var/lib/asterisk/sounds elsewhere.",
  });
}

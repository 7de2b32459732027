import { createHash } from 'node:crypto';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { promptFile, type Prompt, type PromptLibrary } from '../prompts/library.ts';
import { readPromptSound } from '../prompts/soundFile.ts';
import { readIfPresent } from '../core/files.ts';
import type { PlayedPrompt } from '../audio/preparedPrompt.ts';

export type PlayedPrompts = {
  prompts: readonly PlayedPrompt[];
  /** Sentences of the receipt whose sound is no longer there as it was played. */
  missing: number;
};

/**
 * The sound of the prompts that the caller of a recording heard, by the hash that the receipt names; read when it is first
 * asked for. A file that was replaced since then is not what was played: it counts as missing.
 *
 * @param folder that `library` was loaded from
 */
export function makePlayedPrompts(
  folder: string,
  library: Pick<PromptLibrary, 'prompts'>,
  catalogue: CataloguePart<{ calls: 'notices' }>,
): (row: Pick<RecordingRow, 'callId'>) => Promise<PlayedPrompts> {
  const byHash = new Map(library.prompts.map((prompt) => [prompt.sha256, prompt]));
  const sounds = new Map<string, PlayedPrompt>();
  const soundOf = async (sha256: string): Promise<PlayedPrompt | undefined> => {
    const prompt = byHash.get(sha256);
    const sound = sounds.get(sha256) ?? (prompt === undefined ? undefined : await read(folder, prompt));
    if (sound !== undefined) sounds.set(sha256, sound);

    return sound;
  };

  return async ({ callId }) => {
    const notices = await catalogue.calls.notices(callId);
    const prompts = (await Promise.all(notices.map(({ sha256 }) => soundOf(sha256)))).filter(
      (sound) => sound !== undefined,
    );

    return { prompts, missing: notices.length - prompts.length };
  };
}

async function read(folder: string, prompt: Prompt): Promise<PlayedPrompt | undefined> {
  const bytes = await readIfPresent(promptFile(folder, prompt, 'wav'));
  if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== prompt.sha256) return undefined;
  const sound = readPromptSound('wav', bytes);

  return typeof sound === 'string' ? undefined : { id: `${prompt.language}/${prompt.id}`, samples: sound.samples };
}

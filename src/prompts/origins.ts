/**
 * made.json beside prompts.yaml: the words, the voice and the recording that each WAV was made from. With it the build leaves
 * alone what it did not make, and a text that was changed without its sound is found before a caller hears the old one.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { PreavisError } from '../core/errors.ts';
import { readIfPresent, writeWhole } from '../core/files.ts';

const origin = z.strictObject({
  text: z.string(),
  voice: z.string(),
  /** SHA-256 of the recording; null for a synthesiser. */
  source: z.string().nullable(),
  /** Of the WAV that was made. A WAV with another one came from elsewhere, and nothing is known of it. */
  sha256: z.string(),
});

/** What a WAV was made from. */
export type PromptOrigin = Readonly<z.infer<typeof origin>>;

/** By `<language>/<id>`. */
export type PromptOrigins = ReadonlyMap<string, PromptOrigin>;

const originsFile = z.record(z.string(), origin);

/** What names a prompt in a language. */
export type Named = { id: string; language: string };

export function originKey({ id, language }: Named): string {
  return `${language}/${id}`;
}

/** Empty without the file. Throws prompts_invalid when the file is not as writeOrigins writes it. */
export async function readOrigins(folder: string): Promise<PromptOrigins> {
  const file = join(folder, 'made.json');
  const bytes = await readIfPresent(file);
  if (bytes === undefined) return new Map();
  try {
    return new Map(Object.entries(originsFile.parse(JSON.parse(bytes.toString('utf8')))));
  } catch (cause) {
    throw new PreavisError('prompts_invalid', `${file} is damaged`, {
      cause,
      hint: 'Delete it and run `preavis prompts build`; correct placeholders are kept.',
    });
  }
}

export async function writeOrigins(folder: string, origins: PromptOrigins): Promise<void> {
  const sorted = Object.fromEntries([...origins].sort(([one], [other]) => (one < other ? -1 : 1)));
  await writeWhole(join(folder, 'made.json'), Buffer.from(`${JSON.stringify(sorted, undefined, 2)}\n`));
}

/** What this WAV was made from; undefined when it came from elsewhere. */
export function originOf(origins: PromptOrigins, prompt: Named & { sha256: string }): PromptOrigin | undefined {
  const known = origins.get(originKey(prompt));
  return known?.sha256 === prompt.sha256 ? known : undefined;
}

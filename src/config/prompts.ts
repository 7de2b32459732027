/**
 * The prompts: what each says, in which language, for which purposes, and which sound file says it. Texts come from
 * prompts.yaml, hash and length from the WAV beside it, so that a receipt can name exactly what was played (P2).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { type PromptFormat, readPromptSound, soundLengthMs } from './promptSound.ts';

/** purpose: says that the call may be recorded and why. storage: says for how long the recording is kept. */
export type PromptKind = 'purpose' | 'storage';

/** One sentence in one language. */
export type Prompt = {
  id: string;
  /** Language tag as Asterisk writes it: `fr`, `fr_BE`. */
  language: string;
  text: string;
  kind: PromptKind;
  /** The purposes the sentence names, in the order of prompts.yaml. */
  purposes: readonly string[];
  /**
   * Storage sentences: for each purpose they name, the longest time they promise, in days, or null where they give no
   * number. Null for purpose sentences.
   */
  statesMaxDays: Readonly<Record<string, number | null>> | null;
  /** Of the WAV file, in hex. */
  sha256: string;
  lengthMs: number;
  /**
   * What Asterisk is asked to play: `preavis/<id>-<first 12 hex digits of sha256>`. The hash differs for each language, so
   * Asterisk's silent fallback to another language never finds a file of this name.
   */
  soundName: string;
};

export type PromptLibrary = {
  /** In the order of prompts.yaml. */
  languages: readonly string[];
  prompts: readonly Prompt[];
  find(id: string, language: string): Prompt | undefined;
  /**
   * The sentences that announce recording for exactly these purposes, in the order to play them; the order of `purposes`
   * does not matter. One purpose and one storage sentence where both name exactly these purposes; otherwise each purpose
   * with its own storage sentence, one after another. Undefined if this language lacks one of them.
   */
  noticeFor(purposes: readonly string[], language: string): Prompt[] | undefined;
};

const languageTag = z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'must be a language tag such as fr or fr_BE');
const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower-case letters, digits and dashes');
const sentence = z.string().trim().min(1, 'must not be empty').max(500);

const common = {
  purposes: z
    .array(name)
    .min(1, 'must name at least one purpose')
    .refine((list) => new Set(list).size === list.length, 'must not name a purpose twice'),
  text: z.record(languageTag, sentence),
};

const promptSource = z.strictObject({
  languages: z.record(
    languageTag,
    z.strictObject({ made: z.enum(['placeholder', 'recording']), voice: z.string().min(1) }),
  ),
  prompts: z.record(
    name,
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('purpose'), ...common }),
      z.strictObject({
        kind: z.literal('storage'),
        ...common,
        statesMaxDays: z.record(name, z.int().min(1).max(36_525).nullable()),
      }),
    ]),
  ),
});

/** prompts.yaml as written: texts, who speaks, and whether the sound is only a placeholder. */
export type PromptSource = z.infer<typeof promptSource>;

/**
 * Reads `<folder>/prompts.yaml`, without the sound files.
 *
 * @throws PreavisError `prompts_invalid`: unreadable, not YAML, an unknown or malformed key, a text in a language that
 * `languages` lacks, two prompts that say the same. The message names every fault.
 */
export async function readPromptSource(folder: string): Promise<PromptSource> {
  const file = join(folder, 'prompts.yaml');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    throw new PreavisError('prompts_invalid', `${file} cannot be read (${errnoOf(thrown) ?? 'unknown error'})`, {
      cause: thrown,
    });
  }
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken !== undefined) {
    throw new PreavisError('prompts_invalid', `${file} is not YAML: ${broken.message}`, { cause: broken });
  }
  const parsed = promptSource.safeParse(document.toJS());
  if (!parsed.success) {
    throw invalid(
      file,
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`),
    );
  }
  const faults = contradictions(parsed.data);
  if (faults.length > 0) throw invalid(file, faults);
  return parsed.data;
}

/**
 * Reads prompts.yaml in `folder` and the WAV `<folder>/<language>/<id>.wav` of every text in it.
 *
 * @throws PreavisError `prompts_invalid`: whatever readPromptSource rejects, and any WAV that is missing or is not 8000 Hz
 * mono 16-bit PCM with a plain header. The message names every fault.
 */
export async function loadPrompts(folder: string): Promise<PromptLibrary> {
  const source = await readPromptSource(folder);
  const prompts: Prompt[] = [];
  const faults: string[] = [];
  for (const [id, entry] of Object.entries(source.prompts)) {
    for (const [language, text] of Object.entries(entry.text)) {
      const file = promptFile(folder, { id, language }, 'wav');
      let bytes: Buffer;
      try {
        bytes = await readFile(file);
      } catch (thrown) {
        faults.push(`${file} cannot be read (${errnoOf(thrown) ?? 'unknown error'})`);
        continue;
      }
      const sound = readPromptSound('wav', bytes);
      if (typeof sound === 'string') {
        faults.push(`${file} ${sound}`);
        continue;
      }
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      prompts.push({
        id,
        language,
        text,
        kind: entry.kind,
        purposes: entry.purposes,
        statesMaxDays: entry.kind === 'storage' ? entry.statesMaxDays : null,
        sha256,
        lengthMs: soundLengthMs(sound),
        soundName: `preavis/${id}-${sha256.slice(0, 12)}`,
      });
    }
  }
  faults.push(...sharedSounds(prompts));
  if (faults.length > 0) throw invalid(folder, faults);
  return makePromptLibrary(Object.keys(source.languages), prompts);
}

/** A library of prompts that are already known. */
export function makePromptLibrary(languages: readonly string[], prompts: readonly Prompt[]): PromptLibrary {
  const find = (id: string, language: string): Prompt | undefined =>
    prompts.find((prompt) => prompt.id === id && prompt.language === language);

  const sentenceFor = (kind: PromptKind, purposes: readonly string[], language: string): Prompt | undefined =>
    prompts.find(
      (prompt) => prompt.kind === kind && prompt.language === language && sameSet(prompt.purposes, purposes),
    );

  const pairFor = (purposes: readonly string[], language: string): [Prompt, Prompt] | undefined => {
    const purpose = sentenceFor('purpose', purposes, language);
    const storage = sentenceFor('storage', purposes, language);
    return purpose === undefined || storage === undefined ? undefined : [purpose, storage];
  };

  return {
    languages,
    prompts,
    find,
    noticeFor(purposes, language) {
      if (purposes.length === 0) return undefined;
      const together = pairFor(purposes, language);
      if (together !== undefined) return together;
      const known = [...new Set(prompts.flatMap((prompt) => prompt.purposes))];
      const wanted = new Set(purposes);
      // In the order of prompts.yaml, so that the same purposes always give the same notice.
      const ordered = known.filter((purpose) => wanted.has(purpose));
      if (ordered.length !== wanted.size) return undefined;
      const notice: Prompt[] = [];
      for (const purpose of ordered) {
        const pair = pairFor([purpose], language);
        if (pair === undefined) return undefined;
        notice.push(...pair);
      }
      return notice;
    },
  };
}

/** Where a sound file lies in our folder. */
export function promptFile(folder: string, prompt: { id: string; language: string }, format: PromptFormat): string {
  return join(folder, prompt.language, `${prompt.id}.${format}`);
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  const [a, b] = [new Set(one), new Set(other)];
  return a.size === b.size && [...a].every((entry) => b.has(entry));
}

/** Faults that the shape of the file does not show. */
function contradictions(source: PromptSource): string[] {
  const faults: string[] = [];
  const said = new Map<string, string>();
  for (const [id, entry] of Object.entries(source.prompts)) {
    if (entry.kind === 'storage' && !sameSet(Object.keys(entry.statesMaxDays), entry.purposes)) {
      faults.push(`prompts.${id}.statesMaxDays: must have exactly the purposes ${entry.purposes.join(', ')}`);
    }
    for (const language of Object.keys(entry.text)) {
      if (!Object.hasOwn(source.languages, language)) {
        faults.push(`prompts.${id}.text.${language}: ${language} is not one of the languages`);
      }
      const meaning = `${entry.kind} ${[...entry.purposes].sort().join(' ')} ${language}`;
      const earlier = said.get(meaning);
      if (earlier === undefined) said.set(meaning, id);
      else faults.push(`prompts.${id}.text.${language}: ${earlier} already has this kind and these purposes`);
    }
  }
  return faults;
}

/** Two prompts with one sound: at least one of them does not say its text. */
function sharedSounds(prompts: readonly Prompt[]): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { id, language, sha256 } of prompts) {
    const owner = owners.get(sha256);
    if (owner === undefined) owners.set(sha256, `${language}/${id}`);
    else faults.push(`${language}/${id}.wav is the same file as ${owner}.wav`);
  }
  return faults;
}

function invalid(where: string, faults: readonly string[]): PreavisError {
  return new PreavisError('prompts_invalid', `${where}: ${faults.join('; ')}`);
}

/**
 * The prompts: what each says, in which language, for which purposes, and which sound file says it. Texts come from
 * prompts.yaml, hash and length from the WAV beside it, so that a receipt can name exactly what was played (P2).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256Of } from '../core/crypto/sha256.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { originOf, readOrigins } from './origins.ts';
import { readYaml } from '../core/text/yaml.ts';
import { inWords } from '../core/text/zodMessages.ts';
import { espeakVoice, type VoiceKind, voiceKinds } from './voices.ts';
import { type PromptFormat, readPromptSound, soundLengthMs } from './soundFile.ts';

/**
 * purpose: says that the call may be recorded and why. storage: says for how long the recording is kept. whole: says both in
 * one sentence. company: says whose call it is. more: says where more is to be read. refuseLater: tells the code that refuses while they
 * talk. again: says that the call may be recorded, to who has heard the whole notice lately. optOut: asks for a key from those who do not want it. optIn: asks for a key from those who do. optOutAck,
 * optInAck: confirm that key. noAnswer: says what follows where nobody answered. erasedAck: confirms the code that refuses
 * while they talk. paused, resumed: say what became of the recording. stopped: the same, played by nothing any more. chooseLanguage: in a language, asks for the
 * key that chooses it. turnedAway: says that the call cannot be taken, since it must be recorded and cannot be.
 */
type PromptKind = NoticeKind | SingleKind;
/** Sentences about purposes: a language has one for each set of purposes. */
type NoticeKind = 'purpose' | 'storage' | 'whole';
/** Sentences of which a language has one. */
export type SingleKind =
  | OptionalKind
  | 'optOut'
  | 'optOutAck'
  | 'optIn'
  | 'optInAck'
  | 'noAnswer'
  | 'erasedAck'
  | 'paused'
  | 'resumed'
  | 'stopped'
  | 'chooseLanguage'
  | 'turnedAway';

/** Sentences that a language may have and need not: they are played where they are there. */
export type OptionalKind = 'company' | 'more' | 'refuseLater' | 'again';

/** may: says that the call may be recorded, which stays true of a call that is not. is: says that it is recorded. */
export type PromptWording = 'may' | 'is';

/**
 * What a key does that a sentence names: refuse or accept the recording, choose the language of the sentence. code: refuses while they talk,
 * and may be several keys.
 */
type PromptKey = 'refuse' | 'accept' | 'choose' | 'code';

/** One sentence in one language, as prompts.yaml has it. */
export type PromptText = {
  id: string;
  /** Language tag as Asterisk writes it: `fr`, `fr_BE`. */
  language: string;
  text: string;
  kind: PromptKind;
  /** The purposes the sentence names, in the order of prompts.yaml; empty for the kinds that name none. */
  purposes: readonly string[];
  /** Of purpose and whole sentences; null for the others. */
  wording: PromptWording | null;
  /**
   * Storage and whole sentences: for each purpose they name, the longest time they promise, in days, or null where they give
   * no number. Null for the others.
   */
  statesMaxDays: Readonly<Record<string, number | null>> | null;
  /** Of these sentences, where they promise a shortest time as well, for each purpose, days. */
  statesMinDays?: Readonly<Record<string, number>>;
  /** Of these sentences, where they say that a recording may be kept longer on request of an authority: for how long, for each purpose, days. */
  statesHeldDays?: Readonly<Record<string, number>>;
  /** The keys the sentence names, one character each but for `code`; null for the kinds that name none. */
  keys: Readonly<Partial<Record<PromptKey, string>>> | null;
  made: VoiceKind;
};

/** One sentence in one language, with its sound. */
export type Prompt = PromptText & {
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
  /** The sentence of this kind; undefined if this language lacks it. */
  single(kind: SingleKind, language: string): Prompt | undefined;
  /**
   * The sentences that announce recording for exactly these purposes, in the order to play them; the order of `purposes`
   * does not matter. A whole sentence, or a purpose and a storage sentence, that name exactly these purposes; otherwise
   * each purpose with its own, one after another. Undefined if this language lacks one of them.
   */
  noticeFor(purposes: readonly string[], language: string): Prompt[] | undefined;
};

const languageTag = z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'must be a language tag such as fr or fr_BE');
const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower-case letters, digits and dashes');
const sentence = z.string().trim().min(1, 'must not be empty').max(500);
const phoneKey = z.string('must be one key of a telephone in quotes, such as "9"').regex(/^[0-9*#]$/, {
  message: 'must be one key of a telephone: 0 to 9, * or #',
});
const phoneCode = z
  .string('must be keys of a telephone in quotes, such as "*9"')
  .regex(/^[0-9*#]{2,6}$/, 'must be two to six keys of a telephone: 0 to 9, * or #');

const text = z.record(languageTag, sentence);
const purposes = z
  .array(name)
  .min(1, 'must name at least one purpose')
  .refine((list) => new Set(list).size === list.length, 'must not name a purpose twice');
const wording = z.enum(['may', 'is']);
const days = z.int().min(1).max(36_525);
const states = {
  statesMaxDays: z.record(name, days.nullable()),
  statesMinDays: z.record(name, days).optional(),
  statesHeldDays: z.record(name, days).optional(),
};

/** Sentences with nothing to say of them but their words. */
const wordsAlone = [
  'company',
  'again',
  'more',
  'optOutAck',
  'optInAck',
  'noAnswer',
  'erasedAck',
  'paused',
  'resumed',
  'stopped',
  'turnedAway',
] as const;

const promptEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('purpose'), purposes, wording, text }),
  z.strictObject({ kind: z.literal('storage'), purposes, ...states, text }),
  z.strictObject({ kind: z.literal('whole'), purposes, wording, ...states, text }),
  z.strictObject({ kind: z.literal('refuseLater'), code: phoneCode, text }),
  z.strictObject({ kind: z.literal('optOut'), keys: z.strictObject({ refuse: phoneKey }), text }),
  z.strictObject({ kind: z.literal('optIn'), keys: z.strictObject({ accept: phoneKey, refuse: phoneKey }), text }),
  z.strictObject({ kind: z.literal('chooseLanguage'), key: z.record(languageTag, phoneKey), text }),
  z.strictObject({
    kind: z.enum(wordsAlone),
    text,
  }),
]);

const promptSource = z.strictObject({
  languages: z.record(languageTag, z.strictObject({ made: z.enum(voiceKinds), voice: z.string().min(1) })),
  prompts: z.record(name, promptEntry),
});

type PromptEntry = z.infer<typeof promptEntry>;

/** prompts.yaml as written: texts, who speaks, and whether the sound is only a placeholder. */
export type PromptSource = z.infer<typeof promptSource>;

/**
 * Reads `<folder>/prompts.yaml`, without the sound files.
 *
 * @throws PreavisError `prompts_invalid`: unreadable, not YAML, an unknown or malformed key, a text in a language that
 * `languages` lacks, two prompts that say the same, one key for two answers. The message names every fault.
 */
export async function readPromptSource(folder: string): Promise<PromptSource> {
  const file = join(folder, 'prompts.yaml');
  const parsed = promptSource.safeParse(await readYaml(file, 'prompts_invalid'), { error: inWords });
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

/** Every sentence in every language, in the order of prompts.yaml. */
export function promptTexts(source: PromptSource): PromptText[] {
  return Object.entries(source.prompts).flatMap(([id, entry]) =>
    Object.entries(entry.text).map(([language, words]) => ({
      id,
      language,
      text: words,
      kind: entry.kind,
      purposes: 'purposes' in entry ? entry.purposes : [],
      wording: 'wording' in entry ? entry.wording : null,
      statesMaxDays: 'statesMaxDays' in entry ? entry.statesMaxDays : null,
      ...optionalDays(entry),
      keys: keysOf(entry, language),
      made: source.languages[language]?.made ?? 'placeholder',
    })),
  );
}

function optionalDays(entry: PromptEntry): Pick<PromptText, 'statesMinDays' | 'statesHeldDays'> {
  if (!('statesMaxDays' in entry)) return {};
  const { statesMinDays, statesHeldDays } = entry;

  return { ...(statesMinDays && { statesMinDays }), ...(statesHeldDays && { statesHeldDays }) };
}

function keysOf(entry: PromptEntry, language: string): PromptText['keys'] {
  if ('code' in entry) return { code: entry.code };
  if ('keys' in entry) return entry.keys;
  const choose = 'key' in entry ? entry.key[language] : undefined;
  return choose === undefined ? null : { choose };
}

/**
 * Reads prompts.yaml in `folder` and the WAV `<folder>/<language>/<id>.wav` of every text in it.
 *
 * @throws PreavisError `prompts_invalid`: whatever readPromptSource rejects, any WAV that is missing or is not 8000 Hz mono
 * 16-bit PCM with a plain header, and any that was made from other words. The message names every fault.
 */
export async function loadPrompts(folder: string): Promise<PromptLibrary> {
  const source = await readPromptSource(folder);
  const origins = await readOrigins(folder);
  const prompts: Prompt[] = [];
  const faults: string[] = [];
  for (const words of promptTexts(source)) {
    const prompt = await readPrompt(folder, words);
    if (typeof prompt === 'string') {
      faults.push(prompt);
      continue;
    }
    const made = originOf(origins, prompt)?.text;
    if (made !== undefined && made !== prompt.text) {
      faults.push(
        `${promptFile(folder, prompt, 'wav')} says ${JSON.stringify(made)}, not what prompts.yaml says: make it again`,
      );
    }
    prompts.push(prompt);
  }
  faults.push(...sharedSounds(prompts));
  if (faults.length > 0) throw invalid(folder, faults);
  return makePromptLibrary(Object.keys(source.languages), prompts);
}

/** What Asterisk calls the sound of a prompt: the name carries the hash, so that a changed prompt is another sound. */
export function soundNameOf(id: string, sha256: string): string {
  return `preavis/${id}-${sha256.slice(0, 12)}`;
}

/** The sentence with its WAV in `folder`, or a sentence that says why it has none. */
export async function readPrompt(folder: string, words: PromptText): Promise<Prompt | string> {
  const file = promptFile(folder, words, 'wav');
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (thrown) {
    return `${file} cannot be read (${errnoOf(thrown) ?? 'unknown error'})`;
  }
  const sound = readPromptSound('wav', bytes);
  if (typeof sound === 'string') return `${file} ${sound}`;
  const sha256 = sha256Of(bytes);
  return {
    ...words,
    sha256,
    lengthMs: soundLengthMs(sound),
    soundName: soundNameOf(words.id, sha256),
  };
}

/** A library of prompts that are already known. */
export function makePromptLibrary(languages: readonly string[], prompts: readonly Prompt[]): PromptLibrary {
  const find = (id: string, language: string): Prompt | undefined =>
    prompts.find((prompt) => prompt.id === id && prompt.language === language);

  const sentenceFor = (kind: NoticeKind, purposes: readonly string[], language: string): Prompt | undefined =>
    prompts.find(
      (prompt) => prompt.kind === kind && prompt.language === language && sameSet(prompt.purposes, purposes),
    );

  /** Sentences that name exactly these purposes, and together say what for and how long. */
  const exactly = (purposes: readonly string[], language: string): Prompt[] | undefined => {
    const whole = sentenceFor('whole', purposes, language);
    if (whole !== undefined) return [whole];
    const purpose = sentenceFor('purpose', purposes, language);
    const storage = sentenceFor('storage', purposes, language);
    return purpose === undefined || storage === undefined ? undefined : [purpose, storage];
  };

  return {
    languages,
    prompts,
    find,
    single: (kind, language) => prompts.find((prompt) => prompt.kind === kind && prompt.language === language),
    noticeFor(purposes, language) {
      if (purposes.length === 0) return undefined;
      const together = exactly(purposes, language);
      if (together !== undefined) return together;
      const known = [...new Set(prompts.flatMap((prompt) => prompt.purposes))];
      const wanted = new Set(purposes);
      // In the order of prompts.yaml, so that the same purposes always give the same notice.
      const ordered = known.filter((purpose) => wanted.has(purpose));
      if (ordered.length !== wanted.size) return undefined;
      const notice: Prompt[] = [];
      for (const purpose of ordered) {
        const sentences = exactly([purpose], language);
        if (sentences === undefined) return undefined;
        notice.push(...sentences);
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
  for (const [language, { made, voice }] of Object.entries(source.languages)) {
    if (made === 'synthetic' && espeakVoice(voice) !== undefined) {
      faults.push(`languages.${language}.made: ${voice} sounds like a machine and is a placeholder, not synthetic`);
    }
  }
  const said = new Map<string, string>();
  for (const [id, entry] of Object.entries(source.prompts)) {
    const named = 'purposes' in entry ? entry.purposes : [];
    if ('statesMaxDays' in entry && !sameSet(Object.keys(entry.statesMaxDays), named)) {
      faults.push(`prompts.${id}.statesMaxDays: must have exactly the purposes ${named.join(', ')}`);
    }
    faults.push(...timeFaults(entry).map((fault) => `prompts.${id}.${fault}`));
    faults.push(...keyFaults(entry).map((fault) => `prompts.${id}.${fault}`));
    for (const language of Object.keys(entry.text)) {
      if (!Object.hasOwn(source.languages, language)) {
        faults.push(`prompts.${id}.text.${language}: ${language} is not one of the languages`);
      }
      const meaning = `${entry.kind} ${[...named].sort().join(' ')} ${language}`;
      const earlier = said.get(meaning);
      if (earlier === undefined) said.set(meaning, id);
      else faults.push(`prompts.${id}.text.${language}: ${earlier} already has this kind and these purposes`);
    }
  }
  return faults;
}

/** A shortest time is no longer than the longest one, and only what a sentence names has one. */
function timeFaults(entry: PromptEntry): string[] {
  if (!('statesMaxDays' in entry)) return [];
  const { statesMaxDays, statesMinDays = {}, statesHeldDays = {} } = entry;
  const unnamed = (['statesMinDays', 'statesHeldDays'] as const).flatMap((key) =>
    Object.keys(entry[key] ?? {})
      .filter((purpose) => !entry.purposes.includes(purpose))
      .map((purpose) => `${key}.${purpose}: the sentence does not name this purpose`),
  );
  const wrong = Object.entries(statesMaxDays).flatMap(([purpose, most]) => {
    if (most === null) return [];
    const [least, held] = [statesMinDays[purpose] ?? 0, statesHeldDays[purpose] ?? most];

    return [
      ...(least > most ? [`statesMinDays.${purpose}: is longer than statesMaxDays`] : []),
      ...(held < most ? [`statesHeldDays.${purpose}: is shorter than statesMaxDays`] : []),
    ];
  });

  return [...unnamed, ...wrong];
}

/** One key must not mean two things. */
function keyFaults(entry: PromptEntry): string[] {
  if (entry.kind === 'optIn' && entry.keys.accept === entry.keys.refuse) {
    return [`keys: ${entry.keys.accept} cannot both accept and refuse`];
  }
  if (entry.kind !== 'chooseLanguage') return [];
  const faults = sameSet(Object.keys(entry.key), Object.keys(entry.text))
    ? []
    : ['key: must have exactly the languages of text'];
  const chosen = Object.values(entry.key);
  if (new Set(chosen).size < chosen.length) faults.push('key: two languages have the same key');
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

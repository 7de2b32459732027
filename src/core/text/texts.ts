/**
 * What a document says in one language, from a file in `texts/` that a translator edits (texts/README.md). A file is checked when it is
 * read: a key or a place that is missing would be found by the reader of a signed page.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { PreavisError } from '../errors.ts';
import { installedPath } from '../installation.ts';
import { readYaml } from './yaml.ts';
import { inWords } from './zodMessages.ts';

/** Puts a value into each place of a text. */
export type Template<Place extends string> = (values: Readonly<Record<Place, string | number>>) => string;

const place = /\{(\w+)\}/g;
const filled = (said: string, values: Readonly<Record<string, string | number>>): string =>
  said.replace(place, (written, name: string) => `${values[name] ?? written}`);

const inBraces = (names: readonly string[]): string => names.map((name) => `{${name}}`).join(', ');

/** Why this is no text with exactly these places. */
function faultOf(text: string, places: readonly string[]): string | undefined {
  if (text.trim() === '') return 'must not be empty';
  if (/[<>]|&#?\w+;/.test(text)) return 'must hold no HTML: a page would show it as it is written';
  if (/[{}]/.test(text.replace(place, ''))) return 'has a brace that belongs to no place such as {time}';
  const found = new Set(Array.from(text.matchAll(place), ([, name = '']) => name));
  const wanted = places.length === 0 ? 'must have no place' : `must have exactly the places ${inBraces(places)}`;

  return found.size === places.length && places.every((name) => found.has(name)) ? undefined : wanted;
}

const written = (places: readonly string[]): z.ZodString =>
  z.string().check(({ value, issues }) => {
    const message = faultOf(value, places);
    if (message !== undefined) issues.push({ code: 'custom', input: value, message });
  });

/** A text in which nothing is put. */
export const text = written([]);

/** One such text for each name. */
export const textFor = <const Name extends string>(
  ...names: readonly Name[]
): z.ZodRecord<z.ZodEnum<{ [Each in Name]: Each }>, z.ZodString> => z.record(z.enum(names), text);

/** A text with these places, each at least once. */
export const template = <const Place extends string>(...places: readonly Place[]) =>
  written(places).transform(
    (said): Template<Place> =>
      (values) =>
        filled(said, values),
  );

const forms = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * A text about `{count}` things, in each form that the language has for a number up to a hundred. Forms have their names of CLDR: in
 * English `one` and `other`. `zero`, where it is there, is for none at all.
 */
export function counted(language: string) {
  const rules = new Intl.PluralRules(language);
  const needed = new Set(Array.from({ length: 101 }, (_none, count) => rules.select(count)));

  return z
    .partialRecord(z.enum(forms), template('count'))
    .check(({ value, issues }) => {
      const missing = [...needed].filter((form) => value[form] === undefined);
      if (missing.length > 0) issues.push({ code: 'custom', input: value, message: `lacks ${missing.join(', ')}` });
    })
    .transform((inForm) => (count: number): string => {
      const said = (count === 0 ? inForm.zero : undefined) ?? inForm[rules.select(count)] ?? inForm.other;

      return said?.({ count }) ?? `${count}`;
    });
}

/** The file of a document in a language, as it came with Préavis. */
export const textFile = (
  document: 'bundle' | 'dataSubject' | 'erasureAnswer' | 'papers' | 'signIn',
  language: string,
): string => installedPath('texts', document, `${language}.yaml`);

/** In French a space that no line breaks at stands before : ; ? ! and within « »: a translator types an ordinary one. */
function withFrenchSpaces(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/ (?=[:;?!»])|(?<=«) /g, '\u00a0');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;

  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withFrenchSpaces(each)]));
}

/** Throws PreavisError `texts_invalid`, which names file and keys: not there, not YAML, or not what the schema asks for. */
export async function loadTexts<Texts>(file: string, schema: z.ZodType<Texts>): Promise<Texts> {
  const tree = await readYaml(file, 'texts_invalid');
  const spaced = basename(file) === 'fr.yaml' ? withFrenchSpaces(tree) : tree;
  const result = schema.safeParse(spaced, { error: inWords });
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => [...path.map(String), message].join(' '));
  throw new PreavisError('texts_invalid', `${file}: ${faults.join('; ')}`);
}

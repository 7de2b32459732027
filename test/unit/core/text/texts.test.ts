import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { counted, loadTexts, template, text, textFile, textFor } from '../../../../src/core/text/texts.ts';
import { signInLanguages, signInTexts } from '../../../../src/web/signInPages.ts';
import { isTree, readYaml } from '../../../../src/core/text/yaml.ts';
import { subjectLanguages, type SubjectLanguage } from '../../../../src/dataSubject/languages.ts';
import { subjectTexts } from '../../../../src/dataSubject/texts.ts';
import { explanationLanguages } from '../../../../src/evidence/bundle/format.ts';
import { answerTexts } from '../../../../src/dataSubject/answerTexts.ts';
import { paperLanguages } from '../../../../src/papers/languages.ts';
import { paperTexts } from '../../../../src/papers/texts.ts';
import { explanationTexts } from '../../../../src/evidence/bundle/page/texts.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** The files of texts: what they may hold, and that those which come with Préavis do. */

const folder = temporaryFolder();
let files = 0;
async function fileOf(content: string, name = `${(files += 1)}.yaml`): Promise<string> {
  const file = folder.path(name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);

  return file;
}

const schema = z.strictObject({ title: text, when: template('from', 'to'), why: textFor('law', 'wish') });
const right = { title: 'A title', when: 'from {from} to {to}', why: { law: 'by law', wish: 'as you wish' } };
const loaded = async (tree: unknown) => loadTexts(await fileOf(JSON.stringify(tree)), schema);

test('values are put into their places once, whatever they hold', async () => {
  const { when } = await loaded({ ...right, when: '{to}, {from}, {to}' });
  expect(when({ from: '{to}', to: '$& {from}' })).toBe('$& {from}, {to}, $& {from}');
  expect(when({ from: 0, to: '' })).toBe(', 0, ');
});

describe('a file is refused by name and key', () => {
  test.each<[string, unknown, string]>([
    ['a key is missing', { ...right, title: undefined }, 'title is missing'],
    ['a text of a group is missing', { ...right, why: { law: 'by law' } }, 'why wish is missing'],
    ['there is another key', { ...right, extra: 'x' }, 'has no key extra'],
    ['a group has another key', { ...right, why: { ...right.why, extra: 'x' } }, 'why has no key extra'],
    ['a text is a number', { ...right, title: 7 }, 'title must be a text'],
    ['a text is empty', { ...right, title: ' ' }, 'title must not be empty'],
    ['a text has HTML', { ...right, title: 'A <b>title' }, 'title must hold no HTML'],
    ['a text has an entity', { ...right, title: 'A&nbsp;title' }, 'title must hold no HTML'],
    ['a place is missing', { ...right, when: 'from {from}' }, 'when must have exactly the places {from}, {to}'],
    ['a place is misspelled', { ...right, when: '{from} {too}' }, 'when must have exactly the places {from}, {to}'],
    ['there is one place more', { ...right, when: '{from} {to} {at}' }, 'when must have exactly the places'],
    ['a place is not closed', { ...right, when: '{from} {to} {' }, 'when has a brace that belongs to no place'],
    ['a place is where none is', { ...right, title: 'A {title}' }, 'title must have no place'],
    ['it is a list', [], 'must be keys and values'],
  ])('when %s', async (_name, tree, fault) => {
    await expect(loaded(tree)).rejects.toMatchObject({
      code: 'texts_invalid',
      message: expect.stringContaining(fault) as string,
    });
  });

  test('when it is not there, or not YAML', async () => {
    const absent = folder.path('absent.yaml');
    await expect(loadTexts(absent, schema)).rejects.toMatchObject({
      code: 'texts_invalid',
      message: `${absent} cannot be read (ENOENT)`,
    });
    await expect(loadTexts(await fileOf('title: ['), schema)).rejects.toMatchObject({ code: 'texts_invalid' });
  });
});

describe('a text about a number', () => {
  const countedIn = async (language: string, forms: Record<string, string>): Promise<(count: number) => string> =>
    loadTexts(await fileOf(JSON.stringify(forms)), counted(language));

  test('has the form that the language has for it', async () => {
    const polish = await countedIn('pl', { one: '{count} plik', few: '{count} pliki', many: '{count} plików' });
    expect([0, 1, 2, 5, 22].map(polish)).toEqual(['0 plików', '1 plik', '2 pliki', '5 plików', '22 pliki']);
  });

  test('has one for none at all where it is given', async () => {
    const french = await countedIn('fr', { zero: 'aucun ({count})', one: '{count} appel', other: '{count} appels' });
    expect([0, 1, 2, 1_000_000].map(french)).toEqual(['aucun (0)', '1 appel', '2 appels', '1000000 appels']);
  });

  test('is refused where a form is missing, unknown, or without the number', async () => {
    const refused = async (forms: Record<string, string>, fault: string): Promise<void> => {
      await expect(countedIn('en', forms)).rejects.toMatchObject({ message: expect.stringContaining(fault) as string });
    };
    await refused({ other: '{count} calls' }, 'lacks one');
    await refused({ one: 'one call', other: '{count} calls' }, 'one must have exactly the places {count}');
    await refused({ one: '{count} call', other: '{count} calls', several: '{count}' }, 'several');
  });
});

const documents = [
  {
    document: 'bundle',
    languages: explanationLanguages,
    schemaIn: (language): z.ZodType => explanationTexts('incoming', language),
  },
  { document: 'dataSubject', languages: subjectLanguages, schemaIn: (language): z.ZodType => subjectTexts(language) },
  { document: 'erasureAnswer', languages: subjectLanguages, schemaIn: (language): z.ZodType => answerTexts(language) },
  { document: 'signIn', languages: signInLanguages, schemaIn: (): z.ZodType => signInTexts },
  { document: 'papers', languages: paperLanguages, schemaIn: (language): z.ZodType => paperTexts(language) },
] as const satisfies { schemaIn: (language: SubjectLanguage) => z.ZodType; [more: string]: unknown }[];

describe.each(documents)('the texts of $document', ({ document, languages, schemaIn }) => {
  /** Each text as it is written, by its keys. */
  const textsIn = (node: unknown, path = ''): [string, string][] =>
    isTree(node)
      ? Object.entries(node).flatMap(([key, value]) => textsIn(value, `${path}.${key}`))
      : [[path, String(node)]];
  const written = async (language: string) => new Map(textsIn(await readYaml(textFile(document, language))));

  test('are one file for each language, and no other', async () => {
    const names = await readdir(join(textFile(document, 'en'), '..'));
    expect(names.toSorted()).toEqual(languages.map((language) => `${language}.yaml`).toSorted());
  });

  test.each(languages)('have the keys, places and code of the English ones in %s', async (language) => {
    await loadTexts(textFile(document, language), schemaIn(language));
    const [english, texts] = [await written('en'), await written(language)];
    // Who was told stands in the case of each language.
    const inOneCase = (said: string): string => said.replaceAll(/\{(?:whom|whose)\}/g, '{who}');
    const marksOf = (said = ''): string[] => [...new Set(inOneCase(said).match(/\{\w+\}|`[^`]+`|\*\*/g))].toSorted();
    for (const [key, said] of texts) {
      // A language has its own forms for numbers.
      if (!english.has(key) && /\.(zero|one|two|few|many|other)$/.test(key)) continue;
      expect([key, marksOf(said)]).toEqual([key, marksOf(english.get(key))]);
    }
  });

  test.each(languages)('in %s are written on lines that a reviewer can read', async (language) => {
    const lines = (await readFile(textFile(document, language), 'utf8')).split('\n');
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});

test('a French text is broken at no space before a colon, nor within its quotation marks', async () => {
  const { about, quote } = await loadTexts(
    await fileOf(JSON.stringify({ about: 'Ceci : cela ; oui ?', quote: '« {words} »' }), 'fr.yaml'),
    z.strictObject({ about: text, quote: template('words') }),
  );
  expect([about, quote({ words: 'Non : oui' })]).toEqual([
    'Ceci\u00a0: cela\u00a0; oui\u00a0?',
    '«\u00a0Non : oui\u00a0»',
  ]);
});

test('the texts are part of the package and of the image', async () => {
  const root = join(import.meta.dirname, '..', '..', '..', '..');
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { files: string[] };
  expect(manifest.files).toContain('texts');
  expect(await readFile(join(root, 'Dockerfile'), 'utf8')).toMatch(/^COPY texts texts$/m);
  expect(await readFile(join(root, '.dockerignore'), 'utf8')).toMatch(/^!texts$/m);
});

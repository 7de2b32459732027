import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * French is written with the typographic apostrophe in everything that is read. The sentences of sounds/prompts.yaml are not: they are what
 * sound files were made from, word for word.
 */

const root = join(import.meta.dirname, '..', '..', '..', '..');
const files = [
  ...readdirSync(join(root, 'texts'), { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => `texts/${name}/fr.yaml`),
  'console/src/messages/fr.ts',
];

test('there are French texts for each document', () => {
  expect(files.length).toBeGreaterThan(5);
});

test.each(files)('%s has no straight apostrophe between letters', (file) => {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const faulty = lines.filter((line) => /\p{L}''?[\p{L}«{]/u.test(line) && !/^\s*(\/\/|\*|\/\*|import )/.test(line));
  // The end of a text and the beginning of the next stand so in a list of one line: `'un', 'deux'` has a space there.
  expect(faulty).toEqual([]);
});

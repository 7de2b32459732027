import { voiceFindings } from '../../../../src/cli/check/voices.ts';

const prompts = [
  { language: 'fr', made: 'placeholder' },
  { language: 'nl', made: 'recording' },
  { language: 'de', made: 'synthetic' },
  { language: 'de', made: 'synthetic' },
  { language: 'en', made: 'placeholder' },
] as const;

const notesOf = (...languages: string[]): readonly string[] =>
  voiceFindings(languages, prompts).flatMap((finding) => (finding.ok ? (finding.notes ?? []) : []));

test('placeholders and synthetic voices are named, of the languages that are offered', () => {
  expect(notesOf('fr', 'nl', 'de', 'en')).toEqual([
    'placeholder voice, spoken by a machine: fr, en. Have a person speak the sentences (sounds/README.md)',
    'synthetic voice: de. Listen to every sentence: no program hears whether it was said well',
  ]);
  expect(notesOf('nl', 'de')).toHaveLength(1);
});

test('nothing is said of people', () => {
  expect(voiceFindings(['nl'], prompts)).toEqual([]);
});

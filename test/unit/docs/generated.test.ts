import { readFileSync } from 'node:fs';
import { configReference, errorReference } from '../../../docs/generate.ts';

const committed = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

test('docs/config.md is what `npm run docs` makes of the configuration keys', () => {
  expect(committed('config.md')).toBe(configReference());
});

test('docs/errors.md is what `npm run docs` makes of the error codes', () => {
  expect(committed('errors.md')).toBe(errorReference());
});

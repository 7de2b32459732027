import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from '../../../src/core/installation.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const versionIn = (file: string): unknown =>
  (JSON.parse(readFileSync(join(root, file), 'utf8')) as { version: unknown }).version;

test('the version of Préavis is that of package.json, which the lock file repeats', () => {
  expect(installedVersion()).toBe(versionIn('package.json'));
  expect(versionIn('package-lock.json')).toBe(installedVersion());
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const listed = read('config/ari-requests.txt')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** What ari-client asks by itself. */
const ofTheClient = ['GET /ari/api-docs/*', 'GET /ari/events'];

/** Every request that stands in the source: `request('GET', '/channels')`, `command('POST', ...)`. */
function written(): string[] {
  const files = ['requests', 'connection', 'deadmanRequests', 'storedRecordings'];
  const source = files.map((file) => read(`src/ari/${file}.ts`)).join('\n');
  const calls = source.matchAll(/'(GET|POST|PUT|DELETE)',\s*['`](\/[^'`]*)['`]/g);
  const filter = ['PUT /ari/applications/*/eventFilter'];

  return [...calls]
    .map(([, method = '', path = '']) => `${method} /ari${path.replace(/\$\{[^}]*\}/g, '*')}`)
    .concat(filter);
}

test('the list for a proxy before ARI has every request that Préavis sends, and no other', () => {
  expect(written().length).toBeGreaterThan(30);
  expect([...new Set(listed)].sort()).toEqual([...new Set([...written(), ...ofTheClient])].sort());
});

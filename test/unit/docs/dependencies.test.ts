import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What is installed, and what docs/security.md says of it. */

const root = join(import.meta.dirname, '..', '..', '..');
const entry = z.looseObject({
  version: z.string().optional(),
  name: z.string().optional(),
  dev: z.boolean().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
});
const lock = z
  .looseObject({ packages: z.record(z.string(), entry) })
  .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))).packages;
const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8');

/** Of every place where a package of this name is installed for the running of Préavis. */
const installed = (name: string) =>
  Object.entries(lock).flatMap(([path, each]) =>
    path.endsWith(`node_modules/${name}`) && each.dev !== true ? [{ path, ...each }] : [],
  );
const newest = (version = '0'): number[] => version.split('.').map(Number);

/** Everything below ari-client that nothing else of Préavis asks for directly. */
function below(name: string, found = new Set<string>()): Set<string> {
  for (const each of Object.keys(lock[`node_modules/${name}`]?.dependencies ?? {})) {
    if (found.has(each)) continue;
    found.add(each);
    below(each, found);
  }

  return found;
}

describe('the packages under ari-client', () => {
  test.each([
    ['ws', [8, 0, 0]],
    ['uuid', [9, 0, 0]],
    ['cookiejar', [2, 1, 4]],
    ['tough-cookie', [4, 1, 3]],
    ['qs', [6, 10, 3]],
    ['form-data', [4, 0, 4]],
    ['lodash', [4, 17, 21]],
  ])('%s is there once, and not older than what mends its known faults', (name, [major = 0, minor = 0, patch = 0]) => {
    const [only, ...more] = installed(name);
    expect(more).toEqual([]);
    const [a = 0, b = 0, c = 0] = newest(only?.version);
    expect(a * 1e6 + b * 1e3 + c).toBeGreaterThanOrEqual(major * 1e6 + minor * 1e3 + patch);
  });

  test('request is the one that is still looked after', () => {
    expect(installed('request').map(({ name }) => name)).toEqual(['@cypress/request']);
  });

  test('are those that docs/security.md speaks of, each with its version', () => {
    const own = [...below('ari-client')].filter((name) => !/^(es-|call-|get-|has|side-channel|object-)/.test(name));
    const direct = ['backoff-func', 'bluebird', 'lodash', 'request', 'swagger-client', 'uuid', 'ws'];
    const ofSwagger = ['btoa', 'shred', 'ax', 'cookiejar', 'iconv-lite', 'sprintf'];
    expect(own).toEqual(expect.arrayContaining([...direct, ...ofSwagger]));
    for (const name of [...direct, ...ofSwagger]) {
      const version = installed(name)[0]?.version ?? 'missing';
      expect({ name, told: page.includes(`\`${name}\``) && page.includes(version) }).toEqual({ name, told: true });
    }
  });
});

test('only src/ari/eventSocket.ts loads ari-client', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const loading = files.filter(
    (file) => file.endsWith('.ts') && readFileSync(join(root, 'src', file), 'utf8').includes("from 'ari-client'"),
  );
  expect(loading).toEqual([join('ari', 'eventSocket.ts')]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { configKeys } from '../../../src/config/keyReference.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { makePolicy, neededPrompts } from '../../../src/policy/policy.ts';
import { loadPrompts } from '../../../src/prompts/library.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'config');
const examples = readdirSync(folder).filter((name) => /^preavis.*\.yaml$/.test(name));
const text = readFileSync(join(folder, 'preavis.yaml'), 'utf8');

/** Paths of all scalars and lists of a tree. */
function leaves(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return [path];

  return Object.entries(node).flatMap(([name, child]) => leaves(child, path === '' ? name : `${path}.${name}`));
}

describe('every example configuration', () => {
  test.each(examples)('%s is one that Préavis takes, with the prompts that come with it', async (name) => {
    const config = await loadConfig(join(folder, name), {});
    const policy = makePolicy(config, await loadPrompts(shippedSounds));
    expect(neededPrompts(policy).length).toBeGreaterThan(0);
  });
});

describe('preavis.yaml', () => {
  // What is commented out counts as named: `# password: secret` is a key on a line of its own.
  const complete = text.replace(/^( *)# ([A-Za-z]+): (\S.*)$/gm, '$1$2: $3');

  test('names every key there is, and no other', () => {
    const document = parseDocument(complete);
    expect(document.errors).toEqual([]);
    const operatorNames =
      /^(purposes|lines|webhooks|controllers|access\.users|access\.tokens|access\.openId\.rules|annotation\.rating|annotation\.collections)\.[^.]+\.(names\.[^.]+$)?/;
    const named = new Set(
      leaves(document.toJS()).map((path) =>
        path.replace(
          operatorNames,
          (_, section: string, names?: string) => `${section}.*.${names === undefined ? '' : 'names.*'}`,
        ),
      ),
    );
    expect([...named].sort()).toEqual(
      configKeys()
        .map((key) => key.path)
        .sort(),
    );
  });

  test('gives each key its default where there is one', () => {
    const tree: unknown = parse(text);
    for (const { path, default: standard } of configKeys()) {
      // Without purposes no configuration is complete: the example takes those for Belgium.
      if (standard === undefined || path.includes('*') || path === 'purposeFiles') continue;
      // Those of a section that is there only where it is named.
      if (path.startsWith('access.openId.')) continue;
      const value = path.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], tree);
      expect([path, value]).toEqual([path, standard]);
    }
  });

  test('holds no secret', async () => {
    const { ari, archive, privacy } = await loadConfig(join(folder, 'preavis.yaml'), {});
    const { accessKey, secretKey } = archive.minio;
    expect({ password: ari.password, accessKey, secretKey, hashKey: privacy.hashKey }).toEqual({});
  });
});

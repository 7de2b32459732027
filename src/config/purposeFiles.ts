import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PreavisError } from '../core/errors.ts';
import { installedPath } from '../core/installation.ts';
import { isTooDeep, isTree, readYaml, type Tree } from '../core/text/yaml.ts';

/** The folder of purposes that comes with Préavis, one file a jurisdiction. */
export const shippedPurposes = installedPath('config', 'purposes');

const shippedName = /^[a-z][a-z0-9-]*$/;

/** The names that purposeFiles takes without a path. */
export async function shippedPurposeFiles(): Promise<string[]> {
  const names = await readdir(shippedPurposes);

  return names
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * The tree of a configuration with the purposes of its purposeFiles: later files over earlier ones, the tree's own over
 * all, key by key. What only a file gives and nobody has justified takes effect once a line names it (then the schema asks
 * for the justification) or `purposes` says why; so a shipped file can be taken for one of its purposes.
 *
 * @param folder paths are relative to it
 * @throws PreavisError `config_unreadable`: a file cannot be read or is not YAML. `config_invalid`: it holds something else.
 */
export async function withPurposeFiles(tree: Tree, folder: string): Promise<Tree> {
  const { purposeFiles: files, purposes: own = {}, lines } = tree;
  // Anything else is for the schema to refuse.
  if (!Array.isArray(files) || files.length === 0 || !isTree(own)) return tree;
  const merged = new Map<string, unknown>();
  for (const file of files) {
    if (typeof file !== 'string') return tree;
    for (const [id, purpose] of Object.entries(await readPurposes(file, folder))) {
      merged.set(id, laidOver(merged.get(id), purpose));
    }
  }
  const wanted = new Set(isTree(lines) ? Object.values(lines).flatMap(purposesOf) : []);
  for (const [id, purpose] of merged) {
    if (!wanted.has(id) && !(isTree(purpose) && 'justification' in purpose)) {
      if (!Object.hasOwn(own, id)) merged.delete(id);
    }
  }
  for (const [id, purpose] of Object.entries(own)) merged.set(id, laidOver(merged.get(id), purpose));

  return { ...tree, purposes: Object.fromEntries(merged) };
}

function purposesOf(line: unknown): unknown[] {
  return isTree(line) && Array.isArray(line['purposes']) ? line['purposes'] : [];
}

function laidOver(below: unknown, above: unknown): unknown {
  if (!isTree(below) || !isTree(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);

  return Object.fromEntries(
    [...keys].map((key) => [key, Object.hasOwn(above, key) ? laidOver(below[key], above[key]) : below[key]]),
  );
}

async function readPurposes(file: string, folder: string): Promise<Tree> {
  const isShipped = shippedName.test(file);
  if (isShipped) {
    const names = await shippedPurposeFiles();
    if (!names.includes(file)) {
      throw new PreavisError('config_invalid', `purposeFiles: Préavis ships no purposes named ${file}`, {
        hint: `It ships ${names.join(', ')}; a file of your own needs its ending, for example ${file}.yaml.`,
      });
    }
  }
  const path = isShipped ? join(shippedPurposes, `${file}.yaml`) : resolve(folder, file);
  const content = await readYaml(path);
  if (!isTree(content) || !isTree(content['purposes']) || Object.keys(content).length !== 1 || isTooDeep(content)) {
    throw new PreavisError('config_invalid', `purposeFiles: ${path} must hold the key purposes and no other`);
  }

  return content['purposes'];
}

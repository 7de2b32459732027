import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { configKeys, type ConfigKey } from './keys.ts';
import { configSchema, type Config } from './schema.ts';
import { inWords } from './wording.ts';

type Tree = Record<string, unknown>;

/** Variables that are ours but are not keys of the configuration. */
const otherVariables = new Set(['PREAVIS_CONFIG']);
/** Variables of tests and the lab, and those that Kubernetes sets for a service named preavis. */
const otherPrefixes = ['PREAVIS_LAB_', 'PREAVIS_TEST_', 'PREAVIS_BENCH_', 'PREAVIS_SERVICE_', 'PREAVIS_PORT'];

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, part) => (isTree(node) ? node[String(part)] : undefined), tree);
}

function setAt(tree: Tree, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() ?? path;
  let node = tree;
  for (const part of parts) {
    const child = node[part];
    const next = isTree(child) ? child : {};
    node[part] = next;
    node = next;
  }
  node[last] = value;
}

function fromText(text: string, type: string): unknown {
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'array') return text.split(',').map((part) => part.trim());
  return text;
}

/** The tree with PREAVIS_* variables laid over it. An unknown PREAVIS_ variable is an error: it is a misspelling. */
function withEnvironment(tree: Tree, environment: NodeJS.ProcessEnv, keys: readonly ConfigKey[]): Tree {
  const byName = new Map(keys.map((key) => [key.environment, key]));
  const merged = structuredClone(tree);
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('PREAVIS_') || text === undefined) continue;
    if (otherVariables.has(name) || otherPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    const key = byName.get(name);
    if (key === undefined) {
      throw new PreavisError('config_invalid', `the environment variable ${name} is not one that Préavis knows`);
    }
    setAt(merged, key.path, fromText(text, key.type));
  }
  return merged;
}

function describe(issue: z.core.$ZodIssue, input: Tree, secrets: ReadonlySet<string>): string {
  const at = (path: readonly PropertyKey[]): string => path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((unknown) => at([...issue.path, unknown]));
    return `${keys.join(', ')}: no such key`;
  }
  const path = at(issue.path);
  const value = valueAt(input, issue.path);
  // Also what stands in the place of a section that has a secret, and an address with a password: they may hold it.
  const mayHold = [...secrets].some((secret) => `${secret}.`.startsWith(`${path}.`));
  const hidden = mayHold || (typeof value === 'string' && value.includes('@'));
  const shown = hidden || value === undefined || isTree(value) ? '' : ` (got ${JSON.stringify(value)})`;
  return `${path === '' ? 'the file' : path}: ${issue.message}${shown}`;
}

/** Checks a tree (as read from YAML) against the schema. Throws config_invalid with every fault. */
export function parseConfig(tree: unknown, environment: NodeJS.ProcessEnv = {}): Config {
  if (!isTree(tree)) throw new PreavisError('config_invalid', 'the file does not hold keys and values');
  const keys = configKeys();
  const input = withEnvironment(tree, environment, keys);
  const result = configSchema.safeParse(input, { error: inWords });
  if (result.success) return result.data;
  const secrets = new Set(keys.filter((key) => key.secret).map((key) => key.path));
  throw new PreavisError(
    'config_invalid',
    result.error.issues.map((issue) => describe(issue, input, secrets)).join('; '),
  );
}

async function secretFrom(file: string | undefined, key: string): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, 'utf8')).split('\n')[0]?.trim();
  } catch (cause) {
    throw new PreavisError('config_invalid', `${key}: the file cannot be read (${errnoOf(cause) ?? 'error'})`, {
      cause,
    });
  }
}

/**
 * Reads the file, lays the environment over it, checks the whole, and reads the files that hold secrets.
 * Throws config_unreadable or config_invalid.
 */
export async function loadConfig(file: string, environment: NodeJS.ProcessEnv): Promise<Config> {
  let text: string;
  let tree: unknown;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new PreavisError('config_unreadable', `${file} cannot be read (${errnoOf(cause) ?? 'error'})`, { cause });
  }
  try {
    tree = parse(text);
  } catch (cause) {
    // The text of any other error (an alias without anchor) repeats what stands in the file, which may be a secret.
    const why = cause instanceof YAMLParseError ? `: ${cause.message.split('\n')[0] ?? ''}` : '';
    throw new PreavisError('config_unreadable', `${file} is not YAML${why}`, { cause });
  }
  const config = parseConfig(tree ?? {}, environment);
  const password = await secretFrom(config.ari.passwordFile, 'ari.passwordFile');
  if (password !== undefined && environment['PREAVIS_ARI_PASSWORD'] === undefined) config.ari.password = password;
  const secretKey = await secretFrom(config.archive.minio.secretKeyFile, 'archive.minio.secretKeyFile');
  if (secretKey !== undefined && environment['PREAVIS_ARCHIVE_MINIO_SECRET_KEY'] === undefined) {
    config.archive.minio.secretKey = secretKey;
  }

  return config;
}

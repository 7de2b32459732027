import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { errnoOf, PreavisError } from '../core/errors.ts';

/** Keys and values as YAML gives them, not yet checked. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws config_unreadable. */
export async function readYaml(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    const why =
      cause instanceof YAMLParseError
        ? `is not YAML: ${cause.message.split('\n')[0] ?? ''}`
        : `cannot be read (${errnoOf(cause) ?? 'error'})`;
    throw new PreavisError('config_unreadable', `${file} ${why}`, { cause });
  }
}

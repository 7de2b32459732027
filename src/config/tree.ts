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
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new PreavisError('config_unreadable', `${file} cannot be read (${errnoOf(cause) ?? 'error'})`, { cause });
  }
  try {
    return parse(text) as unknown;
  } catch (cause) {
    // The text of any other error (an alias without anchor) repeats what stands in the file, which may be a secret.
    const why = cause instanceof YAMLParseError ? `: ${cause.message.split('\n')[0] ?? ''}` : '';
    throw new PreavisError('config_unreadable', `${file} is not YAML${why}`, { cause });
  }
}

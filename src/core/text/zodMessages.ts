import type { z } from 'zod';

/** What a value must be, by zod's name of its type. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
};

/** A limit in the words of what it limits. */
function limit(least: string, bound: number | bigint, origin: string): string {
  if (origin === 'string') return bound === 1 ? 'must not be empty' : `must have at ${least} ${bound} characters`;
  if (origin === 'array') return `must have at ${least} ${bound === 1 ? 'one entry' : `${bound} entries`}`;

  return `must be at ${least} ${bound}`;
}

/**
 * A fault of the configuration as an operator would put it, to be read after the key: "is missing". What the schema itself
 * says about a key goes first.
 */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return limit('least', issue.minimum, issue.origin);
    case 'too_big':
      return limit('most', issue.maximum, issue.origin);
    case 'invalid_value':
      if (issue.input === undefined && issue.values.length > 1) {
        return `is missing (one of ${issue.values.map(String).join(', ')})`;
      }
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_key':
      return issue.issues[0]?.message;
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_union':
    case 'not_multiple_of':
      return undefined;
    case 'unrecognized_keys':
      return `has no key ${issue.keys.map(unknownKey).join(', ')}`;
  }
}

/**
 * A key that nobody knows, as far as it looks like one: in `password:hunter2`, where a space is missing, the rest is a
 * secret.
 */
export function unknownKey(key: string): string {
  const [name = ''] = /^[\p{L}\p{N}_-]{0,40}/u.exec(key) ?? [];

  return name === key ? key : `${name}...`;
}

const longestValue = 200;

export function valueInWords(value: unknown): string {
  const text = JSON.stringify(value);

  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}...`;
}

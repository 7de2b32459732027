import * as z from 'zod';
import type { Fault } from './problems.ts';

/** What is wrong with a request, in words that help who wrote it. What was sent is not told back: it may be a number or a name. */

type Issue = z.core.$ZodRawIssue;

/** Of what zod would say in its own words. Schemas may have words of their own, which go before these. */
const inWords = (issue: Issue): string | undefined => {
  const isMissing = issue.input === undefined;
  switch (issue.code) {
    case 'invalid_type':
      if (isMissing) return 'is missing';
      return Array.isArray(issue.input) && issue.expected !== 'array'
        ? 'is there more than once'
        : `is not of the type ${issue.expected}`;
    case 'invalid_value':
      return isMissing ? 'is missing' : `is none of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return isMissing ? 'is missing' : undefined;
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the form that the description says';
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `is less than ${issue.minimum}`
        : `has less than ${issue.minimum} ${partOf(issue.origin)}`;
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `is more than ${issue.maximum}`
        : `has more than ${issue.maximum} ${partOf(issue.origin)}`;
    case 'not_multiple_of':
      return 'is no whole number';
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return undefined;
  }
};

const formats: Readonly<Record<string, string>> = {
  datetime: 'is not a time with its zone, such as 2026-11-23T00:00:00Z (in an address + is written %2B)',
  date: 'is not a day such as 2026-11-23',
};

const partOf = (origin: string): string => (origin === 'string' ? 'characters' : 'parts');

/** Names that a request may have at its top; empty where its schema does not tell. */
const namesOf = (schema: z.ZodType): string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);

function unknownName(schema: z.ZodType, isTop: boolean): string {
  const names = isTop ? namesOf(schema) : [];

  return names.length === 0
    ? 'has a name that is not known'
    : `has a name that is not known; there are ${names.join(', ')}`;
}

/**
 * @param part of the request, as its framework calls it
 * @returns what was read, or where it is wrong, and what
 */
export function readBy(
  schema: z.ZodType,
  data: unknown,
  part: string | undefined,
): { value: unknown } | { faults: Fault[] } {
  const read = schema.safeParse(data, { error: inWords });
  if (read.success) return { value: read.data };
  const faults = read.error.issues.map(({ path, message, code }) => ({
    where: [part === 'querystring' ? 'query' : (part ?? 'body'), ...path.map(String)].join('.').slice(0, 100),
    // What zod says of these repeats names that were sent.
    message: code === 'unrecognized_keys' ? unknownName(schema, path.length === 0) : message,
  }));

  return { faults };
}

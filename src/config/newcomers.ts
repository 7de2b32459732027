import { expressionOf, numberPatternFault } from './numberPatterns.ts';

/**
 * What becomes of the recording when somebody joins who was not told. stop: it ends. inside: it goes on with staff, by their extensions, and
 * ends with anybody else. tell: with anybody else it pauses until they were told.
 */
export const newcomerRules = ['stop', 'inside', 'tell'] as const;
export type NewcomerRule = (typeof newcomerRules)[number];

const endpointName = /^[A-Za-z0-9_.@+-]{1,80}$/;

/** A beginning that several names have in common, such as `acme-*`. */
const beginning = /^[A-Za-z0-9_.@+-]{1,79}[*]$/;

/** Whether this names one endpoint, and no pattern: `101`, not `acme-*`. */
export const isEndpoint = (text: string): boolean => endpointName.test(text) && !text.startsWith('_');

/** Why this names no extensions; undefined where it does. */
export function extensionFault(text: string): string | undefined {
  if (text.startsWith('_')) return numberPatternFault(text);

  return endpointName.test(text) || beginning.test(text)
    ? undefined
    : 'is not the name of an endpoint such as 101, nor acme-* for all that begin so, nor a pattern such as _1XX';
}

/** Whether an endpoint is one of these: names, beginnings of names, or patterns as in extensions.conf. */
export function matcherOf(extensions: readonly string[]): (endpoint: string) => boolean {
  const names = new Set(extensions.filter((each) => !each.startsWith('_') && !each.endsWith('*')));
  const beginnings = extensions
    .filter((each) => beginning.test(each) && !each.startsWith('_'))
    .map((each) => each.slice(0, -1));
  const patterns = extensions
    .filter((each) => each.startsWith('_'))
    .map((each) => new RegExp(`^(?:${expressionOf(each)})$`));

  return (endpoint) =>
    names.has(endpoint) ||
    beginnings.some((each) => endpoint.startsWith(each)) ||
    patterns.some((each) => each.test(endpoint));
}

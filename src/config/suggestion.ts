import leven from 'leven';
import type { ConfigKey } from './keyReference.ts';

/** Upper and lower case, hyphens and underscores are what people mix up first. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');

/** How many letters may be wrong for a known word to be meant. Of few letters each may be a name of its own, as those of countries. */
const mostFaults = (word: string): number => {
  if (word.length < 3) return 0;

  return word.length < 5 ? 1 : Math.min(3, Math.floor(word.length / 2));
};

/** So many letters of a word say which is meant that has them: `tls`. */
const fewestLetters = 3;

/** A longer word is no misspelling of ours. */
const longestWord = 60;

/** The known word that was probably meant; undefined where none is near, or two are as near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const sought = plain(word);
  if (sought.length > longestWord) return undefined;
  const byPlain = new Map(known.map((each) => [plain(each), each]));
  const candidates = [...byPlain.keys()].map((each) => ({ each, faults: faultsBetween(sought, each) }));
  const fewest = Math.min(...candidates.map(({ faults }) => faults));
  const near =
    fewest <= mostFaults(sought)
      ? candidates.filter(({ faults }) => faults === fewest)
      : candidates.filter(
          ({ each }) => sought.length >= fewestLetters && (each.includes(sought) || sought.includes(each)),
        );
  const [only, ...others] = near;

  return only === undefined || others.length > 0 ? undefined : byPlain.get(only.each);
}

/** The same letters in another order are one fault. */
function faultsBetween(one: string, other: string): number {
  const letters = (word: string): string => Array.from(word).toSorted().join('');
  const faults = leven(one, other);

  return faults > 1 && letters(one) === letters(other) ? 1 : faults;
}

/** The key that was probably meant by one that nobody knows at this place: one beside it, or the only one of that name deeper down. */
export function nearestKey(section: readonly string[], key: string, keys: readonly ConfigKey[]): string | undefined {
  const beside = nearest(key, namesIn(section, keys));
  if (beside !== undefined) return [...section, beside].join('.');
  const within = section.length === 0 ? '' : `${section.join('.')}.`;
  const deeper = keys.filter(
    ({ path }) => path.startsWith(within) && plain(path.split('.').at(-1) ?? '') === plain(key),
  );
  const [only, ...others] = deeper.filter(({ path }) => !path.includes('*'));

  return others.length === 0 ? only?.path : undefined;
}

/** The keys and sections that may stand in a section. */
function namesIn(section: readonly string[], keys: readonly ConfigKey[]): string[] {
  const names = keys.flatMap(({ path }) => {
    const parts = path.split('.');
    const isThere = section.every((name, index) => parts[index] === '*' || parts[index] === name);
    const name = isThere ? parts[section.length] : undefined;

    return name === undefined || name === '*' ? [] : [name];
  });

  return [...new Set(names)];
}

/** To be put behind a fault. */
export const didYouMean = (suggestion: string | undefined): string =>
  suggestion === undefined ? '' : `did you mean ${suggestion}?`;

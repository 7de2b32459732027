import { createHmac } from 'node:crypto';
import type { CountryCode } from '../../core/countries.ts';
import { dayMs, type Clock } from '../../core/clock.ts';
import { parseCallerNumber } from './numberParsing.ts';

/** The languages that callers chose in earlier calls, without their numbers. */
export type LanguagePreferences = {
  find(callerNumber: string): Promise<string | undefined>;
  remember(callerNumber: string, language: string): Promise<void>;
};

/** Where preferences are kept, by the keyed hash of a number. */
export type PreferenceTable = {
  find(caller: string): Promise<string | undefined>;
  set(caller: string, language: string, expiresAt: number): Promise<void>;
};

type PreferenceOptions = {
  table: PreferenceTable;
  /** Without a key nothing is remembered. */
  hashKey: string | undefined;
  keepDays: number;
  defaultCountry: CountryCode;
  clock: Clock;
};

const keyed = (hashKey: string, text: string): string => createHmac('sha256', hashKey).update(text).digest('hex');

const keyIdLength = 16;

/**
 * Tells hashes of one key from those of another, and says nothing of the key: k and 15 hexadecimal digits. So hashes from before they
 * had it, of hexadecimal digits alone, come before all others.
 */
export function hashKeyId(hashKey: string): string {
  return `k${keyed(hashKey, 'preavis hash key')}`.slice(0, keyIdLength);
}

/**
 * The same number in any form gives the same hash; a withheld number, an extension or nonsense gives none. Numbers are
 * few enough to be tried one by one, so that only a keyed hash hides them. Before it stands the id of the key: under
 * another key no number is found, and that must not pass for a person who has never called.
 */
export function makeCallerHash(hashKey: string, defaultCountry: CountryCode): (number: string) => string | undefined {
  const id = hashKeyId(hashKey);

  return (number) => {
    const parsed = parseCallerNumber(number, defaultCountry);

    return parsed && `${id}.${keyed(hashKey, parsed.number)}`;
  };
}

/** The id of the key that a hash was made with. */
export function keyOfHash(hash: string): string {
  return hash.slice(0, keyIdLength);
}

/** The same hash as it was kept before it named its key. */
export function bareHash(hash: string): string {
  return hash.slice(keyIdLength + 1);
}

export function makePreferences(options: PreferenceOptions): LanguagePreferences {
  const { table, hashKey, keepDays, defaultCountry, clock } = options;
  const callerOf = hashKey === undefined ? () => undefined : makeCallerHash(hashKey, defaultCountry);

  return {
    find: async (number) => {
      const caller = callerOf(number);
      return caller === undefined ? undefined : table.find(caller);
    },
    remember: async (number, language) => {
      const caller = callerOf(number);
      if (caller !== undefined) await table.set(caller, language, clock.now() + keepDays * dayMs);
    },
  };
}

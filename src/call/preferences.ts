import { createHmac } from 'node:crypto';
import type { CountryCode } from '../core/phoneNumbers.ts';
import { dayMs, type Clock } from '../core/clock.ts';
import { parseCallerNumber } from './numberLanguage.ts';
import type { LanguagePreferences } from './ports.ts';

/** Where preferences are kept, by the keyed hash of a number. */
export type PreferenceTable = {
  preference(caller: string): Promise<string | undefined>;
  setPreference(caller: string, language: string, expiresAt: number): Promise<void>;
};

type PreferenceOptions = {
  table: PreferenceTable;
  /** Without a key nothing is remembered. */
  hashKey: string | undefined;
  keepDays: number;
  defaultCountry: CountryCode;
  clock: Clock;
};

/**
 * The same number in any form gives the same hash; a withheld number, an extension or nonsense gives none. Numbers are
 * few enough to be tried one by one, so that only a keyed hash hides them.
 */
export function callerHash(number: string, hashKey: string, defaultCountry: CountryCode): string | undefined {
  const parsed = parseCallerNumber(number, defaultCountry);

  return parsed && createHmac('sha256', hashKey).update(parsed.number).digest('hex');
}

export function makePreferences(options: PreferenceOptions): LanguagePreferences {
  const { table, hashKey, keepDays, defaultCountry, clock } = options;
  const callerOf = (number: string): string | undefined =>
    hashKey === undefined ? undefined : callerHash(number, hashKey, defaultCountry);

  return {
    find: async (number) => {
      const caller = callerOf(number);
      return caller === undefined ? undefined : table.preference(caller);
    },
    remember: async (number, language) => {
      const caller = callerOf(number);
      if (caller !== undefined) await table.setPreference(caller, language, clock.now() + keepDays * dayMs);
    },
  };
}

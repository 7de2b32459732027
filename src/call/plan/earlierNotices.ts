import { dayMs, type Clock } from '../../core/clock.ts';
import type { CountryCode } from '../../core/countries.ts';
import type { HeardSentence } from '../../policy/earlierNotice.ts';
import { makeCallerHash } from './preferences.ts';

/**
 * What a caller has heard in earlier calls for this company (`lines.*.controller`), found without their number: what one company has said counts
 * for no other.
 */
export type EarlierNotices = {
  heardBy(callerNumber: string, controller: string | undefined): Promise<readonly HeardSentence[]>;
};

/** Where it is kept, by the keyed hash of a number. `since` in ms. */
type HeardTable = {
  heardBy(caller: string, since: number, controller: string | null): Promise<readonly HeardSentence[]>;
};

type EarlierOptions = {
  table: HeardTable;
  /** Without a key nobody is known again. */
  hashKey: string | undefined;
  /** 0: nobody is looked for. */
  withinDays: number;
  defaultCountry: CountryCode;
  clock: Pick<Clock, 'now'>;
};

/** Of a withheld number, an extension or nonsense nothing is known. */
export function makeEarlierNotices({
  table,
  hashKey,
  withinDays,
  defaultCountry,
  clock,
}: EarlierOptions): EarlierNotices {
  if (hashKey === undefined || withinDays === 0) return { heardBy: () => Promise.resolve([]) };
  const callerOf = makeCallerHash(hashKey, defaultCountry);

  return {
    heardBy: async (number, controller) => {
      const caller = callerOf(number);

      return caller === undefined ? [] : table.heardBy(caller, clock.now() - withinDays * dayMs, controller ?? null);
    },
  };
}

import type { CallId } from '../../core/ids.ts';
import type { CountryCode } from '../../core/countries.ts';
import { makeFieldCipher } from '../../core/crypto/fieldEncryption.ts';
import { parseCallerNumber } from './numberParsing.ts';
import { makeCallerHash } from './preferences.ts';

/** Keeps whose call it is, so that persons can be told what is kept of them: never the number in a form that can be read. */
export type CallerKeeper = {
  keep(call: CallId, callerNumber: string): Promise<void>;
};

/** Whose call it was: a keyed hash of the caller's number, and the number itself, sealed, or null without a key for it. */
export type KeptCaller = { call: CallId; hash: string; sealed: string | null };

type CallerOptions = {
  table: { keep(caller: KeptCaller): Promise<void> };
  /** Without a key nothing is kept. */
  hashKey: string | undefined;
  /** Without a key only the hash is kept. */
  numberKey: string | undefined;
  defaultCountry: CountryCode;
};

/** What seals of numbers are for; each is for its call. */
const use = 'preavis caller number';

/** Keeps whose call it is. Of a withheld number, an extension or nonsense nothing is kept. */
export function makeCallerKeeper({ table, hashKey, numberKey, defaultCountry }: CallerOptions): CallerKeeper {
  if (hashKey === undefined) return { keep: () => Promise.resolve() };
  const hashOf = makeCallerHash(hashKey, defaultCountry);
  const cipher = numberKey === undefined ? undefined : makeFieldCipher(numberKey, use);

  return {
    keep: async (call, number) => {
      const hash = hashOf(number);
      if (hash === undefined) return;
      const parsed = parseCallerNumber(number, defaultCountry);
      const sealed = parsed === undefined ? undefined : cipher?.encrypt(parsed.number, call);
      await table.keep({ call, hash, sealed: sealed ?? null });
    },
  };
}

/** Opens sealed numbers, +32...; undefined for one that was sealed by another key, or that is not there. */
export function makeNumberReader(numberKey: string | undefined): (caller: KeptCaller) => string | undefined {
  const cipher = numberKey === undefined ? undefined : makeFieldCipher(numberKey, use);

  return ({ call, sealed }) => (sealed === null ? undefined : cipher?.decrypt(sealed, call));
}

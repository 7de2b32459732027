import type { CountryCode } from '../../core/countries.ts';
import { parsePhoneNumber, type PhoneNumber } from '../../core/phoneNumbers.ts';
import { canada, longestPrefix, numberLanguages } from './prefixLanguages.ts';

export type NumberLanguages = {
  /** In the order in which to speak them; never empty. */
  languages: readonly string[];
  /** The digits, country code first, that decided: a zone or a country, never a whole number. */
  prefix: string;
};

/** What a caller's number may be made of; anything else (`anonymous`, a SIP address, control characters) is no number. */
const dialable = /^\+?[0-9 ().\-/]{1,39}$/;

/** Shorter ones, without a country code, are extensions: `1001`. */
const leastNationalDigits = 7;

/** Numbers that belong to a service and not to a place. Company-wide and internet numbers still tell the country. */
const placeless: ReadonlySet<string | undefined> = new Set([
  'TOLL_FREE',
  'PREMIUM_RATE',
  'SHARED_COST',
  'PAGER',
  'VOICEMAIL',
]);

const belgianFixedDigits = 8;

/**
 * What languages a caller's number suggests. Only a hint: numbers are forged, ported and carried abroad.
 *
 * @param number as the trunk gives it: `+3221234567`, `003221234567`, `021234567`, `3221234567`; untrusted
 * @param defaultCountry whose numbering plan holds when there is no country code
 * @returns undefined if the number says nothing: withheld, an extension, a Belgian mobile, a service number, nonsense
 */
export function languagesOfNumber(number: string, defaultCountry: CountryCode): NumberLanguages | undefined {
  const parsed = parseCallerNumber(number, defaultCountry);
  if (parsed === undefined || placeless.has(parsed.getType())) return undefined;
  if (parsed.countryCallingCode === '32' && parsed.nationalNumber.length !== belgianFixedDigits) return undefined;

  const digits = parsed.number.slice(1);
  for (let length = Math.min(longestPrefix, digits.length); length > 0; length -= 1) {
    const prefix = digits.slice(0, length);
    const languages = numberLanguages.get(prefix);
    if (languages === undefined) continue;
    if (languages.length === 0) return undefined;
    return { languages: prefix === '1' && parsed.country === 'CA' ? canada : languages, prefix };
  }
  return undefined;
}

/**
 * The country of a caller's number, `DE`: where the number is from, which need not be where the caller is.
 *
 * @param number as the trunk gives it; untrusted
 * @param defaultCountry of numbers without a country code
 * @returns undefined if the number says nothing: withheld, an extension, nonsense, a number of no country
 */
export function callerCountryOf(number: string, defaultCountry: CountryCode): CountryCode | undefined {
  const parsed = parseCallerNumber(number, defaultCountry);

  // Numbers that exist but are unknown to the library still have a country code; the first country is the main one.
  return parsed?.country ?? parsed?.getPossibleCountries()[0];
}

/** A caller's number, untrusted, as libphonenumber sees it; undefined for what is no number, or an extension. */
export function parseCallerNumber(number: string, defaultCountry: CountryCode): PhoneNumber | undefined {
  // The length first: what comes after must not see a text of any size.
  if (number.length > 40 || !dialable.test(number)) return undefined;

  return parse(number, defaultCountry);
}

/**
 * `isPossible` (length) and not `isValid`: the latter rejects numbers that exist. A trunk that writes the country code
 * without `+` is believed only if the number is impossible at home and valid abroad.
 */
function parse(number: string, defaultCountry: CountryCode): PhoneNumber | undefined {
  const home = parsePhoneNumber(number, defaultCountry);
  const digits = number.replace(/[^0-9]/g, '');
  const international = number.startsWith('+') || digits.startsWith('00');
  if (home?.isPossible() === true && (international || digits.length >= leastNationalDigits)) return home;
  if (international || digits.startsWith('0')) return undefined;
  const abroad = parsePhoneNumber(`+${digits}`);
  return abroad?.isValid() === true && digits.length > leastNationalDigits ? abroad : undefined;
}

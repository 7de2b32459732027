import type { CountryCode } from '../../core/countries.ts';
import { parseCallerNumber } from './numberParsing.ts';

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

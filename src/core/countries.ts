import type { CountryCode } from 'libphonenumber-js/core';
// The metadata alone: every command reads the configuration, few read a number.
import metadata from 'libphonenumber-js/metadata.max';

export type { CountryCode } from 'libphonenumber-js/core';

export function isCountry(code: string): code is CountryCode {
  return Object.hasOwn(metadata.countries, code);
}

import { parsePhoneNumberFromString, type CountryCode, type PhoneNumber } from 'libphonenumber-js/core';
// Not 'libphonenumber-js/max', which imports the same as JSON without an attribute, and that is about to be an error.
import metadata from 'libphonenumber-js/metadata.max';

/** With countries.ts the one place that knows libphonenumber-js, with all its metadata: types of number, areas. */
export type { PhoneNumber } from 'libphonenumber-js/core';

/** The number that is the whole of the text; undefined if it is none. A text without a country code needs the country. */
export function parsePhoneNumber(text: string, defaultCountry?: CountryCode): PhoneNumber | undefined {
  return parsePhoneNumberFromString(
    text,
    { ...(defaultCountry === undefined ? {} : { defaultCountry }), extract: false },
    metadata,
  );
}

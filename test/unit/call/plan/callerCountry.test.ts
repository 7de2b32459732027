import { callerCountryOf } from '../../../../src/call/plan/numberParsing.ts';

test.each([
  ['+4930123456', 'DE'],
  ['004930123456', 'DE'],
  ['4930123456', 'DE'],
  ['+4915112345678', 'DE'],
  ['+352621123456', 'LU'],
  ['+41446681800', 'CH'],
  ['+33612345678', 'FR'],
  ['+3222345678', 'BE'],
  ['022345678', 'BE'],
  ['0470123456', 'BE'],
  // Unknown to the library, but of that country.
  ['+4901234567890', 'DE'],
  ['+440000000000', 'GB'],
])('%s is a number of %s', (number, country) => {
  expect(callerCountryOf(number, 'BE')).toBe(country);
});

test.each(['', 'anonymous', 'Anonymous', 'unavailable', '1001', '+80012345678', '+', '9'.repeat(65_536), '+49 30\n12'])(
  'nothing is known of a caller with %j',
  (number) => {
    expect(callerCountryOf(number, 'BE')).toBeUndefined();
  },
);

test('a number without a country code is of the default country', () => {
  expect(callerCountryOf('030 123456', 'DE')).toBe('DE');
});

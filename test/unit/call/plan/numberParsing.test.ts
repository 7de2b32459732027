import { languagesOfNumber } from '../../../../src/call/plan/numberParsing.ts';
import { cpuMs } from '../../../support/cpuTime.ts';

const spoken = (number: string, country: Parameters<typeof languagesOfNumber>[1] = 'BE'): string | undefined =>
  languagesOfNumber(number, country)?.languages.join(' ');

describe('Belgian fixed lines', () => {
  test.each([
    ['Brussels', '02 550 12 34', 'fr nl'],
    ['Antwerp', '03 220 12 34', 'nl'],
    ['Liège', '04 221 12 34', 'fr'],
    ['Ghent', '09 266 12 34', 'nl'],
    ['Wavre', '010 23 12 34', 'fr'],
    ['Hasselt', '011 23 12 34', 'nl'],
    ['Tongeren', '012 23 12 34', 'nl'],
    ['Diest', '013 35 12 34', 'nl'],
    ['Herentals', '014 28 12 34', 'nl'],
    ['Mechelen', '015 29 12 34', 'nl'],
    ['Leuven', '016 27 12 34', 'nl'],
    ['Waremme', '019 33 12 34', 'fr'],
    ['Bruges', '050 44 12 34', 'nl'],
    ['Roeselare', '051 26 12 34', 'nl'],
    ['Dendermonde', '052 25 12 34', 'nl'],
    ['Aalst', '053 73 12 34', 'nl'],
    ['Ninove', '054 31 12 34', 'nl'],
    ['Ronse', '055 23 12 34', 'nl'],
    ['Kortrijk and Mouscron', '056 23 12 34', 'nl fr'],
    ['Ypres', '057 23 12 34', 'nl'],
    ['Veurne', '058 31 12 34', 'nl'],
    ['Ostend', '059 55 12 34', 'nl'],
    ['Chimay', '060 21 12 34', 'fr'],
    ['Libramont', '061 22 12 34', 'fr'],
    ['Arlon', '063 24 12 34', 'fr'],
    ['La Louvière', '064 23 12 34', 'fr'],
    ['Mons', '065 40 12 34', 'fr'],
    ['Nivelles', '067 88 12 34', 'fr'],
    ['Ath', '068 26 12 34', 'fr'],
    ['Tournai', '069 33 12 34', 'fr'],
    ['Charleroi', '071 86 12 34', 'fr'],
    ['Stavelot and St. Vith', '080 28 12 34', 'fr de'],
    ['Namur', '081 24 12 34', 'fr'],
    ['Dinant', '082 21 12 34', 'fr'],
    ['Ciney', '083 21 12 34', 'fr'],
    ['Marche', '084 32 12 34', 'fr'],
    ['Huy', '085 27 12 34', 'fr'],
    ['Durbuy', '086 21 12 34', 'fr'],
    ['Verviers and Eupen', '087 59 12 34', 'fr de'],
    ['Genk', '089 32 12 34', 'nl'],
  ])('%s (%s) speaks %s', (_, number, languages) => {
    expect(spoken(number)).toBe(languages);
    expect(spoken(`+32 ${number.slice(1)}`, 'FR')).toBe(languages);
  });

  test('the prefix that decided is reported, never the number', () => {
    expect(languagesOfNumber('+3225501234', 'BE')).toEqual({ languages: ['fr', 'nl'], prefix: '322' });
    expect(languagesOfNumber('+33142685300', 'BE')).toEqual({ languages: ['fr'], prefix: '33' });
  });

  test('a number that libphonenumber calls invalid still has its zone, for such numbers exist', () => {
    expect(spoken('02 123 45 67')).toBe('fr nl');
  });

  test.each(['025501234', '+3225501234', '003225501234', '3225501234', '+32 (0)2 550.12.34', '02/550-12-34'])(
    'the spelling %s is Brussels',
    (number) => {
      expect(spoken(number)).toBe('fr nl');
    },
  );
});

describe('numbers that say nothing', () => {
  test.each([
    ['a mobile that begins like Liège', '0475 12 34 56'],
    ['a mobile with country code', '+32 499 12 34 56'],
    ['a mobile of the 046 series', '0460 12 34 56'],
    ['070', '070 12 34 56'],
    ['077', '077 12 34 56'],
    ['078', '078 15 12 34'],
    ['0800, which begins like Stavelot', '0800 12 345'],
    ['0800 that libphonenumber has never heard of', '0800 00 000'],
    ['0900, which begins like Ghent', '0900 12 345'],
    ['an extension', '1001'],
    ['a long extension', '100123'],
    ['an emergency number', '112'],
    ['a zone that does not exist', '018 12 34 56'],
    ['too many digits', '02 550 12 34 567'],
    ['a world-wide free number', '+80012345678'],
    ['a satellite telephone', '+881612345678'],
    ['a foreign free number', '+33 800 12 34 56'],
    ['a country without an entry', '+81 3 1234 5678'],
    ['an anonymous caller', 'anonymous'],
    ['a restricted caller', 'Restricted'],
    ['nothing', ''],
    ['spaces', '   '],
    ['a plus', '+'],
    ['a SIP address', 'sip:025501234@example.org'],
    ['a number with an extension', '025501234;ext=12'],
    ['letters that are digits on a keypad', '0800 PREAVIS'],
    ['a line break', '02550\n1234'],
    ['a line break at the end', '025501234\n'],
    ['a NUL', '025501234\u0000'],
    ['full-width digits', '０２５５０１２３４'],
  ])('%s', (_, number) => {
    expect(languagesOfNumber(number, 'BE')).toBeUndefined();
  });

  test('an extension is none of the numbers of a country with short numbers either', () => {
    expect(languagesOfNumber('1001', 'DE')).toBeUndefined();
    expect(languagesOfNumber('100123', 'AT')).toBeUndefined();
  });

  test.each([
    ['digits', '2'.repeat(65536)],
    ['a plus and digits', `+32${'2'.repeat(65536)}`],
    ['spaces', ' '.repeat(65536)],
    ['brackets', '('.repeat(65536)],
  ])('64 kB of %s take no time', (_, number) => {
    const found = new Set<unknown>();
    // Nothing of jest in it: a thousand of its expectations cost more than what is measured.
    const cost = cpuMs(() => {
      for (let times = 0; times < 1000; times += 1) found.add(languagesOfNumber(number, 'BE'));
    });
    expect([...found]).toEqual([undefined]);
    expect(cost).toBeLessThan(500);
  });
});

describe('other countries', () => {
  test.each([
    ['Lausanne', '+41 21 345 12 34', 'fr'],
    ['Geneva', '+41 22 345 12 34', 'fr'],
    ['Yverdon', '+41 24 445 12 34', 'fr'],
    ['Fribourg', '+41 26 345 12 34', 'fr de'],
    ['Valais', '+41 27 345 12 34', 'fr de'],
    ['Neuchâtel and Biel', '+41 32 345 12 34', 'fr de'],
    ['Berne', '+41 31 345 12 34', 'de'],
    ['Zurich', '+41 44 345 12 34', 'de'],
    ['Basle', '+41 61 345 12 34', 'de'],
    ['St. Gallen', '+41 71 345 12 34', 'de'],
    ['Lugano', '+41 91 945 12 34', 'it'],
    ['a Swiss mobile', '+41 79 345 12 34', 'de fr'],
    ['a Swiss company-wide number', '+41 58 345 12 34', 'de fr'],
    ['Bolzano', '+39 0471 123456', 'de it'],
    ['Aosta', '+39 0165 123456', 'it fr'],
    ['Rome', '+39 06 1234 5678', 'it'],
    ['an Italian mobile', '+39 347 123 4567', 'it'],
    ['Montreal', '+1 514 555 0123', 'fr'],
    ['Quebec City', '+1 418 555 0123', 'fr'],
    ['Toronto', '+1 416 555 0123', 'en fr'],
    ['New York', '+1 212 555 0123', 'en'],
    ['France', '+33 1 42 68 53 00', 'fr'],
    ['a French mobile', '+33 6 12 34 56 78', 'fr'],
    ['the Netherlands', '+31 20 123 4567', 'nl'],
    ['Germany', '+49 30 123456', 'de'],
    ['Luxembourg', '+352 26 12 34', 'fr de'],
    ['Austria', '+43 1 534 53', 'de'],
    ['Liechtenstein', '+423 232 12 34', 'de'],
    ['the United Kingdom', '+44 20 7946 0123', 'en'],
    ['Ireland', '+353 1 679 1234', 'en'],
    ['Spain', '+34 912 345 678', 'es'],
    ['Portugal, which has no prompts yet', '+351 21 123 4567', 'pt en'],
    ['Morocco', '+212 522 123 456', 'fr'],
    ['Suriname', '+597 421 234', 'nl'],
  ])('%s (%s) speaks %s', (_, number, languages) => {
    expect(spoken(number)).toBe(languages);
  });

  test('a foreign number without its plus is recognised', () => {
    expect(spoken('33142685300')).toBe('fr');
    expect(spoken('4930901820')).toBe('de');
  });

  test('a national number is read in the numbering plan of the default country', () => {
    expect(spoken('020 123 4567', 'NL')).toBe('nl');
    expect(spoken('01 42 68 53 00', 'FR')).toBe('fr');
    expect(spoken('021 345 12 34', 'CH')).toBe('fr');
  });
});

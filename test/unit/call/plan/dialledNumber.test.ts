import fc from 'fast-check';
import { dialledNumberOf } from '../../../../src/call/plan/dialledNumber.ts';

describe('the number that was dialled', () => {
  test.each(['+3225550100', '003225550100', '3225550100', '025550100', '02 555 01 00', ' +32 (2) 555.01.00 '])(
    'is kept in one form, however the trunk gives it: %s',
    (text) => {
      expect(dialledNumberOf(text, 'BE')).toBe('+3225550100');
    },
  );

  test.each(['101', '7', '*98', 'sales', 'marie.dupont', 'acme-12_a', '#9'])(
    'is an extension as it stands: %s',
    (text) => {
      expect(dialledNumberOf(text, 'BE')).toBe(text);
    },
  );

  test.each([
    ...[
      '',
      ' ',
      's',
      'h',
      'T',
      '+',
      '+12',
      '+999999999999999999',
      'anonymous@sip.example',
      '101,line=other',
      'a b',
      '1;2',
    ],
    ...['é', '１０１', '\u0000101', '101\n102', 'a'.repeat(41), '<script>', "1'--", '$' + '{EXTEN}'],
  ])('is not kept where it is neither a number nor an extension: %j', (text) => {
    expect(dialledNumberOf(text, 'BE')).toBeUndefined();
  });

  test('is found by whatever is kept, and is never longer nor of other characters than said, whatever the trunk sends', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[+0-9 ().-]{0,45}$/)), (text) => {
        const number = dialledNumberOf(text, 'BE');
        if (number === undefined) return;
        expect(number).toMatch(/^(\+[0-9]{1,17}|[0-9A-Za-z*#._-]{1,40})$/);
        expect(dialledNumberOf(number, 'BE')).toBe(number);
      }),
      { numRuns: 2_000 },
    );
  });
});

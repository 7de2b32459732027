import { groundsOf } from '../../../src/papers/grounds.ts';

test.each<[string, string]>([
  ['GDPR art. 6(1)(f)', 'f'],
  ['GDPR art. 6(1)(b) and (f), where no other proof exists', 'bf'],
  ['GDPR art. 6(1)(b) and (f); Belgian Act of 13 June 2005 on electronic communications, art. 128', 'bf'],
  ['GDPR art. 6(1)(c); Directive 2014/65/EU art. 16(7)', 'c'],
  ['RGPD art. 6.1.f', 'f'],
  ['art. 6, § 1, c) du RGPD', 'c'],
  ['Art. 6 Abs. 1 lit. a DSGVO', 'a'],
  ['Art. 6 Abs. 1 Buchst. f DSGVO', 'f'],
  ['AVG, art. 6, lid 1, onder b', 'b'],
  ['GDPR art. 6(1)(f), after a balance of interests', 'f'],
  ['GDPR art. 6(1)(f) and art. 9(2)(a)', 'f'],
  ['Consent; Federal Act on Data Protection', ''],
  ['Swiss Criminal Code, exemption for orders', ''],
])('the legal basis %s names the letters of art. 6(1) that it has: %s', (basis, letters) => {
  expect(groundsOf(basis).join('')).toBe(letters);
});

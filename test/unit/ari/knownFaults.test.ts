import { dropsEarlierNumbers } from '../../../src/ari/knownFaults.ts';

test.each([
  ['22.10.1+dfsg+~cs6.17.60671434-1', true],
  ['20.6.0~dfsg+~cs6.13.40431414-2build5', true],
  ['16.28.0~dfsg-0+deb11u4', false],
  ['18.10.0~dfsg+~cs6.10.40431411-2', false],
  ['22.10.1', false],
  ['certified/20.7-cert3', false],
  ['', false],
])('Asterisk %s drops sound whose numbers leap back: %s', (version, expected) => {
  expect(dropsEarlierNumbers(version)).toBe(expected);
});

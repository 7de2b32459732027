import { addressKey, networkOf } from '../../../src/access/addressKey.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:0001:2::', '2001:db8:1:2'],
  ['2001:db8::5', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['2001:db8:1:2:3::', '2001:db8:1:2'],
  ['', 'unknown'],
  ['localhost', 'unknown'],
  ['192.0.2.256', 'unknown'],
  ['1:2', 'unknown'],
])('%j is counted as the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('what is kept of an address is too little to be one', () => {
  expect(addressKey('192.0.2.1')).toMatch(/^[0-9a-f]{6}$/);
  expect(addressKey('192.0.2.1')).toBe(addressKey('::ffff:192.0.2.1'));
  expect(addressKey('192.0.2.1')).not.toBe(addressKey('192.0.2.2'));
});

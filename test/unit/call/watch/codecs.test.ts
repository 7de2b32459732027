import { bytesPerMsOf, sendsWideband } from '../../../../src/call/watch/codecs.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const channel = 'caller' as ChannelId;
const withCodec = (codec: string): Promise<boolean> => {
  const ari = scriptedAri();
  ari.state.variables['CHANNEL(audionativeformat)'] = codec;

  return sendsWideband(channel, ari);
};

test.each(['(g722)', '(opus)', '(slin16)', '(alaw|g722)', 'slin48'])('a channel of %s is wideband', async (codec) => {
  expect(await withCodec(codec)).toBe(true);
});

test.each(['(alaw)', '(ulaw|gsm)', '(slin)', '(g729)', ''])('a channel of "%s" is not', async (codec) => {
  expect(await withCodec(codec)).toBe(false);
});

test('one of which Asterisk does not tell is not', async () => {
  const ari = scriptedAri();
  ari.variable = () => Promise.reject(new Error('no answer'));
  expect(await sendsWideband(channel, ari)).toBe(false);
  expect(await bytesPerMsOf(channel, ari)).toBeUndefined();
});

test.each([
  ['(alaw)', 8],
  ['(ulaw|alaw)', 8],
  ['(g722)', 8],
  ['(opus)', undefined],
  ['(ulaw|gsm)', undefined],
  ['(slin)', undefined],
  ['', undefined],
])('a ms of sound by %j has %p bytes', async (codec, expected) => {
  const ari = scriptedAri();
  ari.state.variables['CHANNEL(audionativeformat)'] = codec;
  expect(await bytesPerMsOf(channel, ari)).toBe(expected);
});

import type { RtpTraffic } from '../../../../src/ari/port.ts';
import { holds, whyUnheard } from '../../../../src/call/watch/audibility.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const caller = 'caller' as ChannelId;
const none: RtpTraffic = { sentPackets: 0, receivedPackets: 0, reported: '', source: undefined };
const early: RtpTraffic = {
  sentPackets: 9,
  receivedPackets: 9,
  reported: '0.02 0.001 87',
  source: { ssrc: 1, lost: 0 },
};

test.each([
  ['1', true],
  ['0', false],
  ['', false],
])('a telephone of which Asterisk says %j holds: %s', async (value, expected) => {
  const ari = scriptedAri();
  ari.state.variables[`${caller} CHANNEL(rtp,hold)`] = value;
  expect(await holds(caller, ari)).toBe(expected);
});

test('of a channel that Asterisk cannot be asked about nobody knows; without an answer that is an error', async () => {
  const ari = scriptedAri();
  ari.variable = () => Promise.reject(new PreavisError('ari_request_failed', 'no such item'));
  expect(await holds(caller, ari)).toBe(false);
  ari.variable = () => Promise.reject(new PreavisError('ari_unreachable', 'no answer'));
  await expect(holds(caller, ari)).rejects.toMatchObject({ code: 'ari_unreachable' });
});

test('a notice that is heard by another channel counts only where as much was sent as it needs', async () => {
  const ari = scriptedAri();
  ari.state.variables[`${caller} CHANNEL(rtp,hold)`] = '0';
  const sent = async (sentPackets: number, before: RtpTraffic | undefined) => {
    ari.state.rtp[caller] = { ...none, sentPackets, receivedPackets: 9 };
    return whyUnheard(caller, before, ari, 6_000);
  };
  expect(await sent(300, none)).toBeUndefined();
  expect(await sent(99, none)).toBe('notice_not_received');
  expect(await sent(300, undefined)).toBe('notice_not_received');
});

test('where their codec has one rate, the bytes tell how much was sent to them', async () => {
  const ari = scriptedAri();
  ari.state.variables[`${caller} CHANNEL(rtp,hold)`] = '0';
  ari.state.variables['CHANNEL(audionativeformat)'] = '(ulaw)';
  const sent = async (sentBytes: number) => {
    ari.state.rtp[caller] = { ...none, sentPackets: 300, sentBytes, receivedPackets: 9 };
    return whyUnheard(caller, { ...none, sentBytes: 0 }, ari, 6_000);
  };
  expect(await sent(45_600)).toBeUndefined();
  expect(await sent(45_599)).toBe('notice_not_received');
});

describe('a notice that was played whole', () => {
  const why = (before: RtpTraffic | undefined, after: RtpTraffic | undefined, hold = '0') => {
    const ari = scriptedAri();
    if (after !== undefined) ari.state.rtp[caller] = after;
    ari.state.variables[`${caller} CHANNEL(rtp,hold)`] = hold;

    return whyUnheard(caller, before, ari);
  };

  test.each<[string, RtpTraffic | undefined, RtpTraffic | undefined, string | undefined]>([
    ['was heard by a caller who spoke', none, { ...none, sentPackets: 300, receivedPackets: 1 }, undefined],
    ['was heard by a caller who only reported', none, { ...none, sentPackets: 300, reported: '0 0 87' }, undefined],
    ['was not by one from whom nothing came', none, { ...none, sentPackets: 300 }, 'notice_not_received'],
    [
      'was not by one from whom nothing came since it began',
      early,
      { ...early, sentPackets: 300 },
      'notice_not_received',
    ],
    [
      'was heard by one from whom as much came since, but of another source',
      early,
      { ...early, sentPackets: 300, source: { ssrc: 2, lost: 0 } },
      undefined,
    ],
    [
      'was heard by one who reported anew',
      early,
      { ...early, sentPackets: 300, reported: '0.021 0.001 87' },
      undefined,
    ],
    [
      'was heard where another source sends now, of which Asterisk counts anew',
      early,
      { ...early, sentPackets: 300, receivedPackets: 1 },
      undefined,
    ],
    [
      'was not where it counts anew, and nothing came',
      early,
      { ...early, sentPackets: 300, receivedPackets: 0 },
      'notice_not_received',
    ],
    [
      'was not where Asterisk sent nothing',
      early,
      { ...early, receivedPackets: 300, reported: '1' },
      'notice_not_received',
    ],
    ['counts where Asterisk tells no packets', undefined, undefined, undefined],
    ['counts where it tells them only now', undefined, { ...none, sentPackets: 1, receivedPackets: 1 }, undefined],
  ])('%s', async (_, before, after, expected) => {
    expect(await why(before, after)).toBe(expected);
  });

  test('was not heard by a caller who holds, whatever was sent', async () => {
    expect(await why(none, { ...none, sentPackets: 300, receivedPackets: 300, reported: '1' }, '1')).toBe(
      'notice_on_hold',
    );
  });
});

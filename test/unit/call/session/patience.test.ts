import { makePatience } from '../../../../src/call/session/patience.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const caller = 'caller' as ChannelId;

function stage(leftSeconds: number | undefined) {
  const ari = scriptedAri();
  let now = 5_000;
  const patience = makePatience(ari, caller, { leftSeconds }, () => now);

  return {
    ari,
    patience,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const given = (seconds: string, waits: string): string =>
  `setVariable ${caller} ARRAY(TIMEOUT(absolute),PREAVIS_WAITS) ${seconds},${waits}`;

test.each([
  ['a sentence has three seconds more than by our own timer', 'playback', 7_100, '10.100'],
  ['so have a question and its key', 'consent', 5_000, '8.000'],
  ['so has the choice of a language', 'choice', 4_000, '7.000'],
  ['an answer keeps nobody in silence for longer than the include file does', 'answer', 10_000, '8.000'],
  ['nor does what Asterisk is asked', 'confirmation', 5_000, '8.000'],
] as const)('%s', async (_, timer, ms, seconds) => {
  const { ari, patience } = stage(0);
  await patience.renew(timer, ms);
  expect(ari.asked).toEqual([given(seconds, '1')]);
});

test('a limit of the operator that is nearer counts', async () => {
  const { ari, patience, pass } = stage(20);
  await patience.renew('playback', 12_000);
  pass(15_500);
  await patience.renew('playback', 12_000);
  pass(15_500);
  await patience.renew('playback', 12_000);
  expect(ari.asked).toEqual([given('15.000', '1'), given('4.500', '1'), given('1.000', '1')]);
});

test.each(['dial', 'recorderFinish'] as const)('a timer of the talk changes nothing: %s', async (timer) => {
  const { ari, patience } = stage(0);
  await patience.renew(timer, 10_000);
  expect(ari.asked).toEqual([]);
});

test.each([
  ['where the operator has set none it is a year away, since to take it away may end the call', 0, '31536000.000'],
  ['what the operator has set goes on', 60, '48.500'],
  ['what is over is so at once', 10, '1.000'],
])('from the dialling on %s', async (_, leftSeconds, value) => {
  const { ari, patience, pass } = stage(leftSeconds);
  pass(11_500);
  await patience.end();
  expect(ari.asked).toEqual([given(value, '')]);
});

test('who has hung up is no failure of the dialling, a caller who is no longer ours is one', async () => {
  const failing = (code: 'ari_not_found' | 'ari_request_failed') =>
    makePatience(
      { setVariable: () => Promise.reject(new PreavisError(code, 'refused')) },
      caller,
      { leftSeconds: 0 },
      () => 0,
    );
  await expect(failing('ari_not_found').end()).resolves.toBeUndefined();
  await expect(failing('ari_request_failed').end()).rejects.toMatchObject({ code: 'ari_request_failed' });
});

test('with an include file that does not go on by itself, nothing is set', async () => {
  const { ari, patience } = stage(undefined);
  await patience.renew('playback', 1_000);
  await patience.end();
  expect(ari.asked).toEqual([]);
});

test('what the step before has left is not asked for again where it is enough', async () => {
  const { ari, patience, pass } = stage(0);
  await patience.renew('confirmation', 5_000);
  pass(2_000);
  await patience.renew('release', 2_000);
  expect(ari.asked).toEqual([given('8.000', '1')]);
  pass(2_000);
  await patience.renew('release', 2_000);
  expect(ari.asked).toEqual([given('8.000', '1'), given('5.000', '1')]);
});

test('what a long step has left is taken back: nobody is kept in silence for it', async () => {
  const { ari, patience } = stage(0);
  await patience.renew('consent', 10_000);
  await patience.renew('release', 2_000);
  expect(ari.asked).toEqual([given('13.000', '1'), given('5.000', '1')]);
});

test('what Asterisk has refused to give is asked for again', async () => {
  const asked: string[] = [];
  const setVariable = (_: ChannelId, __: string, value: string): Promise<void> => {
    asked.push(value);
    return Promise.reject(new PreavisError('ari_request_failed', 'refused'));
  };
  const patience = makePatience({ setVariable }, caller, { leftSeconds: 0 }, () => 0);
  for (const timer of ['confirmation', 'release'] as const) {
    await expect(patience.renew(timer, 2_000)).rejects.toMatchObject({ code: 'ari_request_failed' });
  }
  expect(asked).toEqual(['5.000,1', '5.000,1']);
});

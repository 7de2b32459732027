import type { AriEvent } from '../../../../src/ari/events.ts';
import { NeverRecordedWatch } from '../../../../src/call/watch/neverRecordedWatch.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { makeNeverRecorded, rulesOf } from '../../../../src/policy/neverRecorded.ts';

const rules = rulesOf(makeNeverRecorded({ numbers: ['112'], dialled: ['101'] }));
const id = (name: string): ChannelId => name as ChannelId;
const dialled = (channel: string, dialString: string): AriEvent => ({
  type: 'channelDialled',
  at: 1,
  channelId: id(channel),
  callerId: id('caller'),
  dialString,
});
const entered = (channel: string, number: string): AriEvent => ({
  type: 'bridgeEntered',
  at: 1,
  bridgeId: 'b' as BridgeId,
  channelId: id(channel),
  number,
});

test('who is never recorded is known by what was dialled for them, and by their own number in a bridge', () => {
  const watch = new NeverRecordedWatch(rules);
  for (const event of [
    dialled('police', 'PJSIP/101@trunk'),
    dialled('desk', 'PJSIP/101'),
    entered('emergency', '112'),
    entered('house', '101'),
  ])
    watch.handle(event);
  expect(['police', 'desk', 'emergency', 'house'].map((each) => watch.has(id(each)))).toEqual([
    true,
    false,
    true,
    false,
  ]);
  watch.handle({ type: 'channelGone', at: 2, channelId: id('police'), cause: 16 });
  expect(watch.has(id('police'))).toBe(false);
});

test('no more than a thousand are remembered, the last ones', () => {
  const watch = new NeverRecordedWatch(rules);
  for (let index = 0; index <= 1_000; index += 1) watch.handle(dialled(`c-${index}`, 'PJSIP/112@trunk'));
  expect([watch.has(id('c-0')), watch.has(id('c-1')), watch.has(id('c-1000'))]).toEqual([false, true, true]);
});

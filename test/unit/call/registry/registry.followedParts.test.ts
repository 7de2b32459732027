import { recorderName } from '../../../../src/call/decide/order.ts';
import type { BridgeId, ChannelId, PlaybackId } from '../../../../src/core/ids.ts';
import { agent, firstBridge, followed, followedStage, recordedTalk } from '../../../support/call/followedStage.ts';
import { aFollowed, keys } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

const facts = followed();
const { callerChannel: caller, order } = facts;
const second = 'bridge-2' as BridgeId;
const snoopOf = (part: number): ChannelId => recorderName(order.recording, part) as ChannelId;

describe('the recorder of an earlier part, which Asterisk did not stop when it was asked,', () => {
  /** The first talk is over, whose recorder was not stopped; the second is being recorded. */
  async function inSecondTalk(refusals = 1) {
    const set = await followedStage([recordedTalk(facts)], { members: [agent] });
    set.ari.refuse('hangUp', 'ari_unreachable', refusals);
    set.leave(firstBridge, caller, 5_000);
    set.enter(second, agent, 5_010);
    set.enter(second, caller, 5_010);
    await eventually(() => set.asked('recordChannel').length > 0);
    const stops = (part: number): number =>
      set.asked('hangUp').filter((each) => each.endsWith(` ${snoopOf(part)}`)).length;

    return { ...set, stops };
  }

  test('is asked to stop again, also once that of a later part was', async () => {
    // So often that it is asked for again behind the stop of the later part, however late that comes.
    const { leave, stops } = await inSecondTalk(1_000);
    leave(second, caller, 5_050);
    await eventually(() => stops(2) > 0);
    const before = stops(1);
    expect(before).toBeGreaterThan(0);
    await eventually(() => stops(1) > before);
  });

  test('does not delay the stop of a later part, where Asterisk does not answer', async () => {
    const { ari, leave, stops } = await inSecondTalk();
    const release = ari.hold('hangUp');
    await eventually(() => stops(1) === 2);
    leave(second, caller, 5_050);
    await eventually(() => stops(2) === 1);
    release();
  });
});

test('the next talk is recorded where that of the one before was over before its recorder could begin', async () => {
  const set = await followedStage([recordedTalk(facts)], { members: [agent] });
  // The snoop of the first part is not gone yet when a transfer by a feature code ends its hold and the talk at once.
  const release = set.ari.hold('isThere');
  set.handle({ type: 'channelHeld', at: 5_000, channelId: agent });
  set.handle({ type: 'channelResumed', at: 6_000, channelId: agent });
  set.leave(firstBridge, caller, 6_002);
  set.enter(second, agent, 6_005);
  set.enter(second, caller, 6_005);
  release();
  await eventually(() => set.asked('recordChannel').length > 0);
  expect(set.asked('recordChannel').map((each) => each.split(' ')[1])).toEqual([snoopOf(3)]);
  expect(set.talks().map((talk) => talk?.recorder.kind)).toEqual(['requested']);
});

test('the next talk is not recorded where the recorder of this one was stopped for want of room', async () => {
  const set = await followedStage([recordedTalk(facts)], { members: [agent] });
  set.registry.roomSpent(order.recording);
  set.leave(firstBridge, caller, 5_000);
  set.enter(second, agent, 5_010);
  set.enter(second, caller, 5_010);
  await eventually(() => set.saved.some((state) => state.kind === 'talking' && state.facts.order?.bridge === second));
  expect(set.asked('snoop')).toEqual([]);
});

test('a later part is recorded for no longer than what is left of the time of the recording', async () => {
  const set = await followedStage([recordedTalk(facts)], { members: [agent] });
  set.leave(firstBridge, caller, 60_001);
  set.handle({ type: 'recorderFinished', at: 60_002, name: recorderName(order.recording, 1) });
  set.enter(second, agent, 900_000);
  set.enter(second, caller, 900_000);
  await eventually(() => set.asked('recordChannel').length > 0);
  const name = snoopOf(2);
  expect(set.asked('recordChannel')).toEqual([`recordChannel ${name} ${name} ${order.maximumSeconds - 60} wav`]);
});

test('a refusal is acknowledged in one language after the other', async () => {
  const shape = { languages: ['fr', 'nl'], mode: 'optOut' as const };
  const set = await followedStage([recordedTalk({ ...facts, order: { ...order, ...aFollowed(shape).order } })], {
    members: [agent],
  });
  for (const digit of keys.featureCode) set.handle({ type: 'digit', at: 5_000, channelId: caller, digit });
  await eventually(() => set.asked('play').length === 1);
  const playbackId = set.asked('play')[0]?.split(' ')[2] as PlaybackId;
  expect(set.asked('whisper')).toHaveLength(1);
  set.handle({ type: 'playbackFinished', playbackId, at: 9_000, outcome: 'done' });
  await eventually(() => set.asked('play').length === 2);
  expect(set.asked('hangUp')).toContain(`hangUp ${playbackId}`);
});

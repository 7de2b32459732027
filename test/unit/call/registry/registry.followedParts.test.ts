import { recorderName } from '../../../../src/call/decide/order.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { agent, firstBridge, followed, followedStage, recordedTalk } from '../../../support/call/followedStage.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

const facts = followed();
const { callerChannel: caller, order } = facts;
const second = 'bridge-2' as BridgeId;
const snoopOf = (part: number): ChannelId => recorderName(order.recording, part) as ChannelId;

describe('the recorder of an earlier part, which Asterisk did not stop when it was asked,', () => {
  /** The first talk is over, whose recorder was not stopped; the second is being recorded. */
  async function inSecondTalk() {
    const set = await followedStage([recordedTalk(facts)], { members: [agent] });
    set.ari.refuse('hangUp', 'ari_unreachable');
    set.leave(firstBridge, caller, 5_000);
    set.enter(second, agent, 5_010);
    set.enter(second, caller, 5_010);
    await eventually(() => set.asked('recordChannel').length > 0);
    const stops = (part: number): number =>
      set.asked('hangUp').filter((each) => each.endsWith(` ${snoopOf(part)}`)).length;

    return { ...set, stops };
  }

  test('is asked to stop again, also once that of a later part was', async () => {
    const { leave, stops } = await inSecondTalk();
    expect(stops(1)).toBe(1);
    leave(second, caller, 5_050);
    await eventually(() => stops(2) === 1);
    await eventually(() => stops(1) > 1);
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

import { recorderName } from '../../../../src/call/decide/order.ts';
import type { NewcomerRule } from '../../../../src/config/newcomers.ts';
import type { BridgeId, CallId, ChannelId } from '../../../../src/core/ids.ts';
import {
  agent,
  another,
  firstBridge,
  followed,
  followedStage,
  goneOn,
  recordedTalk,
} from '../../../support/call/followedStage.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

/** A followed call that another process has left while it was recorded: the bridge that it is in is the dialplan's. */

const facts = followed();
const { callerChannel: caller, order } = facts;
const second = 'bridge-2' as BridgeId;
const newcomer = 'newcomer' as ChannelId;

const takenUp = (newcomers: NewcomerRule = 'tell', members: readonly ChannelId[] = [agent]) =>
  followedStage([recordedTalk(followed(newcomers))], { members });

/** The talk went on in another bridge, where it is recorded again. */
async function movedOn(set: Awaited<ReturnType<typeof takenUp>>): Promise<void> {
  set.leave(firstBridge, caller, 5_000);
  set.leave(firstBridge, agent, 5_000);
  set.enter(second, agent, 5_001);
  set.enter(second, caller, 5_001);
  await eventually(() => set.asked('recordChannel').length === 1);
  set.handle({ type: 'recorderStarted', at: 5_002, name: recorderName(order.recording, 2) });
}

test('ends its recording for good where somebody joins whose number is never recorded, and tells nobody', async () => {
  const set = await takenUp();
  set.enter(firstBridge, newcomer, 5_000, { number: '112' });
  expect(set.talks()).toMatchObject([{ untold: true, telling: [] }]);
  await eventually(() => set.kept.some((entry) => entry.kind === 'change' && entry.change === 'neverRecorded'));
});

test('is told of each newcomer once', async () => {
  const set = await takenUp('stop');
  const joins = (): readonly unknown[] =>
    set.kept.flatMap((entry) => (entry.kind === 'change' && entry.change === 'joined' ? [entry.at] : []));
  set.enter(firstBridge, newcomer, 5_000);
  set.enter(firstBridge, 'newcomer-2' as ChannelId, 6_000);
  await eventually(() => joins().includes(6_000));
  expect(joins()).toEqual([5_000, 6_000]);
});

test('has nothing to do with who comes into a bridge that its caller has left', async () => {
  const set = await takenUp();
  await movedOn(set);
  set.enter(firstBridge, newcomer, 9_000);
  expect(set.talks()).toMatchObject([{ untold: false, telling: [], others: [], facts: { order: { bridge: second } } }]);
  expect(set.asked('followChannel')).not.toContain(`followChannel ${newcomer}`);
});

test('goes on being recorded where a bridge is destroyed that its caller has left', async () => {
  const set = await takenUp('inside');
  await movedOn(set);
  set.ari.state.inBridge = { [second]: [caller, agent] };
  const stopped = set.asked('hangUp').length;
  set.handle({ type: 'bridgeGone', at: 5_003, bridgeId: firstBridge });
  // Asterisk is asked where they are before that is believed.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(set.talks()).toMatchObject([{ recorder: { kind: 'running' }, facts: { order: { part: 2 } } }]);
  expect(set.asked('hangUp')).toHaveLength(stopped);
});

test('leaves the call of whom its caller talks with to that call', async () => {
  const other = { ...another(), callerChannel: agent };
  const set = await followedStage([goneOn(other), recordedTalk(facts)], { members: [agent] });
  set.handle({ type: 'channelGone', at: 9_000, channelId: agent, cause: 16 });
  const kindOf = (id: CallId): string | undefined =>
    [...set.registry.states, ...set.ended].find((state) => state.facts.id === id)?.kind;
  expect(['closing', 'ended']).toContain(kindOf(other.id));
  expect(['talking', 'following']).toContain(kindOf(facts.id));
});

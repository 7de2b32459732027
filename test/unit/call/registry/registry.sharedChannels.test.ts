import { recorderName } from '../../../../src/call/decide/order.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, CallId } from '../../../../src/core/ids.ts';
import { agent, another, firstBridge, followed, followedStage, goneOn } from '../../../support/call/followedStage.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

/** A channel may be in more than one followed call, at once or one after the other. */

const [one, other] = [followed('tell'), another('tell')];
const second = 'bridge-2' as BridgeId;

/** Two calls are on; the first talks with the agent, and is recorded. */
async function twoCalls() {
  const set = await followedStage([goneOn(one), goneOn(other)], { members: [agent] });
  set.enter(firstBridge, agent, 1);
  set.enter(firstBridge, one.callerChannel, 2);
  set.handle({ type: 'recorderStarted', at: 3, name: recorderName(one.order.recording, 1) });
  const stateOf = (id: CallId): CallState | undefined => set.registry.states.find(({ facts }) => facts.id === id);

  return { ...set, stateOf };
}

test('the caller of another followed call who comes into a talk is not told where they put it on hold', async () => {
  const set = await twoCalls();
  set.enter(firstBridge, other.callerChannel, 5_000);
  expect(set.stateOf(one.id)).toMatchObject({ telling: [other.callerChannel], untold: false });
  await eventually(() => set.asked('whisper').length > 0);
  set.handle({ type: 'channelHeld', at: 5_100, channelId: other.callerChannel });
  const isUntold = (): boolean => {
    const state = set.stateOf(one.id);
    return state?.kind === 'talking' && state.untold;
  };
  await eventually(isUntold);
});

test('the hold of an agent counts for the call that they are in, and not for that which they were in before', async () => {
  const set = await twoCalls();
  set.leave(firstBridge, one.callerChannel, 100);
  set.leave(firstBridge, agent, 100);
  set.enter(second, agent, 200);
  set.enter(second, other.callerChannel, 201);
  set.handle({ type: 'recorderStarted', at: 203, name: recorderName(other.order.recording, 1) });
  set.handle({ type: 'channelHeld', at: 300, channelId: agent });
  expect(set.stateOf(other.id)).toMatchObject({ kind: 'talking', holding: ['destination'] });
  await eventually(() => set.kept.some((entry) => entry.kind === 'change' && entry.change === 'held'));
  expect(set.kept.filter((entry) => entry.kind === 'change' && entry.change === 'held')).toMatchObject([
    { id: other.id },
  ]);
});

test('who has ended their hold before Asterisk says that they hold is not taken to hold on', async () => {
  const set = await followedStage([goneOn(one)], { members: [agent] });
  const asked = `${agent} CHANNEL(rtp,hold)`;
  set.ari.state.variables[asked] = '1';
  // Its answer is of before the end of the hold, and is heard after it.
  const variable = set.ari.variable.bind(set.ari);
  let isFirst = true;
  set.ari.variable = async (channel, name) => {
    const value = await variable(channel, name);
    if (channel === agent && isFirst) {
      isFirst = false;
      set.ari.state.variables[asked] = '0';
      set.handle({ type: 'channelResumed', at: 5, channelId: agent });
    }
    return value;
  };
  set.enter(firstBridge, agent, 1);
  set.enter(firstBridge, one.callerChannel, 2);
  await eventually(() => !isFirst);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(set.talks()).toMatchObject([{ holding: [] }]);
});

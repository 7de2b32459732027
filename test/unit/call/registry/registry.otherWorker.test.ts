import type { BridgeId } from '../../../../src/core/ids.ts';
import { agent, followed, followedStage, goneOn } from '../../../support/call/followedStage.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { endRegistries, stage } from '../../../support/call/registryStage.ts';
import { eventually } from '../../../support/poll.ts';

afterEach(endRegistries);

/**
 * A followed call that one of two workers takes up, or finds again after a lost connection. Its caller may have come to the other worker meanwhile,
 * which has told them anew, or has refused to: then it is not followed, and not recorded, any more (P1).
 */

const own = 'preavis-a';
const facts = followed();
const caller = facts.callerChannel;
const bridge = 'bridge-2' as BridgeId;
const asked = `${caller} PREAVIS_WORKER`;

it.each([
  ['the other worker was asked for since', 'preavis-b', 0],
  ['this worker was asked for last', own, 1],
  ['one serve alone has told', '', 1],
])('is taken up with a caller for whom %s (%j): so many are followed: %i', async (_, last, count) => {
  const set = await followedStage([goneOn(facts)], { options: { worker: own, variables: { [asked]: last } } });
  set.enter(bridge, caller, 3);
  set.enter(bridge, agent, 4);
  await eventually(() => set.talks().length === count && set.talks().every((talk) => talk !== undefined));
  expect(set.registry.size).toBe(count);
});

it('is not recorded before it is known whose the caller is', async () => {
  const set = await followedStage([goneOn(facts)], { options: { worker: own, variables: { [asked]: own } } });
  set.ari.state.variables[asked] = 'preavis-b';
  set.registry.connectionLost('connection_lost');
  const release = set.ari.hold('variable');
  const compared = set.registry.resync();
  set.enter(bridge, caller, 3);
  set.enter(bridge, agent, 4);
  release();
  await compared;
  expect(set.asked('snoop')).toEqual([]);
  expect(set.registry.size).toBe(0);
});

it.each([
  ['which the other worker has', true, []],
  ['which nobody has', false, ['continueInDialplan', 'destroyBridge']],
])(
  'a caller and a bridge that Asterisk lists under this application, and %s: freed %j',
  async (_, isOfOther, freed) => {
    const call = stateAt('dialling', someFacts(countingIds()));
    const { callerChannel, order } = call.facts;
    if (order === undefined) throw new Error('it was planned');
    const set = stage({ worker: own, ofOthers: isOfOther ? [call] : [] });
    set.ari.state.channels.push({ id: callerChannel, state: 'Up' });
    set.ari.state.owned = { channels: [callerChannel], bridges: [order.bridge] };
    await set.registry.resync();
    const asked = set.ari.asked.map((each) => each.split(' ')[0] ?? '');
    expect(asked.filter((each) => ['continueInDialplan', 'destroyBridge', 'hangUp'].includes(each))).toEqual(freed);
  },
);

import type { ChannelId } from '../../../../src/core/ids.ts';
import { callStart, configTree } from '../../../support/call/calls.ts';
import { followed, goneOn } from '../../../support/call/followedStage.ts';
import { arrival, endRegistries, hearNotice, stage } from '../../../support/call/registryStage.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { eventually } from '../../../support/poll.ts';

afterEach(endRegistries);

/** Outgoing calls: who was called is told by the notice channel, while who dialled waits. */

const [called, dialler, notice] = ['called', 'dialler', 'notice;2'] as ChannelId[] as [ChannelId, ChannelId, ChannelId];
const outgoing = () =>
  arrival(notice, ['way=called', `called=${called}`, `by=${dialler}`, 'line=default'], '+3242345678');
const hangUp = (channelId: ChannelId) => ({ type: 'channelHangingUp' as const, at: callStart + 500, channelId });

function calledStage(...before: ReturnType<typeof arrival>[]) {
  const set = stage();
  set.ari.state.rtp[called] = () => ({
    // Enough for every sentence.
    sentPackets: set.asked('play').length * 10_000,
    receivedPackets: 9 + set.asked('play').length,
    reported: '',
    source: { ssrc: 1, lost: 0 },
  });
  for (const each of [...before, outgoing()]) set.registry.handle(each);

  return set;
}

test('the notice is played to the notice channel, and asked of the channel of who was called', async () => {
  const set = calledStage();
  await hearNotice(set);
  await eventually(() => set.kinds().includes('following'));
  expect(set.asked('play').every((request) => request.startsWith(`play ${notice} `))).toBe(true);
  expect(set.asked('followChannel')).toEqual(
    expect.arrayContaining([`followChannel ${called}`, `followChannel ${dialler}`]),
  );
  expect(set.asked('continueInDialplan')).toEqual([`continueInDialplan ${notice}`]);
  // From now on the notice channel and who dialled say nothing about the call, and who was called does.
  set.registry.handle({ type: 'channelGone', at: callStart + 9_000, channelId: notice, cause: 16 });
  set.registry.handle(hangUp(dialler));
  expect(set.registry.states.map(({ kind }) => kind)).toEqual(['following']);
  set.registry.handle(hangUp(called));
  await eventually(() => set.outcomes().length === 1);
  expect(set.outcomes()).toMatchObject([{ result: 'notConnected' }]);
});

test('the notice is in the language of the number that was called, whatever digit led out', async () => {
  const set = stage();
  const args = ['way=called', `called=${called}`, 'dialString=PJSIP/092345678@trunk'];
  set.registry.handle(arrival(notice, args, '0092345678'));
  await eventually(() => set.orders.length === 1);
  expect(set.orders[0]?.script.language).toMatchObject({ languages: ['nl'], reason: 'number' });
});

test.each([
  ['who dialled', dialler],
  ['who was called', called],
])('where %s leaves while the notice plays, nobody waits for its end', async (_who, leaving) => {
  const set = calledStage();
  await eventually(() => set.asked('play').length === 1);
  set.registry.handle(hangUp(leaving));
  await eventually(() => set.asked('continueInDialplan').length === 1);
  expect(set.asked('continueInDialplan')).toEqual([`continueInDialplan ${notice}`]);
  expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
});

test('a caller who is in a call of their own, and is forwarded outside, stays the caller of that one', async () => {
  const set = calledStage(arrival(dialler, ['way=follow', 'line=default'], '+3292345678'));
  await eventually(() => set.asked('play').length === 2);
  set.registry.handle(hangUp(dialler));
  await eventually(() => set.outcomes().length === 1);
  expect(set.registry.states.map(({ facts }) => facts.callerChannel)).toEqual([called]);
});

test('a caller who is forwarded outside is recorded there only where they were told before', async () => {
  const policy = aPolicy({ ...configTree(), staff: { extensions: ['_2XX'] } });
  const forwarded = arrival(notice, [...outgoing().args, 'byName=PJSIP/trunk-00000001'], '+3242345678');
  const untold = stage({ policy });
  untold.registry.handle(forwarded);
  await eventually(() => untold.outcomes().length === 1);
  expect(untold.outcomes()).toMatchObject([{ result: 'unrecorded', reason: 'untold_party' }]);
  const told = stage({ policy });
  told.registry.handle(arrival(dialler, ['way=follow', 'line=default'], '+3242345678'));
  await hearNotice(told);
  await eventually(() => told.kinds().includes('following'));
  told.registry.handle(forwarded);
  await eventually(() => told.orders.length === 2);
  const own = goneOn(followed('stop', { callerChannel: dialler }));
  if (own.kind !== 'following') throw new Error('they follow the dialplan');
  const refused = stage({ policy, open: [{ ...own, answer: { kind: 'refused', digits: '*9', at: 1 } }] });
  refused.ari.state.channels.push({ id: dialler, state: 'Up' });
  await refused.registry.resync();
  refused.registry.handle(forwarded);
  await eventually(() => refused.outcomes().length > 0);
  expect(refused.outcomes()).toContainEqual(expect.objectContaining({ reason: 'untold_party' }));
});

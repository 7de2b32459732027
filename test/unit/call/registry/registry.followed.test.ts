import { recorderName } from '../../../../src/call/decide/order.ts';
import type { CallState, In } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, anOutgoing, configTree, course, heardNotice } from '../../../support/call/calls.ts';
import {
  agent as agentOfTalk,
  another,
  firstBridge,
  followed,
  followedStage,
  goneOn,
  recordedTalk,
} from '../../../support/call/followedStage.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { eventually } from '../../../support/poll.ts';
import { arrival, endRegistries, hearNotice, stage } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

/** What a later process makes of a followed call that another has left. */

const facts = aFollowed();
const { order, callerChannel: caller } = facts;
const agent = 'agent' as ChannelId;
const bridge = 'of-the-dialplan' as BridgeId;
const agreed = [
  { type: 'planned' as const, order },
  { type: 'ready' as const },
  { type: 'callerAnswered' as const },
  ...heardNotice(order),
];

function left(...more: Parameters<typeof course>[1]): CallState {
  return course(facts, [...agreed, ...more]).state;
}

const releasing = left();
const following = left({ type: 'callerReleased' });
const talkedOnce = left(
  { type: 'callerReleased' },
  { type: 'joined', bridge, others: [agent], at: 1 },
  { type: 'recorderStarted', at: 2, part: 1 },
  { type: 'parted', at: 3 },
  { type: 'recorderFinished', at: 4, part: 1 },
);

/** The caller is in a bridge with the agent. */
function talkStage(state: CallState) {
  const set = stage({ open: [state] });
  set.ari.state.channels.push({ id: caller, state: 'Up' }, { id: agent, state: 'Up' });
  set.ari.state.inBridge = { [bridge]: [caller, agent] };

  return set;
}

test('who is not yet back in the dialplan is sent there, unrecorded', async () => {
  const set = stage({ open: [releasing] });
  set.ari.state.channels.push({ id: caller, state: 'Up' });
  set.ari.state.waiting.push(caller);
  await set.registry.resync();
  await eventually(() => set.outcomes().length === 1);
  expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'interrupted' }]);
  expect(set.asked('continueInDialplan')).toEqual([`continueInDialplan ${caller}`]);
});

test('of an outgoing call the notice channel is sent on, where the process before has died in the notice', async () => {
  const called = anOutgoing();
  const before = course(called, [
    { type: 'planned', order: called.order },
    { type: 'ready' },
    { type: 'callerAnswered' },
  ]);
  const set = stage({ open: [before.state] });
  const notice = called.called?.noticeChannel ?? ('' as ChannelId);
  set.ari.state.channels.push({ id: called.callerChannel, state: 'Up' }, { id: notice, state: 'Up' });
  set.ari.state.owned.channels.push(notice);
  await set.registry.resync();
  await eventually(() => set.outcomes().length === 1);
  expect(set.asked('continueInDialplan')).toEqual([`continueInDialplan ${notice}`]);
  expect(set.asked('hangUp')).toEqual([]);
});

test('who is back in the dialplan already is followed, and their events are asked for again', async () => {
  const set = stage({ open: [releasing] });
  set.ari.state.channels.push({ id: caller, state: 'Up' });
  await set.registry.resync();
  expect(set.registry.states.map(({ kind }) => kind)).toEqual(['following']);
  expect(set.asked('followChannel')).toEqual([`followChannel ${caller}`]);
  expect(set.asked('continueInDialplan')).toEqual([]);
});

test('who is back in the dialplan and talks already is recorded', async () => {
  const set = talkStage(releasing);
  await set.registry.resync();
  await eventually(() => set.asked('snoop').length > 0);
  expect(set.registry.states).toMatchObject([{ kind: 'talking', untold: false }]);
});

test.each([
  ['opus', 'wav16'],
  ['alaw', 'wav'],
])(
  'who speaks %s is recorded as %s, also where they talk before Asterisk has answered that they go on',
  async (codec, format) => {
    const set = stage({ variables: { 'CHANNEL(audionativeformat)': `(${codec})` } });
    const answer = set.ari.hold('continueInDialplan');
    set.registry.handle(arrival(caller, ['way=follow', 'language=fr']));
    await hearNotice(set);
    await eventually(() => set.asked('continueInDialplan').length === 1);
    set.registry.handle({ type: 'channelLeft', at: 1, channelId: caller });
    for (const channelId of [agent, caller])
      set.registry.handle({ type: 'bridgeEntered', at: 2, bridgeId: bridge, channelId });
    expect(set.registry.states).toMatchObject([{ kind: 'talking' }]);
    answer();
    await eventually(() => set.asked('snoop').length === 1);
    set.registry.handle(arrival(set.asked('snoop')[0]?.split(' ')[2] ?? '', []));
    await eventually(() => set.asked('recordChannel').length === 1);
    expect(set.asked('recordChannel')[0]?.split(' ').at(-1)).toBe(format);
  },
);

test.each([
  ['between talks', 'notConnected', [{ type: 'callerReleased' as const }]],
  [
    'in a talk',
    'recorded',
    [
      { type: 'callerReleased' as const },
      { type: 'joined' as const, bridge, others: [agent], at: 1 },
      { type: 'recorderStarted' as const, at: 2, part: 1 },
    ],
  ],
])('the call of who is told anew is over %s, and what was recorded is finished', async (_, result, events) => {
  const set = talkStage(left(...events));
  if (result === 'notConnected') set.ari.state.inBridge = {};
  else set.ari.state.recording.push(recorderName(order.recording, 1));
  await set.registry.resync();
  set.registry.handle(arrival(caller, ['way=follow']));
  const name = recorderName(order.recording, 1);
  set.registry.handle({ type: 'recorderFinished', name, at: 9 });
  await eventually(() => set.outcomes().some((outcome) => outcome?.result === result));
});

test('a snoop channel that was made for the next talk, and records nothing, is ended before that talk is recorded', async () => {
  const set = talkStage(talkedOnce);
  const snoop = recorderName(order.recording, 2) as ChannelId;
  set.ari.state.channels.push({ id: snoop, state: 'Up' });
  const resynced = set.registry.resync();
  await eventually(() => set.asked('hangUp').length > 0);
  set.ari.state.channels = set.ari.state.channels.filter(({ id }) => id !== snoop);
  await resynced;
  await eventually(() => set.asked('snoop').length > 0);
  expect(set.asked('hangUp')[0]).toBe(`hangUp ${snoop}`);
  expect(set.asked('snoop')).toEqual([`snoop ${caller} ${snoop} both`]);
  const [ended, made] = ['hangUp', 'snoop'].map((each) => set.ari.asked.findIndex((one) => one.startsWith(each)));
  expect(ended).toBeLessThan(made ?? -1);
});

test.each([
  ['recording', following],
  ['stored', following],
  ['recording', releasing],
] as const)(
  'what a recorder has that is not written down is removed, and the talk is recorded from now on: %s (case %#)',
  async (place, before) => {
    const set = talkStage(before);
    const name = recorderName(order.recording, 1);
    set.ari.state[place].push(name);
    const release = set.ari.hold('discardRecorder');
    const resynced = set.registry.resync();
    await eventually(() => set.asked('discardRecorder').length > 0);
    set.ari.state[place] = [];
    release();
    await resynced;
    await eventually(() => set.asked('snoop').length > 0);
    expect(set.asked('discardRecorder')).toEqual([`discardRecorder ${name}`]);
    expect(set.registry.states).toMatchObject([{ kind: 'talking', untold: false }]);
  },
);

test('nothing more is recorded where it could not be removed, and what it has is unwatched', async () => {
  const set = talkStage(following);
  set.ari.state.recording.push(recorderName(order.recording, 1));
  set.ari.refuse('discardRecorder', 'ari_request_failed', 9);
  for (let tries = 0; tries < 3; tries += 1) await set.registry.resync().catch(() => undefined);
  await eventually(() => set.registry.states.length > 0);
  expect(set.registry.states).toMatchObject([{ kind: 'following', untold: true }]);
  expect(set.asked('snoop')).toEqual([]);
  expect(set.kept.length).toBeGreaterThan(0);
  for (const each of set.kept)
    expect(each).toMatchObject({ kind: 'unwatched', interval: { parties: [], to: null, why: 'process_ended' } });
});

test('the time between two talks is not unwatched, where nothing can have been recorded', async () => {
  const set = stage({ open: [talkedOnce] });
  set.ari.state.channels.push({ id: caller, state: 'Up' });
  await set.registry.resync();
  expect(set.kept).toEqual([]);
});

test('a recorder that was being stopped has ended meanwhile', async () => {
  const stopping = left(
    { type: 'callerReleased' },
    { type: 'joined', bridge, others: [agent], at: 1 },
    { type: 'recorderStarted', at: 2, part: 1 },
    { type: 'parted', at: 3 },
  );
  const set = stage({ open: [stopping] });
  set.ari.state.channels.push({ id: caller, state: 'Up' });
  await set.registry.resync();
  expect(set.registry.states).toMatchObject([{ kind: 'following', recorder: { kind: 'finished' } }]);
});

test('a newcomer whom the dead process was telling is not told: nothing more is recorded', async () => {
  const newcomer = 'newcomer' as ChannelId;
  const tells = { ...facts, order: { ...order, newcomers: 'tell' as const } };
  const telling = course(tells, [
    { type: 'planned', order: tells.order },
    ...agreed.slice(1),
    { type: 'callerReleased' },
    { type: 'joined', bridge, others: [agent], at: 1 },
    { type: 'recorderStarted', at: 2, part: 1 },
    { type: 'thirdPartyJoined', channel: newcomer, at: 3 },
    { type: 'recorderFinished', at: 4, part: 1 },
  ]).state;
  expect(telling).toMatchObject({ kind: 'talking', telling: [newcomer], recorder: { kind: 'awaited' } });
  const set = talkStage(telling);
  set.ari.state.channels.push({ id: newcomer, state: 'Up' });
  set.ari.state.inBridge = { [bridge]: [caller, agent, newcomer] };
  await set.registry.resync();
  await eventually(() => set.registry.states.some((state) => state.kind === 'talking' && state.untold));
  expect(set.registry.states).toMatchObject([{ kind: 'talking', telling: [], recorder: { kind: 'finished' } }]);
  expect(set.asked('snoop')).toEqual([]);
});

test('a sentence that the dead process was whispering is ended: nobody would hear of its end', async () => {
  const playback = order.script.sentences.at(-1)?.playbackId ?? '';
  const set = talkStage(following);
  set.ari.state.owned.channels.push(playback as string as ChannelId);
  await set.registry.resync();
  expect(set.asked('hangUp')).toContain(`hangUp ${playback}`);
});

test.each([
  ['acme-102', 'a colleague', true],
  ['bakker-101', 'somebody of another company', false],
])('of a line with staff of its own %s, %s, leaves the recording as it is: %p', async (endpoint, _, goesOn) => {
  const lines = { default: { purposes: ['training'], defaultLanguages: ['fr'], staff: ['acme-*'] } };
  const policy = aPolicy({ ...configTree(), lines, staff: { extensions: ['bakker-101'] } });
  const set = await followedStage([recordedTalk(followed('inside'))], { members: [agentOfTalk], options: { policy } });
  set.enter(firstBridge, 'third' as ChannelId, 5_000, { endpoint });
  expect(set.talks()[0]?.untold).toBe(!goesOn);
});

describe('on a line that tells newcomers, who comes from an outgoing call of their own', () => {
  const theirs = { ...another('stop'), called: { noticeChannel: 'notice;2' as ChannelId } };
  const them = theirs.callerChannel;
  const refusable = aFollowed({ mode: 'optOut' }).order.script.consent;
  const stageWith = (...calls: CallState[]) =>
    followedStage([recordedTalk(followed('tell')), ...calls], { members: [agentOfTalk] });

  test('has heard it there, and is not told twice', async () => {
    const set = await stageWith(goneOn(theirs));
    set.enter(firstBridge, them, 5_000);
    expect(set.talks()[0]).toMatchObject({ untold: false, telling: [] });
  });

  test.each<[string, CallState[]]>([
    [
      'is told where it was for another purpose',
      [
        goneOn({
          ...theirs,
          order: { ...theirs.order, request: { ...theirs.order.request, purposes: ['agreement'] } },
        }),
      ],
    ],
    [
      'is told where they have refused there',
      [{ ...(goneOn(theirs) as In<'following'>), answer: { kind: 'refused', digits: '*9', at: 1 } }],
    ],
    [
      'is told where they may refuse there alone',
      [
        goneOn({
          ...theirs,
          order: { ...theirs.order, script: { ...theirs.order.script, consent: refusable } },
        }),
      ],
    ],
    ['is told where they have called themselves, and not heard it when they answered', [goneOn(another('stop'))]],
    ['is told where they have heard nothing', []],
  ])('%s', async (_, calls) => {
    const set = await stageWith(...calls);
    set.enter(firstBridge, them, 5_000);
    expect(set.talks()[0]).toMatchObject({ untold: false, telling: [them] });
  });
});

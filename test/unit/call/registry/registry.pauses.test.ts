/** Pauses of followed calls: what a process that dies, a lost connection, or a part that begins just then leaves of them. */
import { recorderName } from '../../../../src/call/decide/order.ts';
import type { CallState, In } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import type { AriEvent, NamedCall } from '../../../../src/ari/events.ts';
import type { OtherWorker } from '../../../../src/call/registry/otherWorker.ts';
import { undoUnsaved } from '../../../../src/call/session/undoUnsaved.ts';
import {
  agent,
  another,
  firstBridge,
  followed,
  followedStage,
  goneOn,
  recordedTalk,
} from '../../../support/call/followedStage.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

const one = followed('tell');
const { callerChannel: caller, order } = one;
const name = (part: number): string => recorderName(order.recording, part);
const ask = (task: 'pause' | 'resume', at: number, channel: ChannelId = caller): AriEvent => ({
  type: 'userEvent',
  at,
  task,
  channel,
  call: undefined,
});

type Set = Awaited<ReturnType<typeof followedStage>>;
type Row = [change: string, at: number | undefined, doneAt: number | undefined];

/** What the catalogue has, without who did it: a recorder that is paused already is not paused again. */
function rows({ kept }: Set): Row[] {
  let recorder = 'recorderResumed';

  return kept.flatMap((each): Row[] => {
    if (each.kind !== 'change' || each.change === recorder) return [];
    if (each.change.startsWith('recorder')) recorder = each.change;
    return [[each.change, each.at, each.doneAt]];
  });
}
const ofRecorder = (set: Set): Row[] => rows(set).filter(([change]) => change.startsWith('recorder'));
const has = (set: Set, change: string): boolean => rows(set).some(([each]) => each === change);
const talkOf = ({ registry }: Set): In<'talking'> | undefined =>
  registry.states.find((state) => state.kind === 'talking');
const isQuiet = (set: Set): boolean => talkOf(set)?.paused?.saying === undefined;

/** A recorded talk. What is said in it ends at 40 s, as soon as it is asked for. */
async function recorded(): Promise<Set> {
  const set = await followedStage([recordedTalk(one)], { members: [agent] });
  set.ari.state.time = 40_000;
  const play = set.ari.play.bind(set.ari);
  set.ari.play = async (...args) => {
    await play(...args);
    setImmediate(() => {
      set.handle({ type: 'playbackFinished', playbackId: args[1], at: 40_000, outcome: 'done' });
    });
  };

  return set;
}

/** It is paused at 20 s. */
async function paused(): Promise<Set> {
  const set = await recorded();
  set.handle(ask('pause', 20_000));
  set.handle({ type: 'recorderFinished', at: 20_010, name: name(1) });
  await eventually(() => has(set, 'pauseBegan') && isQuiet(set));

  return set;
}

/** The state that is saved once both were told that it goes on; the next part is asked for. */
async function resumed(set: Set): Promise<In<'talking'>> {
  set.handle(ask('resume', 39_000));
  await eventually(() => set.saved.at(-1)?.kind === 'talking' && talkOf(set)?.recorder.kind === 'requested');
  await eventually(() => set.asked('snoop').length > 0);

  return set.saved.at(-1) as In<'talking'>;
}

describe('a process that is killed when a pause is over', () => {
  /** Asterisk makes no snoop before it dies. */
  async function killed(): Promise<{ last: CallState; before: Set }> {
    const before = await paused();
    before.ari.snoop = (_, snoop) => {
      before.ari.asked.push(`snoop ${snoop}`);
      return new Promise(() => undefined);
    };
    return { last: await resumed(before), before };
  }

  test('has written down the end before the state that knows no more of it', async () => {
    const { last, before } = await killed();
    expect(last).not.toHaveProperty('paused');
    expect(rows(before)).toContainEqual(['pauseEnded', 40_000, undefined]);
  });

  test('has a successor that begins the part that it had asked for', async () => {
    const { last } = await killed();
    const next = await followedStage([last], { members: [agent] });
    await eventually(() => next.asked('recordChannel').length > 0);
    expect(next.asked('recordChannel')[0]).toContain(name(2));
    next.handle({ type: 'recorderStarted', at: 50_000, name: name(2) });
    expect(talkOf(next)).toMatchObject({ recorder: { kind: 'running' } });
    await next.registry.resync();
    expect(next.asked('recordChannel')).toHaveLength(1);
  });

  test('leaves a snoop without a recorder, whose name is free before the successor makes its own', async () => {
    const { last } = await killed();
    const ari = scriptedAri();
    const snoop = name(2) as ChannelId;
    ari.state.channels.push({ id: snoop, state: 'Up' });
    ari.hangUp = (channel) => {
      ari.asked.push(`hangUp ${channel}`);
      ari.state.channels.splice(0);
      return Promise.resolve();
    };
    await undoUnsaved(last, await ari.owned(), ari);
    expect(ari.asked).toContain(`hangUp ${snoop}`);
    ari.asked.length = 0;
    ari.state.channels.push({ id: snoop, state: 'Up' });
    ari.state.recording.push(snoop);
    await undoUnsaved(last, await ari.owned(), ari);
    expect(ari.asked).not.toContain(`hangUp ${snoop}`);
  });

  test('has a successor that begins nothing where they talk no more', async () => {
    const { last } = await killed();
    const next = await followedStage([last]);
    await eventually(() => next.registry.states[0]?.kind === 'following');
    expect(next.asked('snoop')).toEqual([]);
  });
});

describe('a part that begins just as', () => {
  /** Another part is asked for after a hold, and the one before has ended. */
  async function afterHold(): Promise<Set> {
    const set = await recorded();
    set.handle({ type: 'channelHeld', at: 10_000, channelId: agent });
    await eventually(() => has(set, 'recorderPaused'));
    set.handle({ type: 'channelResumed', at: 20_000, channelId: agent });
    set.handle({ type: 'recorderFinished', at: 20_010, name: name(1) });

    return set;
  }

  test('a pause is asked for is in the receipt, from its beginning to its end', async () => {
    const set = await afterHold();
    set.handle(ask('pause', 20_600));
    set.handle({ type: 'recorderStarted', at: 20_050, name: name(2) });
    set.handle({ type: 'recorderFinished', at: 20_950, name: name(2) });
    await eventually(() => has(set, 'pauseBegan') && isQuiet(set));
    await resumed(set);
    set.handle({ type: 'recorderStarted', at: 40_100, name: name(3) });
    await eventually(() => ofRecorder(set).length === 4);
    expect(ofRecorder(set).slice(1)).toEqual([
      ['recorderResumed', 20_050, 20_050],
      ['recorderPaused', 20_950, 20_950],
      ['recorderResumed', 40_100, 40_100],
    ]);
  });

  test('a newcomer comes is in the receipt as well', async () => {
    const set = await afterHold();
    set.enter(firstBridge, 'agent-b' as ChannelId, 20_100);
    set.handle({ type: 'recorderStarted', at: 20_050, name: name(2) });
    set.handle({ type: 'recorderFinished', at: 20_950, name: name(2) });
    // The next part begins behind the end of this one.
    expect(talkOf(set)).toMatchObject({ recorder: { kind: 'awaited', resumes: { pausedAt: 20_950, doneAt: 20_950 } } });
    await eventually(() => has(set, 'recorderResumed'));
    expect(rows(set)).toContainEqual(['recorderResumed', 20_050, 20_050]);
  });

  test('they part is in the receipt as well', async () => {
    const set = await afterHold();
    set.leave(firstBridge, caller, 20_600);
    set.handle({ type: 'recorderStarted', at: 20_050, name: name(2) });
    await eventually(() => has(set, 'recorderResumed'));
    expect(rows(set)).toContainEqual(['recorderResumed', 20_050, 20_050]);
  });
});

test('a part behind a pause whose beginning was missed begins no sooner than it was asked for', async () => {
  const set = await paused();
  await resumed(set);
  set.registry.connectionLost('connection_lost');
  set.ari.state.inBridge[firstBridge] = [caller, agent];
  set.ari.state.recording.splice(0, Infinity, name(2));
  set.ari.state.time = 41_000;
  await set.registry.resync();
  await eventually(() => has(set, 'recorderResumed'));
  expect(ofRecorder(set)).toEqual([
    ['recorderPaused', 20_000, 20_010],
    ['recorderResumed', 40_000, 41_000],
  ]);
});

describe('a program that names a channel', () => {
  const other = another('tell');
  const second = 'bridge-2' as BridgeId;

  /** The agent has talked with one caller, and talks with another. */
  async function secondTalk(): Promise<Set> {
    const set = await followedStage([goneOn(one), goneOn(other)], { members: [agent] });
    set.enter(firstBridge, agent, 1);
    set.enter(firstBridge, caller, 2);
    set.handle({ type: 'recorderStarted', at: 3, name: name(1) });
    set.leave(firstBridge, caller, 100);
    set.leave(firstBridge, agent, 100);
    set.enter(second, agent, 200);
    set.enter(second, other.callerChannel, 201);
    set.handle({ type: 'recorderStarted', at: 203, name: recorderName(other.order.recording, 1) });

    return set;
  }

  test('pauses the talk that this channel is in now, and not one that it was in before', async () => {
    const set = await secondTalk();
    set.handle(ask('pause', 300, agent));
    const [first, now] = set.registry.states;
    expect(first).not.toHaveProperty('paused');
    expect(now).toMatchObject({ kind: 'talking', paused: { by: 'operator' } });
  });

  test('of no talk is told of in the log', async () => {
    const set = await secondTalk();
    set.leave(second, other.callerChannel, 300);
    set.leave(second, agent, 300);
    set.handle(ask('pause', 400, agent));
    expect(set.text()).toContain('user event for a call that is not here');
    expect(set.registry.states.some((state) => 'paused' in state)).toBe(false);
  });
});

describe('a program that asks one of two workers', () => {
  async function asked(...events: AriEvent[]) {
    const passed: [task: string, asked: NamedCall & { at: number }][] = [];
    const otherWorker: OtherWorker = {
      claim: () => undefined,
      handOn: () => undefined,
      passOn: (task, named) => {
        passed.push([task, named]);
      },
    };
    const options = { worker: 'preavis-a', otherWorker };
    const set = await followedStage([recordedTalk(one)], { members: [agent], options });
    for (const event of events) set.handle(event);

    return { passed, text: set.text(), paused: set.registry.states.some((state) => 'paused' in state) };
  }
  const elsewhere: AriEvent = { type: 'userEvent', at: 300, task: 'pause', channel: undefined, call: 'another' };

  test('of a call that is here is answered by this one alone', async () => {
    expect(await asked(ask('pause', 300))).toMatchObject({ passed: [], paused: true });
  });

  test('of a call that is not here is passed on to the other one, by its id or a channel', async () => {
    const channel = 'somebody' as ChannelId;
    const { passed, text } = await asked(elsewhere, ask('resume', 400, channel));
    expect(passed).toEqual([
      ['pause', { call: 'another', channel: undefined, at: 300 }],
      ['resume', { call: undefined, channel, at: 400 }],
    ]);
    expect(text).not.toContain('not here');
  });

  test('of a call that neither has is told of in the log, and not sent back', async () => {
    const { passed, text } = await asked({ ...elsewhere, isPassedOn: true });
    expect(passed).toEqual([]);
    expect(text).toContain('user event for a call that is not here');
  });
});

test('a pause that is asked for between two talks counts from the beginning of the next', async () => {
  const set = await followedStage([recordedTalk(one)], { members: [agent] });
  set.leave(firstBridge, caller, 5_000);
  set.handle(ask('pause', 6_000));
  expect(set.registry.states[0]).toMatchObject({ kind: 'following', paused: { since: 6_000 } });
  const second = 'bridge-2' as BridgeId;
  set.enter(second, agent, 7_000);
  set.enter(second, caller, 7_000);
  await eventually(() => has(set, 'pauseBegan') && set.saved.at(-1)?.kind === 'talking');
  expect(talkOf(set)).toMatchObject({ recorder: { kind: 'awaited' }, paused: { since: 6_000 } });
  expect(set.asked('snoop')).toEqual([]);
});

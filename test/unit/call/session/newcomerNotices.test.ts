import type { RtpTraffic } from '../../../../src/ari/port.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { Sentence } from '../../../../src/call/decide/sentence.ts';
import { NewcomerNotices } from '../../../../src/call/session/newcomerNotices.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import type { ConsentMode } from '../../../../src/config/consent.ts';
import { collectingLog } from '../../../support/logLines.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, aScript, countingIds, keys } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';

const newcomer = 'newcomer' as ChannelId;
const { order } = aFollowed();
const lengthMs = 1_000;

type Trouble = {
  mode?: ConsentMode;
  /** Default: French alone. */
  languages?: readonly string[];
  /** The sentence, from 0 on, in which they press the key of yes. */
  yesIn?: number;
  /** Packets that go to the newcomer while one sentence plays. */
  packets?: number;
  /** Bytes of sound that go to them while one sentence plays; 1,000 ms are 8,000. Their codec has 64,000 bit/s. */
  bytes?: number;
  /** By our own clock, from the request to the end of a sentence, ms. */
  sinceAskedMs?: number;
  /** Of their channel no packets are told. */
  isWithoutRtp?: boolean;
  isLocal?: boolean;
  isOnHold?: boolean;
  isMissing?: boolean;
  /** Asterisk's time from the beginning to the end of a sentence, ms. */
  playedMs?: number;
};

/** A newcomer whose sentences play as soon as they are whispered, unless `stands` keeps them. */
function stage({ mode = 'announce', packets = 50, playedMs = lengthMs, ...trouble }: Trouble = {}) {
  const { languages = ['fr'] } = trouble;
  const script = aScript(countingIds(), { mode, languages, sentenceCount: 2 });
  const events: CallEvent[] = [];
  const kept: TimelineEntry[] = [];
  const whispered: Sentence[] = [];
  const owned: string[] = [];
  let sentPackets = 100;
  let sentBytes = 16_000;
  let ms = 5_000;
  let clock = 10_000;
  const rtp = (): RtpTraffic => ({
    sentPackets,
    sentBytes: trouble.bytes === undefined ? undefined : sentBytes,
    receivedPackets: sentPackets,
    reported: '',
    source: { ssrc: 1, lost: 0 },
  });
  let stands = false;
  const notices: NewcomerNotices = new NewcomerNotices({
    ari: {
      followChannel: () => Promise.resolve(),
      variable: (_, name) => {
        if (name === 'CHANNEL(audionativeformat)') return Promise.resolve('(alaw)');
        return Promise.resolve(trouble.isOnHold === true ? '1' : '0');
      },
      rtp: () => Promise.resolve(trouble.isWithoutRtp === true ? undefined : rtp()),
    },
    snoops: {
      whisper: (_, sentence) => {
        whispered.push(sentence);
        if (!stands) setImmediate(play, sentence);
        return Promise.resolve();
      },
      whispered: () => Promise.resolve(),
    },
    readiness: { check: () => Promise.resolve(trouble.isMissing === true ? 'prompts_missing' : 'ready') },
    isLocal: () => trouble.isLocal === true,
    plan: () => Promise.resolve(script),
    owns: (ids) => {
      owned.push(...ids);
    },
    handle: (event) => {
      events.push(event);
    },
    note: (entry) => {
      kept.push(entry);
    },
    clock: { sinceBoot: () => ({ boot: 'one', ms }) },
    log: collectingLog().log,
  });
  function play({ playbackId }: Sentence): void {
    notices.take({ type: 'playbackStarted', playbackId, at: clock });
    if (whispered.length - 1 === trouble.yesIn) press(keys.accept);
    clock += playedMs;
    sentPackets += packets;
    sentBytes += trouble.bytes ?? 0;
    ms += trouble.sinceAskedMs ?? playedMs;
    notices.take({ type: 'playbackFinished', playbackId, at: clock, outcome: 'done' });
  }
  const press = (digit: string): void => {
    notices.take({ type: 'digit', channelId: newcomer, digit, at: clock });
  };
  notices.tell(newcomer, order);

  return {
    notices,
    script,
    events,
    kept,
    whispered,
    owned,
    press,
    stand: () => {
      stands = true;
    },
    changes: () => kept.flatMap((entry) => (entry.kind === 'change' ? [entry.change] : [])),
    over: () => eventually(() => events.length > 0),
  };
}

test('who hears every sentence is told, with the proof and the times of each', async () => {
  const { over, events, kept, whispered, script, owned } = stage();
  await over();
  expect(events).toMatchObject([{ type: 'newcomerTold', channel: newcomer, told: { finishedAt: 12_000 } }]);
  expect(whispered).toEqual(script.sentences);
  expect(owned).toEqual([newcomer, ...script.sentences.map(({ playbackId }) => playbackId)]);
  expect(kept).toMatchObject([
    { kind: 'said', startedAt: 10_000, finishedAt: 11_000 },
    { kind: 'said', startedAt: 11_000, finishedAt: 12_000 },
    { kind: 'change', change: 'newcomerTold', at: 12_000 },
  ]);
});

test.each<[string, Trouble]>([
  ['to whom too few packets went while it played', { packets: 16 }],
  ['to whom less than 95 of 100 parts of the sound went, in packets enough', { packets: 17, bytes: 7_599 }],
  ['who heard too little of a sentence by our own clock', { sinceAskedMs: 949 }],
  ['of whose channel nobody knows whether packets went', { isWithoutRtp: true }],
  ['who had put us on hold', { isOnHold: true }],
  ['whose prompts are not there', { isMissing: true }],
  ['who heard less than 95 of 100 parts of a sentence', { playedMs: 949 }],
])('who is not told: %s', async (_, trouble) => {
  const { over, events, changes } = stage(trouble);
  await over();
  expect(events).toEqual([{ type: 'newcomerUntold', channel: newcomer }]);
  expect(changes()).toEqual(['newcomerUntold']);
});

test('who was sent 95 of 100 parts of each sentence is told, however few packets that is', async () => {
  const { over, events } = stage({ packets: 1, bytes: 7_600 });
  await over();
  expect(events).toMatchObject([{ type: 'newcomerTold' }]);
});

test('nothing is said to a Local/ channel, behind which nobody may be yet', async () => {
  const { notices, whispered, owned, events } = stage({ isLocal: true });
  await new Promise((resolve) => setImmediate(resolve));
  notices.keep([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect({ whispered, owned, events }).toEqual({ whispered: [], owned: [], events: [] });
});

test('who puts us on hold while it plays is not told', async () => {
  const { notices, stand, whispered, over, events } = stage();
  stand();
  await eventually(() => whispered.length > 0);
  notices.take({ type: 'channelHeld', channelId: newcomer, at: 10_500 });
  await over();
  expect(events).toEqual([{ type: 'newcomerUntold', channel: newcomer }]);
});

test('nothing is told of who leaves: they need not be told any more', async () => {
  const { notices, stand, whispered, events, kept } = stage();
  stand();
  await eventually(() => whispered.length > 0);
  notices.keep([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(events).toEqual([]);
  expect(kept).toEqual([]);
});

describe('a newcomer who is asked', () => {
  test('is told where they hear the key of refusal and do not press it', async () => {
    const { over, events } = stage({ mode: 'optOut' });
    await over();
    expect(events.map(({ type }) => type)).toEqual(['newcomerTold']);
  });

  test('is not recorded once they press it', async () => {
    const { stand, whispered, press, over, events, changes } = stage({ mode: 'optOut' });
    stand();
    await eventually(() => whispered.length > 0);
    press(keys.refuse);
    await over();
    expect(events).toEqual([{ type: 'newcomerUntold', channel: newcomer }]);
    expect(changes()).toEqual(['newcomerRefused']);
  });

  test('is recorded only after a yes to the question', async () => {
    const { whispered, script, press, events, over } = stage({ mode: 'optIn' });
    // Before the question nobody is asked.
    press(keys.accept);
    await eventually(() => whispered.length === script.sentences.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(events).toEqual([]);
    press(keys.accept);
    await over();
    expect(events.map(({ type }) => type)).toEqual(['newcomerTold']);
  });

  test('hears no second language once they have said yes in the first', async () => {
    const { whispered, events, over } = stage({ mode: 'optIn', languages: ['fr', 'nl'], yesIn: 2 });
    await over();
    expect(events.map(({ type }) => type)).toEqual(['newcomerTold']);
    expect(whispered.map(({ prompt }) => prompt.language)).toEqual(['fr', 'fr', 'fr']);
  });
});

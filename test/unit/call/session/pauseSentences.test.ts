import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { TalkWord } from '../../../../src/call/decide/order.ts';
import type { Sentence } from '../../../../src/call/decide/sentence.ts';
import { PauseSentences } from '../../../../src/call/session/pauseSentences.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { PlaybackId } from '../../../../src/core/ids.ts';
import { aFollowed, aScript, countingIds, someFacts } from '../../../support/call/calls.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';

const bridged = someFacts(countingIds(), { languages: ['fr', 'nl'] });
const followed = aFollowed();
const script = aScript(countingIds());

/** What is said ends at once, unless Asterisk tells of no end. */
function stage({ refuses = false, isMute = false, hasWords = true, knowsTime = true, begun = Promise.resolve() } = {}) {
  const events: CallEvent[] = [];
  const kept: TimelineEntry[] = [];
  const asked: string[] = [];
  let count = 0;
  const words = (languages: readonly string[]): Sentence[] =>
    languages.flatMap((language) => {
      const [first] = script.sentences;
      if (first === undefined) return [];
      count += 1;
      const prompt = { ...first.prompt, language, kind: 'paused' as const, lengthMs: 10 };
      return [{ prompt, playbackId: `said-${count}` as PlaybackId }];
    });
  const play = (what: string, playbackId: PlaybackId): Promise<void> => {
    asked.push(what);
    if (refuses) return Promise.reject(new PreavisError('ari_not_found', 'gone'));
    setImmediate(() => {
      if (isMute) return;
      sentences.take({ type: 'playbackStarted', playbackId, at: 1_000 });
      sentences.take({ type: 'playbackFinished', playbackId, at: 2_000 + count, outcome: 'done' });
    });
    return begun;
  };
  const sentences: PauseSentences = new PauseSentences({
    ari: {
      playToBridge: (_, playbackId, __, language) => play(`both ${language}`, playbackId),
      time: () => (knowsTime ? Promise.resolve(9_000) : Promise.reject(new PreavisError('ari_unreachable', 'away'))),
    },
    snoops: {
      whisper: (channel, { playbackId }) => play(`whisper ${channel}`, playbackId),
      whispered: () => Promise.resolve(),
    },
    pauseWords: (_, languages) => (hasWords ? words(languages) : []),
    owns: () => undefined,
    handle: (event) => {
      events.push(event);
    },
    note: (entry) => {
      kept.push(entry);
    },
    log: collectingLog().log,
  });
  const say = async (facts: typeof bridged, word: TalkWord = 'paused'): Promise<CallEvent | undefined> => {
    void sentences.say(word, facts.order, facts.callerChannel);
    await eventually(() => events.length > 0);
    return events[0];
  };

  return { sentences, events, kept, asked, say };
}

test('in a bridge of ours both hear it at once, one language after the other', async () => {
  const { say, asked, kept } = stage();
  expect(await say(bridged)).toEqual({ type: 'pauseSaid', word: 'paused', at: 2_002 });
  expect(asked).toEqual(['both fr', 'both nl']);
  expect(kept).toMatchObject([
    { kind: 'said', startedAt: 1_000 },
    { kind: 'said', startedAt: 1_000 },
  ]);
});

test('in another bridge each hears it alone', async () => {
  const { say, asked } = stage();
  expect(await say(followed)).toMatchObject({ type: 'pauseSaid' });
  const told = [followed.callerChannel, followed.order.destination].map((channel) => `whisper ${channel}`);
  expect(asked.slice(0, 2)).toEqual(told);
});

test.each([
  ['Asterisk refuses', { refuses: true }],
  ['there is no such sentence', { hasWords: false }],
  ['its end is not told', { isMute: true }],
])('where %s, what follows is told all the same, with the time of Asterisk', async (_, trouble) => {
  expect(await stage(trouble).say(followed)).toEqual({ type: 'pauseSaid', word: 'paused', at: 9_000 });
});

test('without the time of Asterisk it is told without one', async () => {
  const { say } = stage({ refuses: true, knowsTime: false });
  expect(await say(bridged)).toEqual({ type: 'pauseSaid', word: 'paused', at: undefined });
});

test('a call that is left to another process hears nothing more', async () => {
  const { sentences, events } = stage({ isMute: true });
  void sentences.say('paused', bridged.order, bridged.callerChannel);
  sentences.stop();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(events).toEqual([]);
});

test('that something is erased is told to both, and that it was', async () => {
  const { say, asked, kept } = stage();
  expect(await say(followed, 'erased')).toEqual({ type: 'eraseSaid' });
  expect(asked).toHaveLength(2);
  expect(kept).toHaveLength(2);
});

test('what follows a sentence waits until Asterisk has begun it, and not for its end', async () => {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const { sentences, events } = stage({ isMute: true, begun });
  let goesOn = false;
  const said = sentences.say('erased', bridged.order, bridged.callerChannel).then(() => {
    goesOn = true;
  });
  await new Promise(setImmediate);
  expect(goesOn).toBe(false);
  begin();
  await said;
  expect(events).toEqual([]);
  sentences.stop();
});

test.each([
  ['Asterisk refuses it', { refuses: true }],
  ['there is none', { hasWords: false }],
  ['Asterisk does not answer', { begun: new Promise<void>(() => undefined) }],
])('where %s, what follows a sentence is done all the same', async (_, trouble) => {
  const { sentences } = stage({ isMute: true, ...trouble });
  await sentences.say('erased', bridged.order, bridged.callerChannel);
  sentences.stop();
});

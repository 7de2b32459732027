import type { CelLine } from '../../../src/receipt/celLine.ts';
import { compareCall, logsSounds, toleranceMs } from '../../../src/receipt/witness.ts';

const start = Date.UTC(2026, 10, 25, 3);
const channel = '1795576835.0';

type Sentence = Parameters<typeof compareCall>[0][number];
const sha = (letter: string): string => letter.repeat(64);
const soundOf = ({ prompt, sha256 }: Sentence): string => `preavis/${prompt}-${sha256.slice(0, 12)}`;

function sentence(over: Partial<Sentence> = {}): Sentence {
  return {
    prompt: 'notice-training',
    sha256: sha('a'),
    language: 'fr',
    startedAt: start,
    finishedAt: start + 3_345,
    ...over,
  };
}
const first = sentence();
const second = sentence({
  prompt: 'keep-training',
  sha256: sha('b'),
  startedAt: start + 3_350,
  finishedAt: start + 6_500,
});

const began = (at: number, of: Sentence, over: { sound?: string; language?: string | undefined } = {}): CelLine => ({
  event: 'begin',
  at,
  channel,
  sound: soundOf(of),
  language: 'fr',
  ...over,
});
const music = (at: number): CelLine => ({ event: 'begin', at, channel, sound: undefined, language: undefined });
const ended = (at: number): CelLine => ({ event: 'end', at, channel });
/** As Asterisk logs them. */
const truth: CelLine[] = [
  began(start + 1, first),
  ended(start + 3_345),
  began(start + 3_351, second),
  ended(start + 6_500),
];

const statusOf = (sentences: Sentence[], lines: CelLine[]): unknown[] => {
  const { status, sentences: said } = compareCall(sentences, lines);

  return [status, ...said.map((each) => each.status)];
};

describe('a call that the second witness saw', () => {
  test('agrees with sentence and times, and the times are kept', () => {
    expect(compareCall([first, second], truth)).toEqual({
      status: 'agrees',
      sentences: [
        { status: 'agrees', beganAt: start + 1, endedAt: start + 3_345 },
        { status: 'agrees', beganAt: start + 3_351, endedAt: start + 6_500 },
      ],
    });
  });

  test.each([-toleranceMs, toleranceMs])('agrees when a time differs by the tolerance (%d ms)', (ms) => {
    expect(statusOf([first], [began(start + ms, first), ended(start + 3_345 + ms)])).toEqual(['agrees', 'agrees']);
  });

  test.each([-toleranceMs - 1, toleranceMs + 1])('disagrees when the begin differs by more (%d ms)', (ms) => {
    expect(statusOf([first], [began(start + ms, first), ended(start + 3_345)])).toEqual(['disagrees', 'disagrees']);
  });

  test.each([-toleranceMs - 1, toleranceMs + 1])('disagrees when the end differs by more (%d ms)', (ms) => {
    expect(compareCall([first], [began(start, first), ended(start + 3_345 + ms)]).sentences).toEqual([
      { status: 'disagrees', beganAt: start, endedAt: start + 3_345 + ms },
    ]);
  });

  test('disagrees when another sound was played in the place of a sentence: another version, another language', () => {
    const other = sentence({ sha256: sha('c') });
    expect(statusOf([first, second], [began(start, other), ...truth.slice(1)])).toEqual([
      'disagrees',
      'disagrees',
      'agrees',
    ]);
    expect(statusOf([first], [music(start), ended(start + 3_345)])).toEqual(['disagrees', 'disagrees']);
  });

  test('disagrees when the sound was asked for in another language, and does not mind when it says none', () => {
    const lines = (language: string | undefined): CelLine[] => [
      began(start, first, { language }),
      ended(start + 3_345),
    ];
    expect(statusOf([first], lines('en'))).toEqual(['disagrees', 'disagrees']);
    expect(statusOf([first], lines(undefined))).toEqual(['agrees', 'agrees']);
  });

  test('misses a sentence without a line, and one whose end has none', () => {
    expect(compareCall([first, second], truth.slice(2))).toMatchObject({
      status: 'missing',
      sentences: [{ status: 'missing', beganAt: null, endedAt: null }, { status: 'agrees' }],
    });
    expect(compareCall([first], [began(start, first)])).toEqual({
      status: 'missing',
      sentences: [{ status: 'missing', beganAt: start, endedAt: null }],
    });
    expect(statusOf([first], [])).toEqual(['missing', 'missing']);
  });

  test('is as its worst sentence', () => {
    const lines = [...truth.slice(0, 2), ended(start + 6_500)];
    expect(statusOf([first, second], lines)).toEqual(['missing', 'agrees', 'missing']);
    const late = sentence({ prompt: 'late', startedAt: start + 7_000, finishedAt: start + 8_000 });
    expect(statusOf([first, second, late], [...lines, began(start + 7_500, late), ended(start + 8_000)])).toEqual([
      'disagrees',
      'agrees',
      'missing',
      'disagrees',
    ]);
  });

  test('has no witness when nothing was played', () => {
    expect(compareCall([], truth)).toEqual({ status: 'unavailable', sentences: [] });
  });
});

describe('an unusual course', () => {
  test('a caller who hangs up: the begin is compared, the end is what the witness knows', () => {
    const cut = sentence({ finishedAt: null });
    expect(compareCall([cut], [began(start, first), ended(start + 700)])).toEqual({
      status: 'agrees',
      sentences: [{ status: 'agrees', beganAt: start, endedAt: start + 700 }],
    });
    expect(statusOf([cut], [began(start, first)])).toEqual(['agrees', 'agrees']);
    expect(statusOf([cut], [])).toEqual(['missing', 'missing']);
    expect(statusOf([cut], [began(start + 500, first)])).toEqual(['disagrees', 'disagrees']);
  });

  test('a sound that Asterisk does not have: ARI saw it fail at once, CEL saw nothing', () => {
    expect(statusOf([sentence({ finishedAt: start + 3 })], [])).toEqual(['agrees', 'agrees']);
  });

  test('a sentence of which ARI saw no begin: there is nothing to contradict', () => {
    expect(statusOf([sentence({ startedAt: null, finishedAt: null })], [])).toEqual(['agrees', 'agrees']);
  });

  test('a sentence that was paused has several stretches, and ends with the last', () => {
    const lines = [began(start, first), ended(start + 500), began(start + 1_000, first), ended(start + 3_845)];
    expect(compareCall([sentence({ finishedAt: start + 3_845 })], lines).sentences).toEqual([
      { status: 'agrees', beganAt: start, endedAt: start + 3_845 },
    ]);
  });

  test('the same sentence twice on one channel: each is compared with its own lines', () => {
    const again = sentence({ startedAt: start + 10_000, finishedAt: start + 13_345 });
    const lines = [...truth, began(start + 10_000, first), ended(start + 13_345)];
    expect(statusOf([first, second, again], lines)).toEqual(['agrees', 'agrees', 'agrees', 'agrees']);
    expect(statusOf([again], truth)).toEqual(['disagrees', 'disagrees']);
    const soon = sentence({ startedAt: start + 3_400, finishedAt: start + 6_745 });
    const inARow = [...truth.slice(0, 2), began(start + 3_400, first), ended(start + 6_745)];
    expect(statusOf([first, soon], inARow)).toEqual(['agrees', 'agrees', 'agrees']);
  });

  test('ends without a begin, doubled lines and unknown sounds in between change nothing', () => {
    const doubled = truth.flatMap((line) => [line, line]);
    const lines = [
      ended(start - 20),
      ...doubled,
      began(start + 9_000, first, { sound: 'beep' }),
      ended(start + 9_100),
      music(start + 9_200),
    ];
    expect(statusOf([first, second], lines)).toEqual(['agrees', 'agrees', 'agrees']);
  });
});

describe('an Asterisk', () => {
  test.each(['20.16.0', '20.17.1', '21.11.0', '22.6.0', '22.10.1+dfsg+~cs6.17.60671434-1', '23.0.0', '24.1.2'])(
    '%s logs sounds',
    (version) => {
      expect(logsSounds(version)).toBe(true);
    },
  );

  test.each(['16.28.0~dfsg-0+deb11u4', '18.26.4', '19.8.1', '20.15.2', '21.10.2', '22.5.2', 'certified-20.7-cert9'])(
    '%s does not',
    (version) => {
      expect(logsSounds(version)).toBe(false);
    },
  );

  test('of the certified branch and one that somebody built from git are told by what they say', () => {
    expect(logsSounds('certified-22.8-cert1')).toBe(true);
    expect(logsSounds('GIT-master-8a3c1f9e2d')).toBe(true);
  });
});

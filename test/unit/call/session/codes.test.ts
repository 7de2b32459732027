import type { AriEvent } from '../../../../src/ari/events.ts';
import type { CallState, In } from '../../../../src/call/decide/state.ts';
import { Codes } from '../../../../src/call/session/codes.ts';
import { codesOf, type LineCodes, type Presser } from '../../../../src/config/codes.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';

const talking = stateAt('talking', someFacts(countingIds())) as In<'talking'>;
const { callerChannel, order } = talking.facts;
const agent = order?.destination ?? callerChannel;

const readerOf = (codes: NonNullable<LineCodes['codes']>, mayErase = true): Codes =>
  new Codes(() => ({ codes: codesOf({ codes }), mayErase, pauseSeconds: undefined }));

function codesWith(
  { pause = '*1', resume, pressedBy = 'agent' }: { pause?: string; resume?: string; pressedBy?: Presser } = {},
  pauseSeconds?: number,
): Codes {
  return new Codes(() => ({ codes: codesOf({ codes: { pause, resume, pressedBy } }), mayErase: true, pauseSeconds }));
}

const key = (digit: string, at: number, channelId: ChannelId = agent, durationMs = 100): AriEvent => ({
  type: 'digit',
  channelId,
  digit,
  at,
  durationMs,
});

test('a code asks for a pause from the moment when its first key was pressed', () => {
  const codes = codesWith({}, 60);
  expect(codes.read(key('*', 1_000), talking)).toBeUndefined();
  expect(codes.read(key('1', 2_000), talking)).toEqual({
    type: 'pauseAsked',
    by: 'destination',
    at: 2_000,
    since: 900,
    until: 62_000,
  });
});

test('other keys before a code are not of it', () => {
  const codes = codesWith();
  for (const [index, digit] of ['1', '2', '3', '4', '5', '6', '7', '*'].entries())
    codes.read(key(digit, index * 100), talking);
  expect(codes.read(key('1', 900), talking)).toMatchObject({ type: 'pauseAsked', since: 600, until: undefined });
});

test('keys that are more than five seconds apart are no code', () => {
  const codes = codesWith();
  codes.read(key('*', 1_000), talking);
  expect(codes.read(key('1', 6_001), talking)).toBeUndefined();
});

test.each<[Presser, boolean, boolean]>([
  ['agent', false, true],
  ['caller', true, false],
  ['both', true, true],
])(
  'of a line whose codes are pressed by %s, the keys of the caller count: %s, of the agent: %s',
  (by, caller, called) => {
    const isRead = (channel: ChannelId): boolean => {
      const codes = codesWith({ pressedBy: by });
      codes.read(key('*', 1_000, channel), talking);
      return codes.read(key('1', 1_100, channel), talking) !== undefined;
    };
    expect([isRead(callerChannel), isRead(agent)]).toEqual([caller, called]);
  },
);

test('the keys of the two sides are not one code, nor are those of somebody else', () => {
  const codes = codesWith({ pressedBy: 'both' });
  codes.read(key('*', 1_000, callerChannel), talking);
  expect(codes.read(key('1', 1_100, agent), talking)).toBeUndefined();
  const stranger = 'stranger' as ChannelId;
  codes.read(key('*', 1_200, stranger), talking);
  expect(codes.read(key('1', 1_300, stranger), talking)).toBeUndefined();
});

test('one code for both lets it go on where it is paused, and pauses again where its end was asked for', () => {
  const codes = codesWith();
  const press = (state: CallState): string | undefined => {
    codes.read(key('*', 1_000), state);
    return codes.read(key('1', 1_100), state)?.type;
  };
  const paused = { since: 1, by: 'destination', until: undefined } as const;
  expect(press(talking)).toBe('pauseAsked');
  expect(press({ ...talking, paused })).toBe('resumeAsked');
  expect(press({ ...talking, paused: { ...paused, endsBy: 'destination' } })).toBe('pauseAsked');
});

test('a program asks as an operator does', () => {
  const asked = { type: 'userEvent', at: 5_000, channel: undefined, call: talking.facts.id } as const;
  const codes = codesWith();
  expect(codes.read({ ...asked, task: 'pause' }, talking)).toMatchObject({ by: 'operator', at: 5_000, since: 5_000 });
  expect(codes.read({ ...asked, task: 'resume' }, talking)).toEqual({ type: 'resumeAsked', by: 'operator', at: 5_000 });
});

describe('the other codes of a line', () => {
  const line = {
    erase: '*4',
    record: '*5',
    agreement: { code: '*6', purpose: 'agreement' },
    exemplary: '*7',
    pressedBy: 'both',
  } as const;

  test.each([
    ['*4', { type: 'eraseAsked' }],
    ['*5', { type: 'recordAsked' }],
    ['*6', { type: 'markAsked', mark: 'agreement' }],
    ['*7', { type: 'markAsked', mark: 'exemplary' }],
  ])('%s asks for what it is for, and says who pressed it', (keys, asked) => {
    for (const [channel, by] of [
      [agent, 'destination'],
      [callerChannel, 'caller'],
    ] as const) {
      const codes = readerOf(line);
      const read = Array.from(keys, (digit, index) => codes.read(key(digit, 1_000 + index, channel), talking));
      expect(read.at(-1)).toEqual({ ...asked, by, at: 1_001 });
    }
  });

  test('erase nothing of a call that the law wants recorded, whoever asks', () => {
    const codes = readerOf(line, false);
    codes.read(key('*', 1_000), talking);
    expect(codes.read(key('4', 1_100), talking)).toBeUndefined();
    const asked = { type: 'userEvent', at: 5_000, channel: undefined, call: talking.facts.id, task: 'erase' } as const;
    expect(codes.read(asked, talking)).toBeUndefined();
  });

  test('are asked for by programs as well', () => {
    const asked = { type: 'userEvent', at: 5_000, channel: undefined, call: talking.facts.id } as const;
    const codes = readerOf(line);
    expect(codes.read({ ...asked, task: 'erase' }, talking)).toEqual({ type: 'eraseAsked', by: 'operator', at: 5_000 });
    expect(codes.read({ ...asked, task: 'record' }, talking)).toMatchObject({ type: 'recordAsked', by: 'operator' });
    expect(codes.read({ ...asked, task: 'exemplary' }, talking)).toMatchObject({ mark: 'exemplary', by: 'operator' });
  });

  test('of a pause are none of its end while nobody has asked for the recording', () => {
    const codes = codesWith();
    const waiting: CallState = { ...talking, paused: { since: 1, by: 'line', until: undefined } };
    codes.read(key('*', 1_000), waiting);
    expect(codes.read(key('1', 1_100), waiting)).toMatchObject({ type: 'pauseAsked' });
  });
});

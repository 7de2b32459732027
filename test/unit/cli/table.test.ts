import stringWidth from 'string-width';
import { table, tableWidth, wrapped } from '../../../src/cli/table.ts';

const id = '01K3W5XJ9M7Q2Z8B4N6T0RYHVC';
const longest = (text: string): number => Math.max(...text.split('\n').map(({ length }) => length));

test('a table that fits is as wide as its cells', () => {
  expect(table(['A', 'LONG'], [['one', 'x']])).toBe('A    LONG\none  x');
});

test('a table that does not fit goes on in the next line of its widest cells, and loses nothing', () => {
  const words = 'a reason that somebody has written at some length, since nobody could know it otherwise';
  const text = table(['ID', 'OTHER', 'REASON', 'PURPOSE'], [[id, id, words, 'training+agreement']]);
  expect(longest(text)).toBeLessThanOrEqual(tableWidth);
  expect(text.match(new RegExp(id, 'g'))).toHaveLength(2);
  for (const word of words.split(' ')) expect(text).toContain(word);
  expect(text.split('\n')[1]).toMatch(new RegExp(`^${id}  ${id}  a reason`));
});

test('a time is kept whole before anything else is broken', () => {
  const time = '2026-08-24 10:00:00';
  const text = table(
    ['ID', 'STARTED +02:00', 'PURPOSE', 'RESULT'],
    [[id, time, 'training+agreement', 'unrecorded: a_reason_of_some_length and more of it']],
  );
  expect(text).toContain(`${id}  ${time}  training`);
  expect(longest(text)).toBeLessThanOrEqual(tableWidth);
});

test('no id is broken, whatever else there is', () => {
  const text = table(['A', 'B', 'C', 'D'], [[id, id, id, 'x'.repeat(300)]]);
  expect(text.match(new RegExp(id, 'g'))).toHaveLength(3);
  expect(longest(text)).toBeLessThanOrEqual(tableWidth);
});

test('what stands below a row has the whole width', () => {
  const text = table(['A'], [['one'], ['two']], ['word '.repeat(40).trim(), '']);
  expect(text.split('\n')).toEqual([
    'A',
    'one',
    expect.stringMatching(/^ {2}word/),
    expect.any(String),
    expect.any(String),
    'two',
  ]);
  expect(longest(text)).toBeLessThanOrEqual(tableWidth);
});

test.each([
  ['at a space', 'one two', 4, ['one', 'two']],
  ['behind a sign that joins', 'training+agreement', 10, ['training+', 'agreement']],
  ['anywhere, where nothing else does', 'abcdefgh', 3, ['abc', 'def', 'gh']],
  ['never where it fits', 'one two', 7, ['one two']],
  ['of nothing as one empty line', '', 5, ['']],
])('a text is broken %s', (_, text, width, lines) => {
  expect(wrapped(text, width)).toEqual(lines);
});

test('signs of two columns count as two, and no sign is cut', () => {
  const columns = (text: string): number => Math.max(...text.split('\n').map((line) => stringWidth(line)));
  const japanese = '録音を消さないでください'.repeat(20);
  const emoji = `x${'😀👩‍👩‍👧'.repeat(60)}`;
  for (const reason of [japanese, emoji]) {
    const text = table(['ID', 'REASON'], [[id, reason]], [reason]);
    expect(columns(text)).toBeLessThanOrEqual(tableWidth);
    expect(Buffer.from(text).toString()).toBe(text);
    expect(wrapped(reason, 33).join('')).toBe(reason);
    expect(wrapped(reason, 33).every((line) => reason.includes(line))).toBe(true);
  }
  expect(
    table(
      ['A', 'B'],
      [
        ['録音', 'x'],
        ['one', 'y'],
      ],
    ).split('\n'),
  ).toEqual(['A     B', '録音  x', 'one   y']);
});

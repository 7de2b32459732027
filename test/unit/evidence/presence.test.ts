import type { CelLine } from '../../../src/evidence/celLine.ts';
import { presenceIn } from '../../../src/evidence/presence.ts';

const interval = { from: 20_000, to: 30_000, parties: ['caller', 'destination'] };
const line = (event: 'enter' | 'leave', at: number, channel: string): CelLine => ({
  event,
  at,
  channel,
  bridge: 'bridge',
});
const stays = (channel: string, from: number, to: number): CelLine[] => [
  line('enter', from, channel),
  line('leave', to, channel),
];
const inOrder = (...lines: CelLine[][]): CelLine[] => lines.flat().sort((one, other) => one.at - other.at);
const both = [stays('caller', 1_000, 60_000), stays('destination', 1_100, 60_010)];

describe('who was in a bridge while nobody listened', () => {
  it('is only who was told, where the lines show the whole', () => {
    expect(presenceIn(interval, inOrder(...both), 'told')).toBe('onlyTold');
  });

  it('may have come in then', () => {
    const later = inOrder(stays('caller', 1_000, 60_000), stays('destination', 21_000, 60_000));
    expect(presenceIn(interval, later, 'told')).toBe('onlyTold');
  });

  it('may also have been out of it for a while', () => {
    const away = [stays('caller', 1_000, 22_000), stays('caller', 25_000, 60_000), both[1] ?? []];
    expect(presenceIn(interval, inOrder(...away), 'told')).toBe('onlyTold');
  });

  it.each([
    ['in the middle', 22_000, 23_000],
    ['from before until its beginning', 5_000, 20_000],
    ['from its end on', 30_000, 40_000],
    ['all the time', 5_000, 40_000],
  ])('is others as well, %s', (_, from, to) => {
    expect(presenceIn(interval, inOrder(...both, stays('stranger', from, to)), 'told')).toBe('others');
  });

  it('is only who was told, where others came and left before, or came after', () => {
    const others = [stays('early', 5_000, 19_000), stays('late', 31_000, 40_000)];
    expect(presenceIn(interval, inOrder(...both, ...others), 'told')).toBe('onlyTold');
  });

  it('is others, where they came after an interval whose end is not known', () => {
    expect(presenceIn({ ...interval, to: null }, inOrder(...both, stays('late', 31_000, 40_000)), 'told')).toBe(
      'others',
    );
  });

  it('is known where nobody was seen to leave, since Asterisk died', () => {
    const open = [line('enter', 1_000, 'caller'), line('enter', 1_100, 'destination')];
    expect(presenceIn({ ...interval, to: null }, open, 'untold')).toBe('onlyTold');
    const joined = [...open, line('enter', 22_000, 'stranger')];
    expect(presenceIn({ ...interval, to: null }, joined, 'untold')).toBe('others');
  });

  it.each<[string, CelLine[]]>([
    ['there is none', []],
    ['a party is missing', inOrder(stays('caller', 1_000, 60_000))],
    ['somebody has not left', [...inOrder(...both), line('enter', 70_000, 'stranger')]],
    ['somebody left who had not come', inOrder(...both, [line('leave', 25_000, 'stranger')])],
    ['somebody came twice', inOrder(...both, [line('enter', 25_000, 'caller')])],
  ])('is not known where a line is missing: %s', (_, lines) => {
    expect(presenceIn(interval, lines, 'told')).toBe('incomplete');
  });
});

import type { BridgeLine, CelLine } from '../../../../src/receipt/celLine.ts';
import { presenceIn, type Circumstances } from '../../../../src/archive/finish/presence.ts';

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

/** The recorder ended at 50 s, its file was closed, and CEL was written, and read, until after the call. */
const told: Circumstances = {
  knownTo: Number.POSITIVE_INFINITY,
  aliveTo: 90_000,
  recorderEnd: 50_000,
  header: 'intact',
};
const died: Circumstances = { ...told, header: 'unfinished' };

describe('who was in a bridge while nobody listened', () => {
  it('is only who was told, where the lines show the whole', () => {
    expect(presenceIn(interval, inOrder(...both), told)).toBe('onlyTold');
  });

  it('may have come in then', () => {
    const later = inOrder(stays('caller', 1_000, 60_000), stays('destination', 21_000, 60_000));
    expect(presenceIn(interval, later, told)).toBe('onlyTold');
  });

  it('may also have been out of it for a while', () => {
    const away = [stays('caller', 1_000, 22_000), stays('caller', 25_000, 60_000), both[1] ?? []];
    expect(presenceIn(interval, inOrder(...away), told)).toBe('onlyTold');
  });

  it.each([
    ['in the middle', 22_000, 23_000],
    ['from before until its beginning', 5_000, 20_000],
    ['from its end on', 30_000, 40_000],
    ['all the time', 5_000, 40_000],
  ])('is others as well, %s', (_, from, to) => {
    expect(presenceIn(interval, inOrder(...both, stays('stranger', from, to)), told)).toBe('others');
  });

  it('is only who was told, where others came and left before, or came after', () => {
    const others = [stays('early', 5_000, 19_000), stays('late', 31_000, 40_000)];
    expect(presenceIn(interval, inOrder(...both, ...others), told)).toBe('onlyTold');
  });

  it('is others, where they came after an interval whose end is not known', () => {
    expect(presenceIn({ ...interval, to: null }, inOrder(...both, stays('late', 31_000, 40_000)), told)).toBe('others');
  });

  it('is known where nobody was seen to leave, since Asterisk died', () => {
    const open = [line('enter', 1_000, 'caller'), line('enter', 1_100, 'destination')];
    expect(presenceIn({ ...interval, to: null }, open, died)).toBe('onlyTold');
    const joined = [...open, line('enter', 22_000, 'stranger')];
    expect(presenceIn({ ...interval, to: null }, joined, died)).toBe('others');
  });

  it.each<[string, Circumstances, number | null]>([
    ['Asterisk has closed the file, so that it went on', told, null],
    ['no line is from after the end of the recorder', { ...died, aliveTo: 50_000 }, null],
    ['no line is from after the interval', { ...died, aliveTo: 30_000 }, 30_000],
    ['there is no line at all', { ...died, aliveTo: Number.NEGATIVE_INFINITY }, 30_000],
  ])('is not known where nobody was seen to leave, and %s: CEL may have stopped', (_, circumstances, to) => {
    const open = [line('enter', 1_000, 'caller'), line('enter', 1_100, 'destination')];
    expect(presenceIn({ ...interval, to }, open, circumstances)).toBe('incomplete');
  });

  it('is not known where lines from before its end were left out', () => {
    expect(presenceIn(interval, inOrder(...both), { ...told, knownTo: 29_999 })).toBe('incomplete');
    expect(presenceIn(interval, inOrder(...both), { ...told, knownTo: 30_000 })).toBe('onlyTold');
    expect(presenceIn({ ...interval, to: null }, inOrder(...both), { ...told, knownTo: 49_999 })).toBe('incomplete');
  });

  it.each<[string, CelLine[]]>([
    ['there is none', []],
    ['a party is missing', inOrder(stays('caller', 1_000, 60_000))],
    ['somebody has not left', [...inOrder(...both), line('enter', 70_000, 'stranger')]],
    ['somebody left who had not come', inOrder(...both, [line('leave', 25_000, 'stranger')])],
    ['somebody came twice', inOrder(...both, [line('enter', 25_000, 'caller')])],
  ])('is not known where a line is missing: %s', (_, lines) => {
    expect(presenceIn(interval, lines, told)).toBe('incomplete');
  });

  describe('of a followed call, whose caller is recorded wherever they are,', () => {
    const elsewhere = (from: number, to: number): BridgeLine[] => [
      { event: 'enter', at: from, channel: 'caller', bridge: 'another' },
      { event: 'leave', at: to, channel: 'caller', bridge: 'another' },
    ];
    const here = stays('caller', 1_000, 60_000).filter((each) => 'bridge' in each);
    const moves = (...lines: BridgeLine[]) => ({ bridge: 'bridge', lines: [...here, ...lines] });

    it('is only who was told, where they stayed, or moved before or after', () => {
      const quiet = moves(...elsewhere(500, 900), ...elsewhere(61_000, 70_000));
      expect(presenceIn(interval, inOrder(...both), told, quiet)).toBe('onlyTold');
    });

    it('is others as well, where they were in another bridge meanwhile', () => {
      expect(presenceIn(interval, inOrder(...both), told, moves(...elsewhere(22_000, 24_000)))).toBe('others');
    });

    it('is others, where they came into another bridge after an interval whose end is not known', () => {
      const later = moves(...elsewhere(40_000, 50_000));
      expect(presenceIn({ ...interval, to: null }, inOrder(...both), told, later)).toBe('others');
    });

    it('is not known, where it is not told that they left another bridge', () => {
      const [came] = elsewhere(2_000, 3_000);
      const open = moves(...(came === undefined ? [] : [came]));
      expect(presenceIn(interval, inOrder(...both), told, open)).toBe('incomplete');
    });
  });
});

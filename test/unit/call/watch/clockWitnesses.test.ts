import {
  clockAhead,
  doubtfulBeyondMs,
  flaggedBeyondMs,
  judgeClocks,
  type Witnesses,
} from '../../../../src/call/watch/clockWitnesses.ts';
import { dayMs } from '../../../../src/core/clock.ts';

const end = Date.UTC(2026, 7, 24, 10);
const start = end - 60_000;
const arrived = end - 90_000;
const off = 60 * dayMs;

/** What all say where every clock is right; the file was finished a second after the end. */
const right: Witnesses = {
  events: end,
  heard: end + 20,
  file: end + 10,
  monotonic: end + 20,
  kept: undefined,
  id: arrived + 5,
  audit: start + 30,
  arrival: { asterisk: arrived, ours: arrived + 2 },
  startedAt: start,
  lineBefore: arrived - 3_600_000,
  lineAfter: end + 1_000,
};
const nothing: Witnesses = {
  events: undefined,
  heard: undefined,
  file: undefined,
  monotonic: undefined,
  kept: undefined,
  id: undefined,
  audit: undefined,
  arrival: undefined,
  startedAt: undefined,
  lineBefore: undefined,
  lineAfter: end + 1_000,
};

const byAsterisk = (by: number): Partial<Witnesses> => ({
  events: end + by,
  startedAt: start + by,
  arrival: { asterisk: arrived + by, ours: arrived },
});
const byUs = (by: number): Partial<Witnesses> => ({
  heard: end + by,
  monotonic: end + by,
  id: arrived + by,
  audit: start + by,
  lineAfter: end + 1_000 + by,
  arrival: { asterisk: arrived, ours: arrived + by },
});

describe('clocks that agree', () => {
  test('leave the end to the event of Asterisk', () => {
    expect(judgeClocks(right)).toMatchObject({ kind: 'agree', endedAt: end, by: 'events' });
  });

  test('may be a minute apart', () => {
    const late = { ...right, heard: end + flaggedBeyondMs };
    expect(judgeClocks({ ...late, lineAfter: end + dayMs })).toMatchObject({ kind: 'agree', endedAt: end });
    expect(judgeClocks({ ...late, heard: end + flaggedBeyondMs + 1, lineAfter: end + dayMs })).toMatchObject({
      kind: 'differ',
      endedAt: end + flaggedBeyondMs + 1,
      by: 'heard',
      apartMs: flaggedBeyondMs + 1,
    });
  });

  test('may be ten minutes apart before a human is asked', () => {
    const by = (ms: number) => judgeClocks({ ...right, file: end + ms, lineAfter: end + dayMs }).kind;
    expect(by(doubtfulBeyondMs)).toBe('differ');
    expect(by(doubtfulBeyondMs + 1)).toBe('doubtful');
  });

  test('are not made to differ by a line that was written late, a long talk or a quiet catalogue', () => {
    const long = { ...right, id: arrived - 4 * 3_600_000, lineBefore: end - 30 * dayMs, lineAfter: end + 30 * dayMs };
    expect(judgeClocks({ ...long, arrival: undefined, audit: end + 3_600_000 }).kind).toBe('agree');
  });

  test('leave the end to what there is, the event first', () => {
    expect(judgeClocks({ ...nothing, file: end, heard: end + 5 })).toMatchObject({ kind: 'agree', by: 'heard' });
    expect(judgeClocks({ ...nothing, file: end })).toMatchObject({ kind: 'agree', endedAt: end, by: 'file' });
    expect(() => judgeClocks(nothing)).toThrow(TypeError);
  });
});

describe('a clock that is wrong', () => {
  test.each<[string, Partial<Witnesses>]>([
    ['Asterisk, behind', byAsterisk(-off)],
    ['Asterisk, ahead', byAsterisk(off)],
    ['Asterisk, set back in the talk', { events: end - off }],
    ['Asterisk, set forward in the talk', { events: end + off }],
  ])('of %s, keeps from where the others say', (_, wrong) => {
    const judged = judgeClocks({ ...right, ...wrong });
    expect(judged.kind).toBe('doubtful');
    expect(Math.abs(judged.endedAt - end)).toBeLessThan(1_000);
  });

  test('of this machine, behind, is seen though its own line is as early', () => {
    expect(judgeClocks({ ...right, ...byUs(-off) })).toMatchObject({ kind: 'doubtful' });
  });

  test('of this machine, ahead, keeps longer until somebody has decided', () => {
    const judged = judgeClocks({ ...right, ...byUs(off) });
    expect(judged).toMatchObject({ kind: 'doubtful', endedAt: end + off });
  });

  test('of both, behind by the same and put right since, is seen by the clock that nobody can set', () => {
    const behind = { ...byAsterisk(-off), ...byUs(-off), file: end - off, monotonic: end };
    const pair = { asterisk: arrived - off, ours: arrived - off };
    const judged = judgeClocks({ ...right, ...behind, arrival: pair, lineAfter: end + 3_000 });
    expect(judged).toMatchObject({ kind: 'doubtful', endedAt: end, by: 'monotonic' });
  });

  test('of both, ahead by the same and put back since, keeps no longer than the next line of the trail allows', () => {
    const ahead = { ...byAsterisk(off), ...byUs(off), file: end + off, monotonic: end };
    const pair = { asterisk: arrived + off, ours: arrived + off };
    const judged = judgeClocks({ ...right, ...ahead, arrival: pair, lineAfter: end + 3_000 });
    expect(judged).toMatchObject({ kind: 'doubtful', endedAt: end, by: 'monotonic' });
  });

  test('leaves it kept from where it is kept already, where the next line allows that', () => {
    const kept = end + 540_000;
    const later = { ...right, kept, monotonic: end - 900_000, lineAfter: end + 600_000 };
    expect(judgeClocks(later)).toMatchObject({ kind: 'doubtful', endedAt: kept, by: 'kept' });
    expect(judgeClocks({ ...later, lineAfter: end + 1_000 })).toMatchObject({ endedAt: end + 20, by: 'heard' });
  });

  test('is seen by a line of the trail before that is later, whatever all others say', () => {
    expect(judgeClocks({ ...right, lineBefore: end + off }).kind).toBe('doubtful');
  });

  test('of which even the next line says less than all witnesses keeps longest', () => {
    const judged = judgeClocks({ ...right, lineAfter: end - off });
    expect(judged).toMatchObject({ kind: 'doubtful', endedAt: end + 20 });
  });
});

describe('each witness alone', () => {
  test.each<[keyof Witnesses, Partial<Witnesses>]>([
    ['events', { events: end - off }],
    ['heard', { heard: end + off, lineAfter: end + 2 * off }],
    ['file', { file: end - off }],
    ['monotonic', { monotonic: end + off, lineAfter: end + 2 * off }],
    ['kept', { kept: end + off, lineAfter: end + 2 * off }],
    ['id', { id: end + off }],
    ['audit', { audit: start - off }],
    ['arrival', { arrival: { asterisk: arrived - off, ours: arrived } }],
    ['startedAt', { startedAt: start + off }],
    ['lineBefore', { lineBefore: end + off }],
    ['lineAfter', { lineAfter: end - off }],
  ])('brings a human in: %s', (_, wrong) => {
    expect(judgeClocks({ ...right, ...wrong }).kind).toBe('doubtful');
  });
});

test('news of a call that just came are compared with our clock', () => {
  expect(clockAhead(end, end + 60_000)).toBeUndefined();
  expect(clockAhead(end, end + 60_001)).toBe(-60_001);
  expect(clockAhead(end + off, end)).toBe(off);
});

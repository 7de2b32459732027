import {
  decideSource,
  isDue,
  mostRenewals,
  mostUnanswered,
  sightingOf,
  textOf,
  unknownSource,
  type Sighting,
  type Since,
  type Source,
} from '../../../../src/call/watch/sources.ts';

const first: Sighting = { ssrc: 11, received: 500, lost: 0 };
const second: Sighting = { ssrc: 22, received: 40, lost: 0 };
const { pace } = unknownSource(false);
const heardAs = (seen: Sighting, seenAt: number): Source => ({ known: { kind: 'heard', seen, seenAt }, pace });
/** Seen at 2,000, answered 40 ms later. */
const changedTo = (seen: Sighting, since: Since, isOfHold = false): Source => ({
  known: { kind: 'changed', seen, newSince: 2_040, since, tries: 0, isOfHold },
  pace,
});
const heard = heardAs(first, 1_000);

const see = (source: Source, sighting: Sighting | 'nothing' | 'noRtp', at = 2_000, isHeld = false) =>
  decideSource(source, { type: 'seen', sighting, at, answeredAt: at + 40, isHeld });

test('the first source of a leg is none that has changed', () => {
  expect(see(unknownSource(false), first)).toEqual({ source: heardAs(first, 2_000), action: 'none' });
});

test('the same source is left alone, whether it sends or is silent, and whatever it loses', () => {
  expect(see(heard, first)).toEqual({ source: heardAs(first, 2_000), action: 'none' });
  expect(see(heard, 'nothing')).toEqual({ source: heard, action: 'none' });
  expect(see(heard, { ...first, lost: 32_767 })).toMatchObject({ action: 'none' });
});

test('another source has the leg taken out and in; it may be unheard since the last look before', () => {
  const changed = changedTo(second, 1_000);
  expect(see(heard, second)).toEqual({ source: changed, action: 'renew' });
  expect(decideSource(changed, { type: 'renewed', at: 2_050, askedAt: 2_045 })).toMatchObject({
    source: { known: { kind: 'heard', seen: second, seenAt: 2_045 } },
    action: 'none',
  });
});

test('a source that was away between two looks has fewer packets than before', () => {
  const back = { ...first, received: 20 };
  expect(see(heard, back)).toEqual({ source: changedTo(back, 1_000), action: 'renew' });
});

test('numbers that leap back within one source show in the next report, which is of the five seconds before', () => {
  const leapt = { ...first, lost: 45_536 };
  expect(see(heardAs(first, 9_000), leapt)).toEqual({ source: changedTo(leapt, 4_000), action: 'renew' });
  // Asterisk subtracts without a sign: what it has received beyond what it expected is no leap.
  expect(see(heardAs(first, 9_000), { ...first, lost: 4_294_967_290 })).toMatchObject({ action: 'none' });
  // What is lost is counted anew with each source: fewer is no leap.
  expect(see(heardAs(leapt, 9_000), first)).toMatchObject({ action: 'none' });
});

test('while one holds the other the leg is left alone, and taken out and in when both are back', () => {
  const held = see(heard, second, 2_000, true);
  expect(held).toEqual({ source: changedTo(second, 1_000, true), action: 'none' });
  // Music on hold came from elsewhere; the voice comes from where it came from before.
  const back = see(held.source, first, 3_000, true);
  expect(back.action).toBe('none');
  const both = see(back.source, first, 4_000);
  expect(both.action).toBe('renew');
  expect(both.source.known).toMatchObject({ kind: 'changed', seen: first, since: 1_000, isOfHold: true });
});

test('a leg that cannot be taken out and in is tried some times more, then given up, once', () => {
  let { source, action } = see(heard, second);
  const actions = [action];
  for (let tries = 0; tries < mostRenewals; tries += 1) {
    ({ source } = decideSource(source, { type: 'renewalFailed' }));
    ({ source, action } = see(source, second));
    actions.push(action);
  }
  expect(actions).toEqual([...Array<string>(mostRenewals).fill('renew'), 'giveUp']);
  // It stays so until the recorder was asked to end: where events are missed meanwhile, that is due afterwards.
  expect(see(source, second)).toMatchObject({ action: 'giveUp' });
  ({ source } = decideSource(source, { type: 'givenUp' }));
  expect(source).toEqual({ known: { kind: 'givenUp' }, pace });
  expect(isDue(source, 9_000_000)).toBe(false);
  expect(see(source, first)).toEqual({ source, action: 'none' });
});

test('tries are counted anew where somebody else took the leg out of the bridge, and it is asked about less often', () => {
  const { source } = decideSource(changedTo(second, 1_000), { type: 'renewalFailed' });
  const elsewhere = decideSource(source, { type: 'elsewhere', at: 4_000 }).source;
  expect(elsewhere).toEqual({ ...changedTo(second, 1_000), pace: { ...pace, askAt: 9_000 } });
  expect(decideSource(elsewhere, { type: 'renewed', at: 5_000, askedAt: 5_000 }).source.pace).toMatchObject({
    askAt: 0,
  });
});

describe('a leg that goes on to change', () => {
  /** Changes right after each move, and is asked about each second: when it is moved. */
  function movesUntil(end: number, begin: Source, from: number): { moves: number[]; source: Source } {
    let source = begin;
    const moves: number[] = [];
    let ssrc = 100;
    for (let at = from; at <= end; at += 1_000) {
      const step = see(source, { ...first, ssrc }, at);
      ({ source } = step);
      if (step.action !== 'renew') continue;
      moves.push((at - from) / 1_000);
      ({ source } = decideSource(source, { type: 'renewed', at, askedAt: at }));
      ssrc += 1;
    }
    return { moves, source };
  }

  test('is moved more seldom, and is not unheard for longer than four seconds', () => {
    const { moves } = movesUntil(22_000, heard, 2_000);
    expect(moves).toEqual([0, 1, 3, 7, 11, 15, 19]);
  });

  test('is one unheard span until it is moved, and is moved at once again after a quiet minute', () => {
    const { source } = movesUntil(20_000, heard, 2_000);
    const changed = see(source, { ...second, ssrc: 900 }, 20_000);
    const later = see(changed.source, { ...second, ssrc: 901 }, 20_900);
    expect([changed.action, later.action]).toEqual(['none', 'none']);
    expect(later.source.known).toMatchObject({ kind: 'changed', since: 17_000, newSince: 20_940 });
    const quiet = decideSource(later.source, { type: 'renewed', at: 500_000, askedAt: 500_000 });
    expect(quiet.source.pace).toMatchObject({ waitMs: 1_000, moveAt: 501_000 });
  });
});

describe('a leg that an earlier process watched', () => {
  const find = (before: Sighting | undefined, sighting: Sighting) =>
    decideSource(unknownSource(true), { type: 'seen', sighting, before, at: 2_000, answeredAt: 2_040, isHeld: false });

  test('is left alone where it is as that one saw it last', () => {
    expect(find(first, { ...first, received: 9_000 })).toMatchObject({
      source: { known: { kind: 'heard' } },
      action: 'none',
    });
  });

  test.each([
    ['from another source', second],
    ['from one that was away', { ...first, received: 3 }],
    ['with other numbers', { ...first, lost: 40_000 }],
  ])('is moved where it goes on %s, since nobody knows when', (_, seen) => {
    expect(find(first, seen)).toEqual({ source: changedTo(seen, 'before'), action: 'renew' });
  });

  test('is moved once where nobody knows what it was', () => {
    const taken = find(undefined, first);
    expect(taken).toEqual({ source: changedTo(first, undefined), action: 'renew' });
    const renewed = decideSource(taken.source, { type: 'renewed', at: 3_000, askedAt: 3_000 });
    expect(see(renewed.source, first, 4_000)).toMatchObject({ action: 'none' });
  });

  test('is found as it was written', () => {
    expect(sightingOf(textOf(second))).toEqual(second);
    expect(['', '11', '11 x 0'].map(sightingOf)).toEqual([undefined, undefined, undefined]);
  });
});

test('a leg without RTP of its own is asked about once a second at first, then seldom; one that sends nothing yet always', () => {
  const asked: number[] = [];
  let source = unknownSource(false);
  for (let at = 0; at <= 65_000; at += 200) {
    expect(isDue(see(source, 'nothing', at).source, at)).toBe(isDue(source, at));
    if (!isDue(source, at)) continue;
    asked.push(at);
    ({ source } = see(source, 'noRtp', at));
  }
  expect(asked).toEqual([0, 1_000, 2_000, 32_000, 62_000]);
});

describe('a leg about which Asterisk does not answer', () => {
  function unanswered(begin: Source): { dues: number[]; actions: string[]; source: Source } {
    let source = begin;
    const [dues, actions]: [number[], string[]] = [[], []];
    for (let at = 10_000; at < 60_000; at += 1_000) {
      if (!isDue(source, at)) continue;
      dues.push(at);
      const step = decideSource(source, { type: 'unanswered', at, isHeld: false });
      ({ source } = step);
      actions.push(step.action);
    }
    return { dues, actions, source };
  }

  test('is asked about ever more seldom, and after three times each half minute', () => {
    const { dues, actions } = unanswered(heard);
    expect(dues).toEqual([10_000, 12_000, 16_000, 46_000]);
    expect(actions).toEqual(['none', 'none', 'askSeldom', 'none']);
    expect(dues.length).toBeGreaterThan(mostUnanswered);
  });

  test('is given up where it was not heard, until that is done', () => {
    expect(unanswered(changedTo(second, 1_000)).actions).toEqual(['none', 'none', 'giveUp', 'giveUp']);
  });

  test('is not given up on hold, where nobody listens, nor while it is left alone after a move', () => {
    let source = changedTo(second, 1_000);
    for (const at of [3_000, 5_000, 9_000]) {
      const step = decideSource(source, { type: 'unanswered', at, isHeld: true });
      expect(step.action).not.toBe('giveUp');
      ({ source } = step);
    }
    const waiting = { ...source, pace: { ...source.pace, moveAt: 50_000 } };
    expect(decideSource(waiting, { type: 'unanswered', at: 40_000, isHeld: false }).action).toBe('none');
    expect(decideSource(source, { type: 'unanswered', at: 40_000, isHeld: false }).action).toBe('giveUp');
  });

  test('is asked about as before as soon as it answers once', () => {
    let source = heard;
    for (const at of [10_000, 12_000]) ({ source } = decideSource(source, { type: 'unanswered', at, isHeld: false }));
    ({ source } = see(source, first, 16_000));
    expect(decideSource(source, { type: 'unanswered', at: 17_000, isHeld: false }).action).toBe('none');
  });
});

describe('a changed leg that is left alone, when talk detection tells something', () => {
  const moved: Source = { ...heardAs(first, 9_000), pace: { ...pace, waitMs: 4_000, moveAt: 13_000 } };
  const talked = (source: Source, at: number) => decideSource(source, { type: 'talked', at, heardAt: at }).source;
  /** It is known to take the first source since 9,200; that was seen last at 9,500, and another one at 10,040. */
  const detected = see(talked(moved, 9_200), first, 9_500).source;
  const changed = see(detected, second, 10_000).source;

  test('is heard, and is not moved for that', () => {
    expect(changed.known.kind).toBe('changed');
    const source = talked(changed, 10_500);
    expect(source.known).toEqual({ kind: 'heard', seen: second, seenAt: 10_040 });
    expect(see(source, second, 14_000)).toMatchObject({ action: 'none' });
    // It goes on with that source.
    expect(talked(see(source, { ...first, ssrc: 33 }, 11_000).source, 11_500).known.kind).toBe('heard');
  });

  test.each([
    ['before the change was seen', talked(changed, 10_040)],
    ['and it was never known to take the source before', talked(see(moved, second, 10_000).source, 10_500)],
    ['and that may have been after the change', talked(see(talked(moved, 9_200), second, 10_000).source, 10_500)],
    [
      'and has begun anew since',
      talked(see(decideSource(detected, { type: 'detectedAnew' }).source, second, 10_000).source, 10_500),
    ],
    ['and it has changed once more since', talked(see(changed, { ...second, ssrc: 33 }, 11_000).source, 10_500)],
    ['and it was another before this process', talked({ ...changedTo(second, 'before'), pace: detected.pace }, 10_500)],
    ['and it could not be moved', talked(decideSource(changed, { type: 'renewalFailed' }).source, 10_500)],
  ])('stays changed where that was told %s', (_, { known }) => {
    expect(known.kind).toBe('changed');
  });

  test('begins anew with a move', () => {
    const { source } = decideSource(changed, { type: 'renewed', at: 13_100, askedAt: 13_000 });
    expect(source.pace.detectedAt).toBeUndefined();
  });
});

test('what comes too late changes nothing', () => {
  for (const event of [
    { type: 'renewed', at: 9_000, askedAt: 9_000 },
    { type: 'elsewhere', at: 9_000 },
    { type: 'renewalFailed' },
    { type: 'givenUp' },
  ] as const) {
    expect(decideSource(heard, event)).toEqual({ source: heard, action: 'none' });
  }
});

import { decideSource, isWatchable, mostRenewals, unknownSource, type Source } from '../../../src/call/sources.ts';

const first = { ssrc: 11, lost: 0 };
const second = { ssrc: 22, lost: 0 };
const heard: Source = { kind: 'heard', ...first, seenAt: 1_000 };

const see = (source: Source, sighting: typeof first | 'nothing' | 'noRtp', at = 2_000, isHeld = false) =>
  decideSource(source, { type: 'seen', sighting, at, isHeld });

test('the first source of a leg is none that has changed', () => {
  expect(see(unknownSource(false), first)).toEqual({ source: { ...heard, seenAt: 2_000 }, action: 'none' });
});

test('the same source is left alone, whether it sends or is silent, and whatever it loses', () => {
  expect(see(heard, first)).toEqual({ source: { ...heard, seenAt: 2_000 }, action: 'none' });
  expect(see(heard, 'nothing')).toEqual({ source: heard, action: 'none' });
  expect(see(heard, { ...first, lost: 32_767 })).toMatchObject({ action: 'none' });
});

test('another source has the leg taken out and in; it may be unheard since the last look before', () => {
  const changed: Source = { kind: 'changed', ...second, since: 1_000, tries: 0 };
  expect(see(heard, second)).toEqual({ source: changed, action: 'renew' });
  expect(decideSource(changed, { type: 'renewed', at: 2_050 })).toEqual({
    source: { kind: 'heard', ...second, seenAt: 2_050 },
    action: 'none',
  });
});

test('numbers that leap back within one source show in the next report, which is of the five seconds before', () => {
  const leapt = { ...first, lost: 45_536 };
  expect(see({ ...heard, seenAt: 9_000 }, leapt, 10_000)).toEqual({
    source: { kind: 'changed', ...leapt, since: 4_000, tries: 0 },
    action: 'renew',
  });
  // What is lost is counted anew with each source: fewer is no leap.
  expect(see({ kind: 'heard', ...leapt, seenAt: 9_000 }, first)).toMatchObject({ action: 'none' });
});

test('while one holds the other the leg is left alone, and taken out and in when both are back', () => {
  const held = see(heard, second, 2_000, true);
  expect(held).toEqual({ source: { kind: 'changed', ...second, since: 1_000, tries: 0 }, action: 'none' });
  // Music on hold came from elsewhere; the voice comes from where it came from before.
  const back = see(held.source, first, 3_000, true);
  expect(back.action).toBe('none');
  expect(see(back.source, first, 4_000)).toEqual({
    source: { kind: 'changed', ...first, since: 1_000, tries: 0 },
    action: 'renew',
  });
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
  expect(source).toEqual({ kind: 'givenUp' });
  expect(isWatchable(source)).toBe(false);
  expect(see(source, first)).toEqual({ source, action: 'none' });
});

test('a leg that an earlier process watched is taken out and in once: nobody knows what it was', () => {
  const taken = see(unknownSource(true), first);
  expect(taken).toEqual({ source: { kind: 'changed', ...first, since: undefined, tries: 0 }, action: 'renew' });
  const renewed = decideSource(taken.source, { type: 'renewed', at: 3_000 });
  expect(see(renewed.source, first, 4_000)).toMatchObject({ action: 'none' });
});

test('a leg without RTP of its own is asked about no more after three looks; one that sends nothing yet is', () => {
  let source = unknownSource(false);
  for (let looks = 0; looks < 3; looks += 1) {
    expect(isWatchable(source)).toBe(true);
    ({ source } = see(source, 'nothing'));
    ({ source } = see(source, 'noRtp'));
  }
  expect(isWatchable(source)).toBe(false);
});

test('what comes too late changes nothing', () => {
  for (const type of ['renewed', 'renewalFailed'] as const) {
    expect(decideSource(heard, { type, at: 9_000 })).toEqual({ source: heard, action: 'none' });
  }
});

import { habits, type Made } from '../../soak/callers.ts';
import type { Struck } from '../../soak/faults.ts';
import { hasHold, hearsTwo, madeOf } from '../../soak/verdict.ts';
import { clockSteps } from '../../soak/world.ts';

const from = Date.UTC(2026, 7, 24, 10);

function made(line: string, at: number): Made {
  const [habit] = habits;

  return {
    habit,
    way: 'follow',
    line,
    from: at,
    to: at + 8_000,
    noticeMs: 1_000,
    agentMs: 5_000,
    soundMs: 5_000,
    answeredMs: 7_500,
    heldMs: 0,
    isStranded: false,
  };
}

test('a call is that of its caller, wherever the clock of Asterisk was set to', () => {
  const all = [made('one', from), made('one', from + 10_000), made('other', from)];
  for (const off of [0, ...Object.values(clockSteps)]) {
    expect(madeOf({ line: 'one', startedAt: from + 10_100 + off }, all)).toBe(all[1]);
    expect(madeOf({ line: 'one', startedAt: from + 9_000 + off }, all)).toBeUndefined();
  }
});

test('a hold is in a recording that is as long as they talked', () => {
  const talkMs = 7_500 - 1_000 - 500;
  expect(hasHold(talkMs, { answeredMs: 7_500, heldMs: 2_500 })).toBe(true);
  expect(hasHold(talkMs - 2_500, { answeredMs: 7_500, heldMs: 2_500 })).toBe(false);
  expect(hasHold(talkMs, { answeredMs: 7_500, heldMs: 0 })).toBe(false);
});

describe('a caller who got more sound than their call was long', () => {
  const killed: Struck = { name: 'Asterisk is killed', harm: 'asterisk', from: 1_000, to: 2_000 };
  const call = { from: 3_000, soundMs: 12_560, answeredMs: 6_000 };

  test('has heard two telephones where Asterisk was killed before', () => {
    expect(hearsTwo(call, [killed])).toBe(true);
  });

  test('has not where it was killed later, or only something else was struck', () => {
    expect(hearsTwo(call, [{ ...killed, to: 4_000 }])).toBe(false);
    expect(hearsTwo(call, [{ ...killed, harm: 'serve' }])).toBe(false);
  });

  test('has not where the sound is as long as the call', () => {
    expect(hearsTwo({ ...call, soundMs: 6_300 }, [killed])).toBe(false);
  });
});

import { ulid } from 'ulid';
import type { AuditRow } from '../../../src/catalogue/rows.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { habits, silenceBeforeAgent, type Made } from '../../soak/callers.ts';
import { storeKilled, type Harm, type Struck } from '../../soak/faults.ts';
import { heldUp, mostSilenceMs } from '../../soak/fleet/verdict.ts';
import { isStoredOnce } from '../../soak/storedOnce.ts';
import { hasHold, hearsTwo, isUnwrittenTalk, madeOf } from '../../soak/verdict.ts';
import { clockSteps, hertz } from '../../soak/world.ts';

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
    silentMs: 200,
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
  const killed: Struck = { name: 'Asterisk is killed', harm: 'asterisk', from: 1_000, endedAt: 1_500, to: 2_000 };
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

/** What was broken from `at` on, for so long. */
const broken = (harm: Harm, at: number, forMs: number): Struck => ({
  name: harm,
  harm,
  from: at,
  endedAt: at + forMs,
  to: at + forMs + 8_000,
});

describe('a followed talk, or a part of one, may be gone', () => {
  const file = { name: `preavis-${ulid(from + 100)}-1.wav`, seenAt: from + 2_000 };
  const follow = made('one', from);
  const away = broken('database', from + 1_500, 7_000);
  const frozen = broken('hang', from + 9_000, 60_000);

  test('where serve did not live to write it down while the database was away', () => {
    expect(isUnwrittenTalk(file, [follow], [away, frozen])).toBe(true);
    expect(isUnwrittenTalk(file, [follow], [broken('database', from + 1_500, 13_000)])).toBe(true);
  });

  test('where serve was hit just after its recorder had begun', () => {
    expect(isUnwrittenTalk(file, [follow], [broken('serve', from + 2_300, 5_000)])).toBe(true);
    expect(isUnwrittenTalk(file, [follow], [broken('hang', from + 2_300, 20_000)])).toBe(true);
  });

  test('and not where serve lived, or was hit later, or had written it down before', () => {
    expect(isUnwrittenTalk(file, [follow], [away])).toBe(false);
    expect(isUnwrittenTalk(file, [follow], [frozen])).toBe(false);
    expect(isUnwrittenTalk(file, [follow], [broken('hang', from + 2_300, 5_000)])).toBe(false);
    expect(isUnwrittenTalk(file, [follow], [broken('serve', from + 3_500, 5_000)])).toBe(false);
    expect(isUnwrittenTalk(file, [follow], [broken('database', from + 4_000, 7_000), frozen])).toBe(false);
  });

  test('and not where its call was not followed, or it is another one’s', () => {
    expect(isUnwrittenTalk(file, [{ ...follow, way: 'bridge' }], [away, frozen])).toBe(false);
    expect(isUnwrittenTalk({ ...file, name: file.name.replace('-1.wav', '.wav') }, [follow], [away, frozen])).toBe(
      false,
    );
    const other = { ...file, name: `preavis-${ulid(from + 60_000)}-1.wav` };
    expect(isUnwrittenTalk(other, [follow], [away, frozen])).toBe(false);
  });
});

describe('the silence before the other side', () => {
  /** Tones and silence, one behind the other. */
  const heard = (...parts: readonly [hz: number, ms: number][]): Int16Array =>
    Int16Array.from(
      parts.flatMap(([hz, ms]) =>
        Array.from({ length: ms * 8 }, (_none, index) => 8_000 * Math.sin((2 * Math.PI * hz * index) / 8_000)),
      ),
    );
  const agent: [number, number] = [hertz.agent, 300];

  test('is the longest: before the notice, behind it, or until the end where nobody comes', () => {
    const notice: [number, number] = [hertz.notice, 300];
    expect(silenceBeforeAgent(heard(notice, [0, 400], agent), 900)).toBeCloseTo(900, -2);
    expect(silenceBeforeAgent(heard(notice, [0, 1_500], agent), 900)).toBeCloseTo(1_500, -2);
    expect(silenceBeforeAgent(heard(notice, [0, 2_000]), 900)).toBeCloseTo(2_000, -2);
  });

  test('is none of what comes in the talk', () => {
    expect(silenceBeforeAgent(heard(agent, [0, 1_000], agent), 100)).toBeCloseTo(100, -2);
  });

  test('may be as much longer as the machine was late meanwhile', () => {
    const call = { from: 1_000, to: 20_000 };
    const nothing = { struck: [], unanswered: [], heldUp: [] };
    const prompt = mostSilenceMs(call, nothing, '');
    expect(mostSilenceMs(call, nothing, 'timer 5000 400\nstolen 9000 300\ntimer 30000 9000\n')).toBe(prompt + 700);
  });

  test('may be longer by what writes waited for a worker of any PBX that was just frozen, or parted from PostgreSQL', () => {
    const most = (struck: readonly Struck[], ...lockWaits: { from: number; to: number }[]): number => {
      const waits = lockWaits.map(({ from, to }): [number, number] => [from, to]);

      return mostSilenceMs(
        { from: 10_000, to: 20_000 },
        { struck: [], unanswered: [], heldUp: heldUp(struck, waits) },
        '',
      );
    };
    const struckBy = (name: string, from: number, ms: number): Struck => ({ ...broken('hang', from, ms), name });
    const prompt = most([]);
    const frozen = struckBy('a worker is frozen for a minute, in vain', 11_000, 30_000);
    expect(most([frozen], { from: 11_000, to: 12_900 })).toBe(prompt + 1_900);
    expect(most([struckBy('a worker and PostgreSQL are parted', 11_000, 9_000)], { from: 12_000, to: 13_000 })).toBe(
      prompt + 1_000,
    );
    // No longer than it may, nor before and after the call.
    expect(most([frozen], { from: 10_500, to: 17_000 })).toBe(prompt + 5_000);
    expect(most([struckBy('a worker is frozen for a moment', 8_000, 500)], { from: 8_000, to: 10_400 })).toBe(
      prompt + 400,
    );
    expect(most([struckBy('a worker is frozen for a moment', 19_000, 500)], { from: 19_000, to: 21_000 })).toBe(
      prompt + 1_000,
    );
    // It had asked before PostgreSQL hung.
    expect(most([struckBy('PostgreSQL hangs', 1_000, 10_000)], { from: 11_000, to: 13_000 })).toBe(prompt + 2_000);
    for (const other of ['PostgreSQL is killed', 'a worker and Asterisk are parted', 'a worker is killed']) {
      expect(most([struckBy(other, 11_000, 2_000)], { from: 11_000, to: 13_000 })).toBe(prompt);
    }
    expect(most([frozen])).toBe(prompt);
  });

  test('may be twice as long where neither of two workers may have answered, and not where one of them may', () => {
    const most = (struck: readonly Struck[], unanswered: readonly number[] = []): number =>
      mostSilenceMs({ from: 10_000, to: 20_000 }, { struck, unanswered, heldUp: [] }, '');
    const prompt = most([]);
    const hang = broken('hang', 11_000, 2_000);
    expect(most([broken('hangOfBoth', 11_000, 2_000)])).toBe(prompt + 8_000);
    expect(most([hang, broken('database', 11_000, 2_000)])).toBe(prompt + 8_000);
    expect(most([hang], [12_000])).toBe(prompt + 8_000);
    expect(most([hang], [9_000, 21_000])).toBe(prompt);
    expect(most([hang, broken('serve', 11_000, 2_000)])).toBe(prompt);
    expect(most([broken('serve', 11_000, 2_000)], [12_000])).toBe(prompt);
    expect(most([broken('hangOfBoth', 30_000, 2_000)])).toBe(prompt);
  });
});

describe('a recording with two versions in the archive', () => {
  const archivedAt = 20_000;
  const killed: Struck = { name: storeKilled, harm: 'store', from: 10_000, endedAt: 12_000, to: 12_000 };
  const isOnce = (struck: Struck[], versions = { first: 'same', second: 'same' }): Promise<boolean> =>
    isStoredOnce({ id: makeIds(() => ulid(1)).recording(), objectKey: 'key', sha256: 'same' }, Object.keys(versions), {
      store: {
        digest: (_key, version) =>
          Promise.resolve({ bytes: 1, sha256: new Map(Object.entries(versions)).get(version ?? '') ?? '' }),
      },
      catalogue: {
        auditTrail: { of: () => Promise.resolve([{ at: archivedAt, to: 'archived' }] as AuditRow[]) },
      },
      struck,
    });

  test('is stored once where the store was killed just before, and both are it', async () => {
    expect(await isOnce([killed])).toBe(true);
  });

  test('is stored twice where the store was only cut off, or was killed long before or later', async () => {
    expect(await isOnce([])).toBe(false);
    expect(await isOnce([{ ...killed, name: 'the store does not answer' }])).toBe(false);
    expect(await isOnce([{ ...killed, from: -60_000, endedAt: -50_000 }])).toBe(false);
    expect(await isOnce([{ ...killed, from: archivedAt + 1, endedAt: archivedAt + 2 }])).toBe(false);
  });

  test('is stored twice where one of them is something else', async () => {
    expect(await isOnce([killed], { first: 'same', second: 'other' })).toBe(false);
  });
});

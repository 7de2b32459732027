import type { Late, Watched } from '../../../lab/machine/lateness.ts';
import { mostAttempts, onTime, StateMissed, type OnTimePorts } from '../../support/rig/onTime.ts';

const late: Late = { kind: 'packet', at: 0, lateMs: 300 };

/** A lab that is late in the first `times` calls. */
function labLate(times: number): <T>(act: () => Promise<T>) => Promise<Watched<T>> {
  let calls = 0;

  return async <T>(act: () => Promise<T>) => {
    calls += 1;
    const isLate = calls <= times;
    const outcome: Watched<T>['outcome'] = await act().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );

    return { outcome, late: isLate ? [late] : [] };
  };
}

let said: string[];
beforeEach(() => {
  said = [];
});
const lab = (lateTimes: number): OnTimePorts => ({
  watch: labLate(lateTimes),
  say: (sentence) => {
    said.push(sentence);
  },
});

describe('a call whose lab kept its time', () => {
  it('is placed once', async () => {
    expect(await onTime({ what: 'it', act: (attempt) => Promise.resolve(attempt) }, lab(0))).toBe(1);
    expect(said).toEqual([]);
  });

  it('is not placed again because something of it failed', async () => {
    let placed = 0;
    const act = (): Promise<never> => {
      placed += 1;
      return Promise.reject(new Error('an assertion'));
    };
    await expect(onTime({ what: 'it', act }, lab(0))).rejects.toThrow('an assertion');
    expect(placed).toBe(1);
  });
});

it('is placed again for the sake of it where that is asked for, whatever came of it, and then counts', async () => {
  const act = (attempt: number): Promise<number> =>
    attempt === 1 ? Promise.reject(new Error('an assertion')) : Promise.resolve(attempt);
  expect(await onTime({ what: 'it', act }, { ...lab(0), isTwice: true })).toBe(2);
  expect(said).toEqual(['it is placed again (2 of 8), as PREAVIS_LAB_TWICE asks']);
});

describe('a call whose lab was late', () => {
  it('is placed again with a line in the output, after what it left was put aside', async () => {
    const aside: string[] = [];
    const attempt = await onTime(
      { what: 'the call', act: (which) => Promise.resolve(which), setAside: () => void aside.push('aside') },
      lab(2),
    );
    expect([attempt, aside]).toEqual([3, ['aside', 'aside']]);
    expect(said).toEqual([
      expect.stringContaining('the call is placed again (2 of 8), the lab was late: packet 300 ms'),
      expect.stringContaining('the call is placed again (3 of 8)'),
    ]);
  });

  it('is placed again beside few others, however many were late with it', async () => {
    let [now, most] = [0, 0];
    const act = async (attempt: number): Promise<number> => {
      if (attempt === 1) return attempt;
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return attempt;
    };
    const calls = Array.from({ length: 40 }, () => onTime({ what: 'it', act }, lab(1)));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([2]));
    expect(most).toBeLessThanOrEqual(8);
  });

  it.each([1, 2])('does not count, whether it went well or not: %i late', async (times) => {
    const act = (attempt: number): Promise<number> =>
      attempt === 1 ? Promise.reject(new Error('an assertion')) : Promise.resolve(attempt);
    expect(await onTime({ what: 'it', act }, lab(times))).toBe(times + 1);
  });

  it('counts the third time if all of it held, and no call in which something failed does', async () => {
    const act = (attempt: number): Promise<number> =>
      attempt < 5 && attempt !== 2 ? Promise.reject(new Error('an assertion')) : Promise.resolve(attempt);
    expect(await onTime({ what: 'it', act }, lab(mostAttempts))).toBe(5);
  });

  it('fails after the last placing, for the machine, where something of it failed each time', async () => {
    let placed = 0;
    const act = (): Promise<number> => {
      placed += 1;
      return Promise.reject(new Error('an assertion'));
    };
    await expect(onTime({ what: 'it', act }, lab(mostAttempts))).rejects.toThrow(
      /^machine too slow: it was placed 8 times/,
    );
    expect(placed).toBe(mostAttempts);
  });
});

describe('a call of which the scene was missed', () => {
  const missed = new StateMissed('the call was dialling already');

  it('is placed again with a line in the output, and then counts', async () => {
    const act = (attempt: number): Promise<number> =>
      attempt === 1 ? Promise.reject(missed) : Promise.resolve(attempt);
    expect(await onTime({ what: 'it', act }, lab(0))).toBe(2);
    expect(said).toEqual(['it is placed again (2 of 8), the call was dialling already']);
  });

  it('fails after the last placing with what was missed, and not for the machine', async () => {
    let placed = 0;
    const act = (): Promise<never> => {
      placed += 1;
      return Promise.reject(missed);
    };
    await expect(onTime({ what: 'it', act }, lab(0))).rejects.toThrow(
      'what this test is about did not come to be in 8 attempts at it: the call was dialling already',
    );
    expect(placed).toBe(mostAttempts);
  });
});

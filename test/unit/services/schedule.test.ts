import { jest } from '@jest/globals';
import { checkSchedule, Schedule } from '../../../src/services/schedule.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { collectingLog } from '../../support/logLines.ts';

const line = (cron: string) => [{ key: 'schedule.upload', cron }];

describe('a cron line', () => {
  test.each(['* * * * *', '17 3 * * *', '*/5 8-18 * * 1-5', '0 0 1 1 *'])('%s is taken', (cron) => {
    expect(() => {
      checkSchedule(line(cron), 'Europe/Brussels');
    }).not.toThrow();
  });

  test.each(['', 'daily', '61 * * * *', '* * *', '* * * * * * *', '0 25 * * *'])(
    '%j is refused, with its key and value',
    (cron) => {
      expect(() => {
        checkSchedule(line(cron), 'UTC');
      }).toThrow(`schedule.upload: is not a cron line (got ${JSON.stringify(cron)})`);
    },
  );

  test.each(['', 'Brussels', 'Europe/Nowhere'])('in the time zone %j is refused', (zone) => {
    expect(() => {
      checkSchedule(line('* * * * *'), zone);
    }).toThrow(expect.objectContaining({ code: 'config_invalid' }) as Error);
  });
});

describe.each([
  // Of the hour that comes twice, node-cron takes one: what is due every minute rests for an hour then.
  [
    'in October, when an hour comes twice',
    Date.UTC(2026, 9, 24, 22),
    ['2026-10-25T02:17Z', '2026-10-26T02:17Z'],
    [60, 120],
  ],
  ['in March, when an hour is left out', Date.UTC(2026, 2, 28, 23), ['2026-03-29T01:17Z', '2026-03-30T01:17Z'], [60]],
])('%s', (_, from, expected, rests) => {
  beforeEach(() => {
    jest.useFakeTimers({ now: from, doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a job that is due at 3:17 each night runs once each night, and one of every hour neither piles up nor stays away for long', async () => {
    const nights: string[] = [];
    const hourly: number[] = [];
    const note = (): Promise<void> => {
      nights.push(`${new Date(Date.now()).toISOString().slice(0, 16)}Z`);
      return Promise.resolve();
    };
    const count = (): Promise<void> => {
      hourly.push(Date.now());
      return Promise.resolve();
    };
    const schedule = new Schedule(
      [
        { name: 'retention', cron: '17 3 * * *', run: note },
        { name: 'upload', cron: '30 * * * *', run: count },
      ],
      'Europe/Brussels',
      collectingLog().log,
    );
    // Until the second night is over.
    await jest.advanceTimersByTimeAsync(29 * 3_600_000);
    await schedule.stop();
    expect(nights).toEqual(expected);
    const gaps = hourly.slice(1).map((at, index) => Math.round((at - (hourly[index] ?? 0)) / 60_000));
    expect([...new Set(gaps)].toSorted((a, b) => a - b)).toEqual(rests);
    expect(hourly.length).toBeGreaterThan(26);
  });
});

describe('a schedule', () => {
  const everySecond = '* * * * * *';
  const schedules: Schedule[] = [];
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
  });
  afterEach(async () => {
    await Promise.all(schedules.splice(0).map((schedule) => schedule.stop()));
    jest.useRealTimers();
  });

  function start(run: () => Promise<void>) {
    const { log, lines, text } = collectingLog();
    const schedule = new Schedule([{ name: 'upload', cron: everySecond, run }], 'UTC', log);
    schedules.push(schedule);

    return { schedule, lines, text };
  }

  const seconds = (count: number): Promise<void> => jest.advanceTimersByTimeAsync(count * 1_000);

  test('runs a job again and again, never beside itself, and logs a run that was left out', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    let release = (): void => undefined;
    const { lines } = start(async () => {
      runs += 1;
      running += 1;
      most = Math.max(most, running);
      // The first run lasts over the time of the next ones.
      if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
      running -= 1;
    });
    await seconds(3);
    expect(runs).toBe(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', job: 'upload', msg: 'scheduled job run skipped' }),
    );
    release();
    await seconds(2);
    expect(runs).toBeGreaterThan(1);
    expect(most).toBe(1);
  });

  test.each([-60, 60])('runs a job also when the clock was set by %d days, and back', async (days) => {
    let runs = 0;
    const run = (): Promise<void> => {
      runs += 1;
      return Promise.resolve();
    };
    start(run);
    await seconds(3);
    for (const by of [days, -days]) {
      jest.setSystemTime(Date.now() + by * 86_400_000);
      runs = 0;
      await seconds(5);
      expect(runs).toBeGreaterThanOrEqual(3);
      // Not for each time that the clock has left out.
      expect(runs).toBeLessThanOrEqual(6);
    }
  });

  test('runs a job when asked, and leaves out its time meanwhile', async () => {
    let runs = 0;
    let release = (): void => undefined;
    const run = (): Promise<void> => {
      runs += 1;
      return new Promise<void>((resolve) => (release = resolve));
    };
    const { schedule, lines } = start(run);
    const asked = schedule.run({ name: 'upload', run });
    await seconds(2);
    expect(runs).toBe(1);
    release();
    await asked;
    await seconds(1);
    expect(runs).toBe(2);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'scheduled job run skipped' }));
    release();
  });

  test('goes on after a job that failed; what another process does is no error', async () => {
    const failures = [
      new PreavisError('archive_failed', 'broken'),
      new PreavisError('job_busy', 'other'),
      new PreavisError('interrupted', 'stopped'),
    ];
    let runs = 0;
    const { lines } = start(() => {
      const failure = failures[runs];
      runs += 1;
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    });
    await seconds(5);
    expect(runs).toBeGreaterThan(3);
    expect(lines).toMatchObject([
      { level: 'error', code: 'archive_failed', job: 'upload' },
      { level: 'info', code: 'job_busy', job: 'upload', problem: 'other' },
      { level: 'info', code: 'interrupted', job: 'upload', problem: 'stopped' },
    ]);
    expect(lines.map((line) => 'err' in line)).toEqual([true, false, false]);
  });

  test('that is stopped waits for the job under way and starts no other', async () => {
    let runs = 0;
    let release = (): void => undefined;
    const { schedule } = start(() => {
      runs += 1;
      return new Promise<void>((resolve) => (release = resolve));
    });
    await seconds(1);
    expect(runs).toBe(1);
    let isStopped = false;
    const stopping = schedule.stop().then(() => (isStopped = true));
    await seconds(2);
    expect(isStopped).toBe(false);
    release();
    await stopping;
    await seconds(3);
    expect(runs).toBe(1);
  });
});

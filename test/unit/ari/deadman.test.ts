import { jest } from '@jest/globals';
import { Deadman, deadmanStep, type DeadmanPorts } from '../../../src/ari/deadman.ts';
import { deadmanOf, makeDeadmanCommands, tellsOfDeadman } from '../../../src/ari/deadmanRequests.ts';
import type { AriRequest } from '../../../src/ari/httpClient.ts';
import { PreavisError, type ErrorCode } from '../../../src/core/errors.ts';
import type { ChannelId } from '../../../src/core/ids.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';

/** The acceptance test `deadman` shows it on Asterisk, which cannot be made to refuse one given request. */
type Scene = {
  asked: string[];
  isWatching: boolean;
  answers: boolean;
  isCallOn: boolean;
  /** Whether the dead-man channel is there. */
  isUp: boolean;
  hasContext: boolean;
  comesUpLate: boolean;
  /** Left by a process before, under another name. */
  left: string[];
  hasModule: boolean | 'refused';
  endedAt: number | undefined;
  refuse: ErrorCode | undefined;
  /** Is done all the same, and never answered. */
  unanswered: 'create' | 'release' | 'try' | undefined;
  refusesRenewal: ErrorCode | undefined;
  recordersFail: ErrorCode | undefined;
  /** So many requests to renew are answered 409. */
  conflicts: number;
};

const scene = (changes: Partial<Scene> = {}): Scene => ({
  asked: [],
  isWatching: true,
  answers: true,
  isCallOn: true,
  isUp: false,
  hasContext: true,
  comesUpLate: false,
  left: [],
  hasModule: true,
  endedAt: undefined,
  refuse: undefined,
  unanswered: undefined,
  refusesRenewal: undefined,
  recordersFail: undefined,
  conflicts: 0,
  ...changes,
});

const trial = 'trial' as ChannelId;
const own = deadmanOf('preavis', 'feed');
/** Before the first one is made. */
const tried = ['try', 'end trial'];

function make(now: Scene): {
  deadman: Deadman;
  ended: number[];
  missing: boolean[];
  lines: ReturnType<typeof collectingLog>['lines'];
} {
  const { log, lines } = collectingLog('info');
  const ended: number[] = [];
  const noAnswer = (what: Scene['unanswered']): void => {
    if (now.unanswered === what) throw new PreavisError('ari_unreachable', 'no answer in time');
  };
  const ask = (what: string, needsIt = false): Promise<void> => {
    now.asked.push(what);
    if (now.refuse !== undefined) return Promise.reject(new PreavisError(now.refuse, 'refused'));
    return needsIt && !now.isUp ? Promise.reject(new PreavisError('ari_not_found', 'gone')) : Promise.resolve();
  };
  const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for here'));
  const ari: DeadmanPorts['ari'] = {
    createDeadman: async (_, seconds) => {
      await ask(`create ${seconds}`);
      if (now.isUp) throw new PreavisError('ari_request_failed', 'already there');
      now.isUp = now.hasContext && !now.comesUpLate;
      noAnswer('create');
    },
    renewDeadman: async (id, seconds) => {
      if (id !== trial) await ask(`renew ${seconds}`, true);
      if (now.conflicts > 0) {
        now.conflicts -= 1;
        throw new PreavisError('ari_request_failed', 'conflict');
      }
      if (now.refusesRenewal !== undefined) throw new PreavisError(now.refusesRenewal, 'refused');
    },
    releaseDeadman: async (id) => {
      if (id !== own) {
        await ask(`release ${id}`);
        if (!now.left.includes(id)) throw new PreavisError('ari_not_found', 'gone');
        return;
      }
      await ask('release', true);
      now.isUp = now.unanswered === 'release';
      noAnswer('release');
    },
    deadmanEndedAt: () => Promise.resolve(now.endedAt),
    stateOf: (id) => Promise.resolve((id === trial ? now.hasContext : now.isUp) ? 'Up' : undefined),
    hasModule: () =>
      now.hasModule === 'refused'
        ? Promise.reject(new PreavisError('ari_unauthorized', 'refused'))
        : Promise.resolve(now.hasModule),
    tryContext: notAsked,
    reachesRenewal: notAsked,
    tryApplication: () => {
      now.asked.push('try');
      return now.unanswered === 'try' ? Promise.reject(new PreavisError('ari_unreachable', 'none')) : Promise.resolve();
    },
    endTrial: () => {
      now.asked.push('end trial');
      return Promise.resolve();
    },
    application: notAsked,
    foreignRecorders: notAsked,
  };
  const missing: boolean[] = [];
  const deadman = new Deadman({
    ari,
    channel: own,
    left: () => Promise.resolve(now.left.concat(now.left.length === 0 ? [] : 'gone') as ChannelId[]),
    limitSeconds: 5,
    isWatching: () => now.isWatching,
    answers: () => Promise.resolve(now.answers),
    isCallOn: () => now.isCallOn,
    recordersEnded: (at) => {
      if (now.recordersFail !== undefined) return Promise.reject(new PreavisError(now.recordersFail, 'full'));
      ended.push(at);
      return Promise.resolve();
    },
    trial: () => trial,
    isMissing: (is) => missing.push(is),
    log,
  });

  made.push(deadman);

  return { deadman, ended, lines, missing };
}

const made: Deadman[] = [];
// Also after a failure: its timer would keep the process alive.
afterEach(() => {
  jest.useRealTimers();
  for (const deadman of made.splice(0)) void deadman.stop();
});

describe('what is done about the dead-man channel', () => {
  it.each([
    ['unknown', true, 'renew'],
    ['unknown', false, 'release'],
    ['up', true, 'renew'],
    ['up', false, 'release'],
    ['none', true, 'create'],
    ['none', false, 'nothing'],
  ] as const)('where it is %s, with a call on: %s, is: %s', (known, isCallOn, step) => {
    expect(deadmanStep(known, isCallOn)).toBe(step);
  });
});

describe('the dead-man channel', () => {
  it('of an earlier process is renewed, not made anew', async () => {
    const now = scene({ isUp: true });
    const { deadman } = make(now);
    deadman.start();
    await deadman.stop();
    expect(now.asked).toEqual(['renew 5', 'renew 5']);
  });

  it('takes the place of those that others have left: they are let go, once, when it is up', async () => {
    const now = scene({ left: ['of-a', 'of-b'] });
    const { deadman } = make(now);
    deadman.start();
    await deadman.stop();
    const letGo = ['release of-a', 'release of-b', 'release gone'];
    expect(now.asked).toEqual(['renew 5', ...tried, 'create 5', ...letGo, 'renew 5']);
  });

  it('does not let go those that others have left while there is none of its own', async () => {
    const now = scene({ left: ['of-a'], hasContext: false });
    const { deadman } = make(now);
    deadman.start();
    await deadman.stop();
    expect(now.asked.filter((each) => each.startsWith('release'))).toEqual([]);
  });

  it('is made when it is not there, after it was told that recorders had ended with the last one', async () => {
    const now = scene({ endedAt: 12_000 });
    const { deadman, ended } = make(now);
    deadman.start();
    await deadman.stop();
    expect(now.asked).toEqual(['renew 5', ...tried, 'create 5', 'renew 5']);
    expect(ended).toEqual([12_000]);
  });

  it.each([
    ['nobody watches', { isWatching: false }],
    ['Asterisk does not answer on the event socket', { answers: false }],
  ])('is left to its end while %s', async (_, changes) => {
    const now = scene({ isUp: true, ...changes });
    const { deadman } = make(now);
    deadman.start();
    await deadman.stop();
    expect(now.asked).toEqual([]);
  });

  it('is left to its end where the application was taken while Asterisk answered', async () => {
    const now = scene({ isUp: true });
    const watches = [true, false];
    Object.defineProperty(now, 'isWatching', { get: () => watches.shift() ?? false });
    const { deadman } = make(now);
    deadman.start();
    await deadman.stop();
    expect(now.asked).toEqual([]);
  });

  it('is let go at the end when no call is on, and left where one is', async () => {
    const now = scene({ isUp: true });
    const { deadman } = make(now);
    deadman.start();
    await eventually(() => now.asked.length === 1);
    now.isCallOn = false;
    await deadman.stop();
    expect(now.asked).toEqual(['renew 5', 'release']);
    await deadman.stop();
    expect(now.asked).toHaveLength(2);
  });

  it('is made at once for a call that comes between two turns', async () => {
    const now = scene({ isCallOn: false });
    const { deadman } = make(now);
    deadman.start();
    await eventually(() => now.asked.length === 1);
    now.isCallOn = true;
    deadman.callCame();
    await eventually(() => now.isUp, { withinMs: 500 });
    await deadman.stop();
    expect(now.asked).toEqual(['release', ...tried, 'create 5', 'renew 5']);
  });

  it('that was made although Asterisk did not answer is renewed at the next turn', async () => {
    const now = scene({ unanswered: 'create' });
    const { deadman, lines } = make(now);
    deadman.start();
    await eventually(() => now.asked.includes('create 5'));
    await deadman.stop();
    expect(now.asked).toEqual(['renew 5', ...tried, 'create 5', 'renew 5']);
    expect(lines).toEqual([]);
  });

  it('that came up late is renewed at the next turn', async () => {
    const now = scene({ comesUpLate: true });
    const { deadman } = make(now);
    deadman.start();
    await eventually(() => now.asked.includes('create 5'));
    now.isUp = true;
    await deadman.stop();
    expect(now.asked).toEqual(['renew 5', ...tried, 'create 5', 'renew 5']);
  });

  it('that was not let go is renewed for the next call', async () => {
    const now = scene({ isUp: true, isCallOn: false, unanswered: 'release' });
    const { deadman } = make(now);
    deadman.start();
    await eventually(() => now.asked.length === 1);
    Object.assign(now, { isCallOn: true, unanswered: undefined });
    await deadman.stop();
    expect(now.asked).toEqual(['release', 'renew 5']);
  });

  it.each([
    ['the dialplan has no context for it', { hasContext: false }],
    ['Asterisk has no SoftHangup()', { hasModule: false }],
    ['a proxy refuses it', { refuse: 'ari_unauthorized' as const }],
    ['a proxy refuses to say', { hasModule: 'refused' as const }],
  ])('is told to be missing once where %s, and calls go on', async (_, changes) => {
    const now = scene({ isCallOn: false });
    const { deadman, lines, missing } = make(now);
    deadman.start();
    await eventually(() => now.asked.length === 1);
    Object.assign(now, { isCallOn: true, ...changes });
    for (let turn = 0; turn < 3; turn += 1) deadman.callCame();
    await eventually(() => lines.some(({ code }) => code === 'deadman_unusable'));
    for (let turn = 0; turn < 3; turn += 1) deadman.callCame();
    await deadman.stop();
    expect(lines.filter(({ code }) => code === 'deadman_unusable')).toHaveLength(1);
    expect(lines.find(({ code }) => code === 'deadman_unusable')).toMatchObject({ level: 'error' });
    expect(missing).toEqual([true]);
  });

  it.each([
    ['Asterisk has no SoftHangup() any more', { hasModule: false }],
    ['the armed one does not come up any more', { comesUpLate: true }],
    ['a proxy has come to refuse it', { refuse: 'ari_unauthorized' as const }],
  ])('that could be made is told to be missing for as long as %s', async (_, changes) => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ isCallOn: false });
      const { deadman, lines, missing } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(1_500);
      expect(missing).toEqual([false]);
      Object.assign(now, { isCallOn: true, ...changes });
      await jest.advanceTimersByTimeAsync(60_000);
      expect(missing).toEqual([false, true]);
      expect(lines.filter(({ code }) => code === 'deadman_unusable')).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is not made without SoftHangup() where that of an earlier process was renewed', async () => {
    const now = scene({ isUp: true, hasModule: false });
    const { deadman, missing } = make(now);
    deadman.start();
    await eventually(() => now.asked.length === 1);
    now.isUp = false;
    deadman.lookNow();
    await eventually(() => missing.includes(true));
    await deadman.stop();
    expect(now.asked).not.toContain('create 5');
  });

  it('is renewed a moment later where Asterisk has not put it into our application yet', async () => {
    const now = scene({ conflicts: 15 });
    const { deadman, lines, missing } = make(now);
    deadman.start();
    await eventually(() => now.isUp);
    await deadman.stop();
    expect([lines, now.conflicts]).toEqual([[], 0]);
    expect(missing).not.toContain(true);
  });

  it('is not told to be missing where what the last one did cannot be read', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ endedAt: 12_000, recordersFail: 'internal' });
      const { deadman, ended, lines, missing } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(8_000);
      expect(missing).not.toContain(true);
      expect(lines).toEqual([]);
      now.recordersFail = undefined;
      await jest.advanceTimersByTimeAsync(1_500);
      expect(ended).toEqual([12_000]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is tried out once without a call, and again while it cannot be made', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ isCallOn: false, hasContext: false });
      const { deadman, lines, missing } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(5_000);
      expect(missing).toEqual([true]);
      await jest.advanceTimersByTimeAsync(20_000);
      expect(missing).toEqual([true]);
      expect(now.asked.filter((each) => each === 'try').length).toBeGreaterThan(1);
      now.hasContext = true;
      await jest.advanceTimersByTimeAsync(11_000);
      expect(missing).toEqual([true, false]);
      expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'dead-man channel available again' });
      now.asked.length = 0;
      await jest.advanceTimersByTimeAsync(30_000);
      expect(now.asked).toEqual([]);
      await deadman.stop();
    } finally {
      jest.useRealTimers();
    }
  });

  it('is tried out again where Asterisk does not answer', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ isCallOn: false, unanswered: 'try' });
      const { deadman, lines, missing } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(3_000);
      now.unanswered = undefined;
      await jest.advanceTimersByTimeAsync(3_000);
      await deadman.stop();
      expect(now.asked.filter((each) => each === 'try').length).toBeGreaterThan(1);
      expect([missing, lines, now.isUp]).toEqual([[false], [], false]);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([
    [false, 'ari_unauthorized'],
    [true, 'ari_unauthorized'],
    [true, 'ari_not_found'],
  ] as const)(
    'that cannot be renewed is told to be missing, and not made, so that it ends no recorder (with a call: %s, %s)',
    async (isCallOn, refusesRenewal) => {
      jest.useFakeTimers({ now: 0 });
      try {
        const now = scene({ isCallOn, refusesRenewal });
        const { deadman, lines, missing } = make(now);
        deadman.start();
        await jest.advanceTimersByTimeAsync(25_000);
        expect(missing).toEqual([true]);
        expect(now.asked).not.toContain('create 5');
        expect(lines.filter(({ code }) => code === 'deadman_unusable')).toHaveLength(1);
        now.refusesRenewal = undefined;
        await jest.advanceTimersByTimeAsync(11_000);
        expect(missing.slice(0, 2)).toEqual([true, false]);
        expect(now.isUp).toBe(isCallOn);
        await deadman.stop();
      } finally {
        jest.useRealTimers();
      }
    },
  );

  it('is not made for the next call where Asterisk has come to refuse its renewal', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ isCallOn: false });
      const { deadman, missing } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(1_500);
      Object.assign(now, { isCallOn: true, refusesRenewal: 'ari_unauthorized' });
      await jest.advanceTimersByTimeAsync(15_000);
      expect([missing.at(-1), now.isUp]).toEqual([true, true]);
      now.isCallOn = false;
      await jest.advanceTimersByTimeAsync(15_000);
      now.asked.length = 0;
      now.isCallOn = true;
      await jest.advanceTimersByTimeAsync(25_000);
      expect(now.asked).toContain('try');
      expect(now.asked).not.toContain('create 5');
      expect(missing.at(-1)).toBe(true);
      await deadman.stop();
    } finally {
      jest.useRealTimers();
    }
  });

  it('tells what the last one did also where the catalogue works again after the call', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const now = scene({ endedAt: 12_000, recordersFail: 'catalogue_unusable' });
      const { deadman, ended } = make(now);
      deadman.start();
      await jest.advanceTimersByTimeAsync(2_000);
      now.isCallOn = false;
      await jest.advanceTimersByTimeAsync(2_000);
      expect([now.isUp, ended]).toEqual([false, []]);
      now.recordersFail = undefined;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(ended).toEqual([12_000]);
      await deadman.stop();
    } finally {
      jest.useRealTimers();
    }
  });

  it('does not hide a fault of Préavis itself', async () => {
    const now = scene({ isCallOn: false, refuse: 'internal' });
    const { deadman, lines, missing } = make(now);
    deadman.start();
    await eventually(() => missing.length === 1);
    await deadman.stop();
    expect(lines).toMatchObject([{ level: 'error', code: 'internal' }]);
  });

  it('is made also while the catalogue fails, and what the last one did is written down later', async () => {
    const now = scene({ endedAt: 12_000, recordersFail: 'catalogue_unusable' });
    const { deadman, ended, lines, missing } = make(now);
    deadman.start();
    await eventually(() => now.isUp);
    now.recordersFail = undefined;
    await deadman.stop();
    expect(ended).toEqual([12_000]);
    expect(missing).not.toContain(true);
    expect(lines).toEqual([]);
  });

  it('that is there, and that Asterisk refuses to renew, is told to end recorders that are watched', async () => {
    const now = scene({ isUp: true });
    const { deadman, lines, missing } = make(now);
    deadman.start();
    await eventually(() => missing.length === 1);
    now.refuse = 'ari_unauthorized';
    await deadman.stop();
    expect(missing).toEqual([false, true]);
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      code: 'deadman_unusable',
      msg: 'dead-man channel not renewed; watched recorders will be ended',
    });
  });
});

test('events of the dead-man channel and its other half are no calls, those of any other channel are', () => {
  const left = (id: string): boolean =>
    tellsOfDeadman({ type: 'channelLeft', at: 0, channelId: id as ChannelId }, 'preavis');
  expect(
    [deadmanOf('preavis', 'feed'), `${deadmanOf('preavis', 'feed')};2`, deadmanOf('other', 'feed'), '1700000000.1'].map(
      left,
    ),
  ).toEqual([true, true, false, false]);
  expect(tellsOfDeadman({ type: 'applicationReplaced', at: 0 }, 'preavis')).toBe(false);
});

it('a trial ends by itself, is in no CDR, and is not armed', async () => {
  const sent: unknown[] = [];
  const request: AriRequest = (...asked) => {
    sent.push(asked.at(-1));
    return Promise.resolve({});
  };
  const commands = makeDeadmanCommands(request, 'preavis');
  await commands.tryApplication(trial, 10);
  await commands.tryContext(trial, 10);
  const body = { variables: { 'TIMEOUT(absolute)': '10', 'CDR_PROP(disable)': '1' } };
  expect(sent).toEqual([body, body]);
});

import { writeFileSync } from 'node:fs';
import {
  bounds,
  latePackets,
  lateTimers,
  noteCarried,
  noteKeyDelay,
  watched,
  watchVariable,
} from '../../../lab/machine/lateness.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const temporary = temporaryFolder();

/** Packets of one stream at these times, ms. */
const packetsAt = (times: readonly number[], stream = 'a') =>
  times.map((at) => ({ stream, fromPort: 20_000, at, begins: false }));

describe('packets of sound', () => {
  const end = 10_000;

  it('are on time each 20 ms, and in the burst that makes up for a gap within the bound', () => {
    expect(
      latePackets(packetsAt([0, 20, 40, 60 + bounds.packet, 61 + bounds.packet, 80 + bounds.packet]), end),
    ).toEqual([]);
  });

  it('are late behind a gap beyond the bound', () => {
    const at = 41 + bounds.packet + 1;
    expect(latePackets(packetsAt([0, 20, at]), end)).toEqual([{ kind: 'packet', at, lateMs: at - 40 }]);
  });

  it('of several telephones are not taken for those of one', () => {
    const packets = [...packetsAt([0, 20, 40], 'a'), ...packetsAt([500, 520], 'b')];
    expect(latePackets(packets, end)).toEqual([]);
  });

  it('are not late behind a silence that the telephone chose, which their marker says', () => {
    const later = packetsAt([3_000]).map((packet) => ({ ...packet, begins: true }));
    expect(latePackets([...packetsAt([0, 20, 40]), ...later, ...packetsAt([3_020])], end)).toEqual([]);
  });

  it('behind a gap that began after the call do not count', () => {
    expect(latePackets(packetsAt([0, 20, 40, 900]), 30)).toEqual([]);
  });
});

describe('timers and stolen time', () => {
  const text = `timer 1000 ${bounds.timer + 1}\ntimer 2000 ${bounds.timer}\nstolen 3000 ${bounds.stolen + 1}\nnoCapture 0 0\n`;

  it('count beyond their bounds while the call was made', () => {
    expect(lateTimers(text, 900, 4000).map(({ kind, at }) => [kind, at])).toEqual([
      ['timer', 1000],
      ['stolen', 3000],
    ]);
  });

  it('do not count before and after it', () => {
    expect(lateTimers(text, 1001, 1900)).toEqual([]);
  });

  it('count when the call began or ended while they were late', () => {
    expect(lateTimers(text, 0, 1000 - bounds.timer)).toHaveLength(1);
  });
});

describe('what is watched', () => {
  it('has its outcome, and each delay of this process beyond the bound', async () => {
    const { outcome, late } = await watched(() => {
      noteKeyDelay(bounds.key);
      noteKeyDelay(bounds.key + 1);
      return Promise.resolve('done');
    });
    expect(outcome).toEqual({ value: 'done' });
    expect(late.filter(({ kind }) => kind === 'key')).toMatchObject([{ lateMs: bounds.key + 1 }]);
  });

  it('has what it threw', async () => {
    const error = new Error('no');
    expect((await watched(() => Promise.reject(error))).outcome).toEqual({ error });
  });

  it('is not told to be on time once the capture has ended, and says what came of it', async () => {
    const own = process.env[watchVariable];
    process.env[watchVariable] = temporary.path();
    try {
      writeFileSync(temporary.path('late.txt'), 'captureEnded 0 0\n');
      const error = new Error('no');
      await expect(watched(() => Promise.reject(error))).rejects.toMatchObject({
        message: expect.stringContaining('tcpdump has ended') as string,
        cause: error,
      });
    } finally {
      process.env = { ...process.env, [watchVariable]: own };
    }
  });

  const pause = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
  /** Still, without computing. */
  const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  it('knows that this process stood still', async () => {
    const { late } = await watched(async () => {
      await pause();
      standStill(bounds.loop + 100);
      await pause();
    });
    expect(late.filter(({ kind }) => kind === 'loop')).toHaveLength(1);
  });

  it('knows that what a proxy carries has waited meanwhile, and that what comes later has not', async () => {
    const kindsOf = async (stillMs: number, laterMs: number, slowMs = 0): Promise<string[]> => {
      const { late } = await watched(async () => {
        await pause();
        standStill(stillMs);
        await pause(laterMs);
        standStill(slowMs);
        noteCarried();
      });
      return late.map(({ kind }) => kind).filter((kind) => kind !== 'timer' && kind !== 'stolen');
    };
    expect(await kindsOf(bounds.proxy + 100, 0)).toEqual(['proxy']);
    // It goes on slowly: what has waited comes to the proxy some time after the look that sees it.
    expect(await kindsOf(bounds.proxy + 100, 0, 50)).toEqual(['proxy']);
    expect(await kindsOf(bounds.proxy + 100, 100)).toEqual([]);
    expect(await kindsOf(bounds.proxy / 5, 0)).toEqual([]);
  });
});

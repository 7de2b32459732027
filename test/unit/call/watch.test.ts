import { Watch, type WatchMark } from '../../../src/call/watch.ts';
import { collectingLog } from '../../support/logLines.ts';

function stage(before?: WatchMark) {
  const clock = { at: 1_000_000, now: () => clock.at };
  const saved: WatchMark[] = [];
  const { log } = collectingLog('info');
  const save = (mark: WatchMark): Promise<void> => {
    saved.push(mark);
    return Promise.resolve();
  };

  return { clock, saved, watch: new Watch({ clock, before, save, log }) };
}

describe('until when every event was seen', () => {
  it('is the last answer of Asterisk while calls are watched', () => {
    const { clock, watch, saved } = stage();
    watch.listenAgain();
    clock.at += 4_000;
    watch.answered();
    expect(watch.until).toBe(1_004_000);
    expect(saved.map(({ until }) => until)).toEqual([1_000_000, 1_004_000]);
  });

  it('is what the process before has left, until the calls are compared', () => {
    const { clock, watch, saved } = stage({ until: 900_000, aheadMs: 0 });
    watch.answered();
    expect(watch.until).toBe(900_000);
    watch.listenAgain();
    expect(watch.until).toBe(clock.at);
    expect(saved).toHaveLength(1);
  });

  it('does not move on while events are missed', () => {
    const { clock, watch } = stage();
    watch.listenAgain();
    watch.goDeaf();
    clock.at += 9_000;
    watch.answered();
    expect(watch.until).toBe(1_000_000);
  });

  it('is by the clock of Asterisk, as its events tell it; one that was read late counts for nothing', () => {
    const { clock, watch } = stage();
    watch.listenAgain();
    watch.heard(clock.at + 7_000);
    watch.heard(clock.at - 5_000);
    watch.answered();
    expect(watch.until).toBe(1_007_000);
    expect(watch.now()).toBe(1_007_000);
  });

  it.each([
    ['forward', 60],
    ['back', -60],
  ])('is by the earlier of two clocks, where one was set %s, and its end by the later', (_, days) => {
    const { clock, watch } = stage();
    const setMs = days * 86_400_000;
    watch.listenAgain();
    watch.heard(clock.at);
    watch.heard(clock.at + setMs);
    watch.answered();
    expect(watch.until).toBe(clock.at + Math.min(0, setMs));
    expect(watch.now()).toBe(clock.at + Math.max(0, setMs));
  });

  it('is written down once a second at most', () => {
    const { clock, watch, saved } = stage();
    watch.listenAgain();
    for (let count = 0; count < 30; count += 1) {
      clock.at += 100;
      watch.answered();
    }
    expect(saved).toHaveLength(4);
  });
});

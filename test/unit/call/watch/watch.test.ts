import { Watch } from '../../../../src/call/watch/watch.ts';
import { collectingLog } from '../../../support/logLines.ts';

function stage(before?: number) {
  const kept = { is: true };
  const saved: number[] = [];
  const { log } = collectingLog('info');
  const save = (until: number): Promise<void> => {
    saved.push(until);
    return Promise.resolve();
  };

  return { kept, saved, watch: new Watch({ before, save, isKept: () => kept.is, log }) };
}

const began = 1_000_000;

describe('until when every event was seen', () => {
  it('is the time of the last event or ping by the clock of Asterisk, whenever this process read it', () => {
    const { watch, saved } = stage();
    watch.listenAgain(began);
    watch.seen(began + 4_000);
    expect(watch.until).toBe(began + 4_000);
    expect(saved).toEqual([began, began + 4_000]);
  });

  it('is what the process before has left, until the calls are compared', () => {
    const { watch, saved } = stage(900_000);
    watch.seen(began);
    expect(watch.until).toBe(900_000);
    watch.listenAgain(began);
    expect(watch.until).toBe(began);
    expect(saved).toHaveLength(1);
  });

  it('does not move on while events are missed', () => {
    const { watch } = stage();
    watch.listenAgain(began);
    watch.goDeaf();
    watch.seen(began + 9_000);
    expect(watch.until).toBe(began);
  });

  it.each([
    ['forward', 60],
    ['back', -60],
  ])('follows the clock of Asterisk that was set %s', (_, days) => {
    const { watch, saved } = stage();
    const then = began + days * 86_400_000;
    watch.listenAgain(began);
    watch.seen(then);
    expect(watch.until).toBe(then);
    expect(saved).toEqual([began, then]);
  });

  it('is written down once a second at most', () => {
    const { watch, saved } = stage();
    watch.listenAgain(began);
    for (let count = 1; count <= 30; count += 1) watch.seen(began + 100 * count);
    expect(saved).toHaveLength(4);
  });

  it('is not written down while what was seen before is not', () => {
    const { watch, saved, kept } = stage();
    watch.listenAgain(began);
    kept.is = false;
    watch.seen(began + 5_000);
    expect(saved).toEqual([began]);
    kept.is = true;
    watch.seen(began + 5_100);
    expect(saved).toEqual([began, began + 5_100]);
  });
});

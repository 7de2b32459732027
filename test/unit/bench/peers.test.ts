/** How `npm run bench:peers` counts: what is subtracted, what is compared with what. */
import { spreadOf, summarise, tablesOf, type Batch, type Rest, type Way } from '../../../bench/peers/report.ts';

const rest: Rest = { asterisk: 2, serve: 3, serveMain: 2, plain: 1 };

const batch = (way: Way, round: number, asterisk: number, more: Partial<Batch> = {}): Batch => ({
  round,
  way,
  atOnce: 10,
  answered: 10,
  recorded: 0,
  seconds: 20,
  cpu: { asterisk, serve: 160, serveMain: 90 },
  gapsMs: [],
  packets: { came: 450, due: 450 },
  ...more,
});

describe('the comparison with peers', () => {
  it('counts what a call takes beyond what is taken at rest', () => {
    const [dial] = summarise([batch('dial', 1, 540)], rest);
    expect(dial).toMatchObject({
      asteriskMs: { median: 50 },
      serveMs: { median: 10 },
      serveMainMs: { median: 5 },
    });
  });

  it('subtracts the rest of the other Asterisk where Préavis is not connected, and counts no Préavis there', () => {
    const [alone] = summarise([batch('alone', 1, 520)], rest);
    expect(alone).toMatchObject({ asteriskMs: { median: 50 }, serveMs: { median: 0 } });
  });

  it('compares each batch with MixMonitor() of its own round', () => {
    const batches = [
      batch('mixMonitor', 1, 840),
      batch('follow', 1, 840),
      batch('mixMonitor', 2, 1640),
      batch('follow', 2, 3240),
    ];
    const follow = summarise(batches, rest).find(({ way }) => way === 'follow');
    expect(follow?.ofMixMonitor).toEqual({ median: 1.5, least: 1, most: 2 });
    expect(follow?.withServeOfMixMonitor).toEqual({ median: 1.59375, least: 1.125, most: 2.0625 });
  });

  it('says no ratio where MixMonitor() was not measured', () => {
    expect(summarise([batch('follow', 1, 840)], rest)[0]?.ofMixMonitor).toBeUndefined();
  });

  it('takes p50 and p99 of each round, and their median of all rounds', () => {
    const gapsMs = Array.from({ length: 100 }, (_, index) => index + 1);
    const [follow] = summarise([batch('follow', 1, 840, { gapsMs }), batch('follow', 2, 840, { gapsMs: [5] })], rest);
    expect(follow?.gapMs).toEqual({
      p50: { median: 27.5, least: 5, most: 50 },
      p99: { median: 52, least: 5, most: 99 },
    });
  });

  it('counts the packets that did not come to those who listen', () => {
    const lossy = batch('dial', 2, 540, { packets: { came: 447, due: 450 } });
    expect(summarise([batch('dial', 1, 540), lossy], rest)[0]?.packets).toEqual({ lost: 3, due: 900 });
  });

  it('has a table for each size, and a row for each way in one order', () => {
    const batches = [
      batch('follow', 1, 840),
      batch('mixMonitor', 1, 840),
      batch('dial', 1, 540, { atOnce: 100, answered: 100 }),
    ];
    const lines = tablesOf(summarise(batches, rest)).split('\n');
    const titles = lines.filter((line) => line.includes('at once'));
    expect(titles.map((line) => line.split(' ')[0])).toEqual(['10', '100']);
    const rows = lines.filter((line) => /^(Dial|Mix|bridge|follow)/.test(line));
    expect(rows.map((line) => line.split('  ')[0])).toEqual(['MixMonitor()', 'follow', 'Dial()']);
  });
});

test('the median of an even number of rounds lies between the middle two', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 });
  expect(spreadOf([])).toBeUndefined();
});

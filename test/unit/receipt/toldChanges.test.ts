import { toldChanges } from '../../../src/receipt/toldChanges.ts';
import type { Change } from '../../../src/call/watch/timeline.ts';

const change = (name: Change, at: number | null) => ({ change: name, at });
const kept = (...changes: ReturnType<typeof change>[]): string[] =>
  toldChanges(changes).map((each) => `${each.change} ${each.at ?? '?'}`);

test('of an attended transfer by a feature code to somebody who is told, they alone were told', () => {
  expect(
    kept(
      change('recorderPaused', 1),
      // The Local/ channel of Asterisk, and who is behind it.
      change('transferred', 2),
      change('transferred', null),
      change('allTold', 3),
      change('transferred', 4),
      change('newcomerTold', 9),
      change('allTold', 9),
      change('recorderResumed', 10),
    ),
  ).toEqual([
    'recorderPaused 1',
    'transferred 2',
    'transferred ?',
    'transferred 4',
    'newcomerTold 9',
    'allTold 9',
    'recorderResumed 10',
  ]);
});

test('where who was being told has left, and the recording goes on with those who know, nobody else is there', () => {
  const left = [change('joined', 1), change('allTold', 3), change('awareJoined', 4), change('recorderResumed', 4)];
  expect(kept(...left, change('joined', 8))).toContain('allTold 3');
  expect(kept(change('joined', 1), change('allTold', 3))).toContain('allTold 3');
});

test('who was told was told, whoever comes next', () => {
  const told = [change('joined', 1), change('newcomerTold', 3), change('allTold', 3), change('joined', 3)];
  expect(kept(...told)).toContain('allTold 3');
});

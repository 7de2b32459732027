import { appendFileSync } from 'node:fs';
import { followFile, followList } from '../../../../lab/pane/follow.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();

test('a file that comes later is followed line by line, also where a sign is written in two goes', async () => {
  const file = folder.path('later.log');
  const lines: string[] = [];
  const following = followFile(file, 'start', (line) => lines.push(line));
  expect(lines).toEqual([]);
  const accent = Buffer.from('é\n');
  appendFileSync(file, Buffer.concat([Buffer.from('one\ntw'), accent.subarray(0, 1)]));
  await eventually(() => {
    expect(lines).toEqual(['one']);
  });
  appendFileSync(file, accent.subarray(1));
  await following.stop();
  expect(lines).toEqual(['one', 'twé']);
});

test('what a file has already is left out where it is followed from its end', async () => {
  const file = folder.path('known.log');
  appendFileSync(file, 'before\n');
  const lines: string[] = [];
  const following = followFile(file, 'end', (line) => lines.push(line));
  appendFileSync(file, 'after\n');
  await following.stop();
  expect(lines).toEqual(['after']);
});

test('each entry of a list is told once, those from after the start too', async () => {
  const list = [1];
  const told: number[] = [];
  const following = followList(
    () => list,
    (entry) => told.push(entry),
  );
  list.push(2, 3);
  await following.stop();
  expect(told).toEqual([1, 2, 3]);
});

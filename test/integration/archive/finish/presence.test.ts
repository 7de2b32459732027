import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { readPresence } from '../../../../src/archive/finish/presence.ts';
import { celEnd, celEnter, celText } from '../../../support/ari/cel.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const start = Date.UTC(2026, 10, 25, 3);
const interval = {
  id: 1,
  from: start + 20_000,
  to: start + 30_000,
  heardAgainAt: start + 30_000,
  why: 'connection_lost' as const,
  bridge: 'bridge',
  parties: ['caller', 'destination'],
  judged: null,
};
const window = { from: start, to: start + 65_000, recorderEnd: start + 60_000, header: 'unfinished' as const };

describe('who was in a bridge whose Asterisk died, by its CEL file,', () => {
  test('is known once a line of any channel is from after the interval, and not before: CEL may have stopped', async () => {
    const at = folder.path('stopped');
    await mkdir(at);
    const file = `${at}/preavis.csv`;
    await writeFile(
      file,
      celText([celEnter(start + 1_000, 'caller', 'bridge'), celEnter(start + 1_001, 'destination', 'bridge')]),
    );
    expect([...(await readPresence(file, [interval], window))]).toEqual([[1, 'incomplete']]);
    await appendFile(file, celText([celEnd(start + 30_001, 'another')]));
    expect([...(await readPresence(file, [interval], window))]).toEqual([[1, 'onlyTold']]);
    expect([...(await readPresence(file, [interval], { ...window, header: 'intact' }))]).toEqual([[1, 'incomplete']]);
  });

  test('is not known where its lines are more than are read', async () => {
    const at = folder.path('many');
    await mkdir(at);
    const file = `${at}/preavis.csv`;
    const begin = [celEnter(start + 1_000, 'caller', 'bridge'), celEnter(start + 1_001, 'destination', 'bridge')];
    const long = (ms: number): string => celEnd(start + ms, `another${'x'.repeat(3_900)}`);
    await writeFile(file, celText([...begin, ...Array.from({ length: 10_000 }, (_, index) => long(2_000 + index))]));
    await appendFile(
      file,
      celText([celEnter(start + 25_000, 'stranger', 'bridge'), celEnd(start + 70_000, 'another')]),
    );
    expect([...(await readPresence(file, [interval], window))]).toEqual([[1, 'incomplete']]);
  });

  test('is not known where it cannot be read', async () => {
    expect([...(await readPresence(folder.path('nowhere/preavis.csv'), [interval], window))]).toEqual([
      [1, 'incomplete'],
    ]);
  });
});

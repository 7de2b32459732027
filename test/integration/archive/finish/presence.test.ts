import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { readPresence } from '../../../../src/archive/finish/presence.ts';
import { ulid } from 'ulid';
import { celEnd, celEnter, celLeave, celText } from '../../../support/ari/cel.ts';
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

test('where the caller was beside that bridge counts for a followed call, whose recorder goes with them, and for no other', async () => {
  const file = folder.path('elsewhere.csv');
  const stay = (channel: string, bridge: string, from: number, to: number): string[] => [
    celEnter(start + from, channel, bridge),
    celLeave(start + to, channel, bridge),
  ];
  const calls = [
    { id: 1, bridge: 'of-the-dialplan', caller: 'one', moves: true },
    { id: 2, bridge: 'of-the-dialplan-too', caller: 'two', moves: false },
    { id: 3, bridge: `preavis-${ulid()}`, caller: 'three', moves: true },
  ];
  const lines = calls.flatMap(({ bridge, caller, moves }) => [
    ...[caller, `${caller}-destination`].flatMap((channel) => stay(channel, bridge, 1_000, 61_000)),
    ...(moves ? stay(caller, `${caller}-elsewhere`, 22_000, 24_000) : []),
  ]);
  await writeFile(file, celText([...lines, celEnd(start + 90_000, 'another')]));
  const intervals = calls.map(({ id, bridge, caller }) => {
    return { ...interval, id, bridge, parties: [caller, `${caller}-destination`] };
  });
  expect([...(await readPresence(file, intervals, { ...window, header: 'intact' }))]).toEqual([
    [1, 'others'],
    [2, 'onlyTold'],
    [3, 'onlyTold'],
  ]);
});

/** How `npm run bench:shares` divides the time of a process by one of Node's profiles. */
import { byRoom, sharesOf, type Profile } from '../../../bench/peers/shares.ts';

const frame = (functionName: string, url = ''): Profile['nodes'][number]['callFrame'] => ({
  functionName,
  url,
  lineNumber: 0,
  columnNumber: 0,
});

/** A file of ours asks a package, which asks Node; a package reads by itself; a file of another room. */
const nodes: Profile['nodes'] = [
  { id: 1, callFrame: frame('(root)'), children: [2, 5, 7, 8, 9] },
  { id: 2, callFrame: frame('request', 'src/ari/httpClient.ts'), children: [3] },
  { id: 3, callFrame: frame('dispatch', 'node_modules/undici/lib/pool.js'), children: [4] },
  { id: 4, callFrame: frame('write') },
  { id: 5, callFrame: frame('read', 'node_modules/@scope/ws/receiver.js'), children: [6] },
  { id: 6, callFrame: frame('parse', 'src/ari/events.ts') },
  { id: 7, callFrame: frame('(idle)') },
  { id: 8, callFrame: frame('(garbage collector)') },
  { id: 9, callFrame: frame('toString') },
];
const locate = ({ url }: { url: string }): string | undefined => (url === '' ? undefined : url);
const of = (samples: readonly number[], from?: number) =>
  sharesOf({ nodes, samples, timeDeltas: samples.map(() => 1_000_000) }, locate, from);
const parts = (shares: ReturnType<typeof of>) => Object.fromEntries(shares.map(({ what, part }) => [what, part]));

test('what a file of ours has asked for is its own, and a package has the rest', () => {
  expect(parts(of([4, 4, 5, 6]))).toEqual({
    'src/ari/httpClient.ts': 0.5,
    '@scope/ws': 0.25,
    'src/ari/events.ts': 0.25,
  });
});

test('nothing counts while nothing is done, nor before the time from which on it is asked for', () => {
  expect(of([7, 7, 8, 9])).toEqual([
    { what: 'garbage collector', ms: 1_000, part: 0.5 },
    { what: 'Node itself', ms: 1_000, part: 0.5 },
  ]);
  expect(parts(of([4, 4, 4, 8], 4))).toEqual({ 'garbage collector': 1 });
});

test('the files of a room are one, the largest first', () => {
  expect(byRoom(of([6, 4, 8])).map(({ what, ms }) => [what, ms])).toEqual([
    ['src/ari', 2_000],
    ['garbage collector', 1_000],
  ]);
});

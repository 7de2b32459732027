import { overRows, type RowPass } from '../../../src/archive/rowPass.ts';

const rows = ['a', 'b', 'c'];

/** A pass over three rows, one at a time, in which this happens at each. */
const passOf = (attempt: (row: string) => Promise<void>): RowPass<string> => ({
  page: (after) => Promise.resolve(rows.filter((row) => row > after)),
  idOf: (row) => row,
  attempt,
  failed: (_row, error) => Promise.resolve(error),
  atOnce: 1,
  total: rows.length,
});

test('a pass that is interrupted between two rows throws the reason, and begins no other row', async () => {
  const stop = new AbortController();
  const done: string[] = [];
  const pass = passOf((row) => {
    done.push(row);
    if (row === 'b') stop.abort(new Error('interrupted'));
    return Promise.resolve();
  });
  await expect(overRows(pass, { signal: stop.signal })).rejects.toThrow('interrupted');
  expect(done).toEqual(['a', 'b']);
});

test('a pass that is interrupted when its last row has begun has done all, and resolves', async () => {
  const stop = new AbortController();
  const done: string[] = [];
  const pass = passOf((row) => {
    done.push(row);
    if (row === 'c') stop.abort(new Error('interrupted'));
    return Promise.resolve();
  });
  await overRows(pass, { signal: stop.signal });
  expect(done).toEqual(rows);
});

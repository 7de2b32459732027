import { makeCallerKeeper, makeNumberReader, type KeptCaller } from '../../../../src/call/plan/callerStore.ts';
import type { CallId } from '../../../../src/core/ids.ts';

const keys = { hashKey: 'h'.repeat(32), numberKey: 'n'.repeat(32) };
const call = '01K00000000000000000000001' as CallId;

async function kept(number: string, given: { hashKey?: string; numberKey?: string } = keys): Promise<KeptCaller[]> {
  const rows: KeptCaller[] = [];
  const keeper = makeCallerKeeper({
    table: {
      keep: (caller) => {
        rows.push(caller);
        return Promise.resolve();
      },
    },
    hashKey: given.hashKey,
    numberKey: given.numberKey,
    defaultCountry: 'BE',
  });
  await keeper.keep(call, number);

  return rows;
}

describe('whose call it is', () => {
  test('has the same hash for every form of the number, and the number is read back in one form', async () => {
    const rows = (
      await Promise.all(['+32 2 555 01 23', '0032 2 555 01 23', '02/555.01.23'].map((n) => kept(n)))
    ).flat();
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(1);
    expect(rows.map(makeNumberReader(keys.numberKey))).toEqual(Array(3).fill('+3225550123'));
    expect(JSON.stringify(rows)).not.toMatch(/555|0123/);
    expect(rows.map(makeNumberReader('m'.repeat(32)))).toEqual(Array(3).fill(undefined));
    expect(rows.map(makeNumberReader(undefined))).toEqual(Array(3).fill(undefined));
  });

  test('is only a hash without the second key, and not kept without the first', async () => {
    expect(await kept('+3225550123', { hashKey: keys.hashKey })).toMatchObject([{ call, sealed: null }]);
    expect(await kept('+3225550123', {})).toEqual([]);
  });

  test.each(['', 'anonymous', '1001', 'sip:a@b', '+', '0'.repeat(60)])('is not kept of %j', async (number) => {
    expect(await kept(number)).toEqual([]);
  });
});

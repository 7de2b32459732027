import type { NewHead } from '../../../src/catalogue/retention/chainHeads.ts';
import { callStart } from '../call/calls.ts';
import { clockAt, type ConnectCatalogue } from './catalogues.ts';

/**
 * What the signed heads of the audit trail do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function chainHeadContract(newDatabase: () => ConnectCatalogue): void {
  const headOf = (number: number): NewHead => ({
    sha256: `head ${number}`,
    number,
    signedAt: callStart + number,
    jws: `signed ${number}`,
  });
  const numbers = (rows: readonly { number: number }[]) => rows.map(({ number }) => number);

  test('follows the one before it: of several at the same time one is kept', async () => {
    const connect = newDatabase();
    const all = await Promise.all([1, 2, 3].map(() => connect(clockAt(callStart))));
    const kept = await Promise.all(all.map(({ chainHeads }, index) => chainHeads.keep(headOf(index + 1), null)));
    expect(kept.filter((isKept) => isKept)).toHaveLength(1);
    const { chainHeads } = await connect(clockAt(callStart));
    const [first] = await chainHeads.list();
    expect(first).toEqual({ ...headOf(kept.indexOf(true) + 1), inLedger: false, inArchive: false });
    expect(await chainHeads.keep(headOf(9), first?.sha256 ?? null)).toBe(true);
    expect((await chainHeads.last())?.number).toBe(9);
    expect([await chainHeads.isKnown('head 9'), await chainHeads.isKnown('head 8')]).toEqual([true, false]);
  });

  test('that was found elsewhere is taken up once, in its place, and has a copy there', async () => {
    const { chainHeads } = await newDatabase()(clockAt(callStart));
    await chainHeads.keep(headOf(2), null);
    await chainHeads.takeUp(headOf(1), 'archive');
    await chainHeads.takeUp(headOf(1), 'ledger');
    expect(await chainHeads.list()).toMatchObject([
      { number: 1, inLedger: false, inArchive: true },
      { number: 2, inLedger: false, inArchive: false },
    ]);
    expect((await chainHeads.last())?.number).toBe(2);
  });

  test('is copied to each place, and again where that has lost it', async () => {
    const { chainHeads } = await newDatabase()(clockAt(callStart));
    await chainHeads.keep(headOf(1), null);
    await chainHeads.keep(headOf(2), 'head 1');
    await chainHeads.noteCopy('head 1', 'ledger', true);
    await chainHeads.noteCopy('head 2', 'archive', true);
    expect(numbers(await chainHeads.withoutCopy('ledger'))).toEqual([2]);
    expect(numbers(await chainHeads.withoutCopy('archive'))).toEqual([1]);
    await chainHeads.noteCopy('head 1', 'ledger', false);
    expect(numbers(await chainHeads.withoutCopy('ledger'))).toEqual([1, 2]);
    await chainHeads.remove('head 1');
    expect(numbers(await chainHeads.list())).toEqual([2]);
  });
}

import { callStart } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { beside, elsewhere, onlyServe } from '../../../support/catalogue/holders.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** What leases do in SQLite alone, whose processes are all on one machine; the rest is in test/support/catalogue/leaseContract.ts. */

const folder = temporaryFolder();
const open = catalogues();

const one = elsewhere('one');
const other = elsewhere('other');

test('a lease counts by the clock that nobody can set, where both are of one boot: a set clock gives it to no other', async () => {
  const since = { boot: 'this-boot', ms: 1_000_000 };
  const at = (now: number) => open(folder.path('clocks.db'), { now: () => now, sinceBoot: () => ({ ...since }) });
  const right = at(callStart);
  const ahead = at(callStart + 60 * 86_400_000);
  const behind = at(callStart - 86_400_000);
  await right.leases.take('upload', one);
  expect(await ahead.leases.take('upload', other)).toEqual({ kind: 'busy', other: one });
  await right.leases.noteServing(onlyServe, one);
  expect([
    await ahead.leases.notServedMs(onlyServe),
    await ahead.leases.takeAbandonedServe(onlyServe, other, 60_000),
  ]).toEqual([0, undefined]);
  since.ms += 60_001;
  // And where it is over, it is so though the clock was put back.
  expect(await behind.leases.take('upload', other)).toMatchObject({ kind: 'taken' });
  expect(await ahead.leases.otherHolder('upload', one)).toEqual(other);
  since.boot = 'the next boot';
  expect(await ahead.leases.otherHolder('upload', one)).toBeUndefined();
});

test('where each process has a boot of its own, as /proc is hidden from them, one that lives keeps its lease', async () => {
  const at = (boot: string) =>
    open(folder.path('hidden.db'), { now: () => callStart, sinceBoot: () => ({ boot, ms: 0 }) });
  const [mine, its] = [at('process one'), at('process other')];
  const holder = beside(process.ppid);
  await mine.leases.take('upload', holder);
  expect(await its.leases.take('upload', other)).toEqual({ kind: 'busy', other: holder });
});

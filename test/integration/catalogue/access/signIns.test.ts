import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;
const fresh = () => open(folder.path(`${(files += 1)}.db`));
const limits = (at: number) => ({ at, since: at - 100, failures: 3, addressFailures: 5 });
const anna = { user: 'anna', address: 'one' };

test('after so many failures nobody is let in under that name, from any address, until the first is old', async () => {
  const { signIns } = fresh();
  for (const [at, isLast] of [
    [1_000, false],
    [1_010, false],
    [1_020, true],
  ] as const) {
    expect(await signIns.begin(anna, limits(at))).toMatchObject({ kind: 'begun', isLast });
  }
  expect(await signIns.begin(anna, limits(1_030))).toEqual({ kind: 'lockedOut' });
  expect(await signIns.begin({ user: 'anna', address: 'two' }, limits(1_099))).toEqual({ kind: 'lockedOut' });
  expect(await signIns.begin({ user: 'ben', address: 'one' }, limits(1_099))).toMatchObject({ kind: 'begun' });
  expect(await signIns.begin(anna, limits(1_100))).toMatchObject({ kind: 'begun' });
});

test('an attempt while nobody is let in does not make it last longer', async () => {
  const { signIns } = fresh();
  for (const at of [1_000, 1_001, 1_002]) await signIns.begin(anna, limits(at));
  for (let at = 1_003; at < 1_100; at += 1) await signIns.begin(anna, limits(at));
  expect(await signIns.begin(anna, limits(1_103))).toMatchObject({ kind: 'begun' });
});

test('after so many failures from an address nobody is let in from there, whatever the name', async () => {
  const { signIns } = fresh();
  for (let user = 0; user < 5; user += 1) {
    expect(await signIns.begin({ user: `${user}`, address: 'one' }, limits(1_000))).toMatchObject({ kind: 'begun' });
  }
  expect(await signIns.begin(anna, limits(1_001))).toEqual({ kind: 'lockedOut' });
  expect(await signIns.begin({ ...anna, address: 'two' }, limits(1_001))).toMatchObject({ kind: 'begun' });
});

test('many at once are no more than one after the other', async () => {
  const { signIns } = fresh();
  const begun = await Promise.all(Array.from({ length: 50 }, () => signIns.begin(anna, limits(1_000))));
  expect(begun.filter(({ kind }) => kind === 'begun')).toHaveLength(3);
});

test('a success forgets the failures under that name alone', async () => {
  const { signIns } = fresh();
  for (const at of [1_000, 1_001]) await signIns.begin(anna, limits(at));
  await signIns.begin({ user: 'ben', address: 'one' }, limits(1_002));
  await signIns.succeed('anna');
  for (const at of [1_003, 1_004, 1_005]) {
    expect(await signIns.begin(anna, limits(at))).toMatchObject({ kind: 'begun' });
  }
  expect(await signIns.begin({ user: 'ben', address: 'two' }, limits(1_006))).toMatchObject({ isLast: false });
  expect(await signIns.begin({ user: 'ben', address: 'two' }, limits(1_006))).toMatchObject({ isLast: true });
});

test('an attempt that nobody is to blame for does not count', async () => {
  const { signIns } = fresh();
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const begun = await signIns.begin(anna, limits(1_000));
    if (begun.kind === 'begun') await signIns.abandon(begun.id);
    expect(begun).toMatchObject({ kind: 'begun', isLast: false });
  }
});

test('a one-time code counts once, and an earlier one no more', async () => {
  const { signIns } = fresh();
  const used = [];
  for (const period of [7, 7, 6, 8, 8]) used.push(await signIns.usePeriod('anna', period));
  expect(used).toEqual([true, false, false, true, false]);
  expect(await signIns.usePeriod('ben', 7)).toBe(true);
});

test('a code to sign in with works once, and until its end', async () => {
  const { signIns } = fresh();
  await signIns.offerCode({ sha256: 'a', user: 'anna', endsAt: 1_000 });
  await signIns.offerCode({ sha256: 'b', user: 'anna', endsAt: 1_000 });
  expect(await signIns.useCode('a', 999)).toBe('anna');
  expect(await signIns.useCode('a', 999)).toBeUndefined();
  expect(await signIns.useCode('b', 1_000)).toBeUndefined();
  expect(await signIns.useCode('c', 1)).toBeUndefined();
});

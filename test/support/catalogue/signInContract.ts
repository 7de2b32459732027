import { knownPlace } from '../../../src/catalogue/access/signIns.ts';
import { clockAt, dayMs } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Attempts to sign in, whatever database keeps them. */
export function signInContract(newDatabase: () => TestDatabase): void {
  const fresh = () => newDatabase().connect(clockAt(0));
  const limits = { failures: 3, firstWaitMs: 100, nameFailures: 6, addressFailures: 5 };
  const anna = { user: 'anna', place: 'one' };
  const begun = { kind: 'begun' };
  const lockedOut = { kind: 'lockedOut' };

  test('after so many failures under a name the next one there waits, and elsewhere and under others it does not', async () => {
    const { signIns } = await fresh();
    for (const [at, waitMs] of [
      [1_000, 0],
      [1_010, 0],
      [1_020, 100],
    ] as const) {
      expect(await signIns.begin(anna, limits, at)).toMatchObject({ ...begun, waitMs });
    }
    expect(await signIns.begin(anna, limits, 1_119)).toEqual(lockedOut);
    expect(await signIns.begin({ user: 'anna', place: 'two' }, limits, 1_119)).toMatchObject(begun);
    expect(await signIns.begin({ user: 'ben', place: 'one' }, limits, 1_119)).toMatchObject(begun);
    // Another failure, and it waits for twice as long.
    expect(await signIns.begin(anna, limits, 1_120)).toMatchObject({ ...begun, waitMs: 200 });
    expect(await signIns.begin(anna, limits, 1_319)).toEqual(lockedOut);
    expect(await signIns.begin(anna, limits, 1_320)).toMatchObject({ ...begun, waitMs: 400 });
  });

  test('after a day no failure counts any more, and no wait is longer', async () => {
    const { signIns } = await fresh();
    let at = 1_000;
    for (let failure = 0; failure < 40; failure += 1) {
      const tried = await signIns.begin(anna, limits, at);
      expect(tried).toMatchObject(begun);
      at += 'waitMs' in tried ? tried.waitMs : 0;
    }
    expect(await signIns.begin(anna, limits, at + dayMs)).toMatchObject({ ...begun, waitMs: 0 });
  });

  test('an attempt while it waits does not make it wait longer', async () => {
    const { signIns } = await fresh();
    for (const at of [1_000, 1_001, 1_002]) await signIns.begin(anna, limits, at);
    for (let at = 1_003; at < 1_102; at += 1) expect(await signIns.begin(anna, limits, at)).toEqual(lockedOut);
    expect(await signIns.begin(anna, limits, 1_102)).toMatchObject(begun);
  });

  test('after so many failures from an address nobody is let in from there, whatever the name', async () => {
    const { signIns } = await fresh();
    for (let user = 0; user < 5; user += 1) {
      expect(await signIns.begin({ user: `${user}`, place: 'one' }, limits, 1_000)).toMatchObject(begun);
    }
    expect(await signIns.begin(anna, limits, 1_001)).toEqual(lockedOut);
    expect(await signIns.begin({ ...anna, place: 'two' }, limits, 1_001)).toMatchObject(begun);
    expect(await signIns.begin(anna, limits, 1_100)).toMatchObject(begun);
  });

  test('from many addresses no more are tried under one name, and a place that is known goes on', async () => {
    const { signIns } = await fresh();
    const known = { user: 'anna', place: `${knownPlace}1` };
    const atKnown = { ...limits, nameFailures: Infinity, addressFailures: Infinity };
    expect(await signIns.begin(known, atKnown, 1_000)).toMatchObject(begun);
    for (let address = 0; address < 6; address += 1) {
      expect(await signIns.begin({ user: 'anna', place: `${address}` }, limits, 1_000)).toMatchObject(begun);
    }
    expect(await signIns.begin({ user: 'anna', place: '9' }, limits, 1_001)).toEqual(lockedOut);
    for (const waitMs of [0, 100])
      expect(await signIns.begin(known, atKnown, 1_001)).toMatchObject({ ...begun, waitMs });
    expect(await signIns.begin(known, atKnown, 1_002)).toEqual(lockedOut);
  });

  test('many at once are no more than one after the other', async () => {
    const { signIns } = await fresh();
    const tried = await Promise.all(Array.from({ length: 50 }, () => signIns.begin(anna, limits, 1_000)));
    expect(tried.filter(({ kind }) => kind === 'begun')).toHaveLength(3);
  });

  test('a success forgets the failures under that name at that place alone', async () => {
    const { signIns } = await fresh();
    const elsewhere = { user: 'anna', place: 'two' };
    const ben = { user: 'ben', place: 'one' };
    for (const each of [anna, anna, elsewhere, elsewhere, ben]) await signIns.begin(each, limits, 1_000);
    await signIns.succeed(anna);
    expect(await signIns.begin(anna, limits, 1_003)).toMatchObject({ waitMs: 0 });
    expect(await signIns.begin(elsewhere, limits, 1_003)).toMatchObject({ waitMs: 100 });
    for (const waitMs of [0, 100]) expect(await signIns.begin(ben, limits, 1_006)).toMatchObject({ waitMs });
  });

  test('an attempt that nobody is to blame for does not count', async () => {
    const { signIns } = await fresh();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const tried = await signIns.begin(anna, limits, 1_000);
      if (tried.kind === 'begun') await signIns.abandon(tried.id);
      expect(tried).toMatchObject({ ...begun, waitMs: 0 });
    }
  });

  test('a one-time code counts once, and an earlier one no more', async () => {
    const { signIns } = await fresh();
    const used = [];
    for (const period of [7, 7, 6, 8, 8]) used.push(await signIns.usePeriod('anna', period, 10));
    expect(used).toEqual([true, false, false, true, false]);
    expect(await signIns.usePeriod('ben', 7, 10)).toBe(true);
  });

  test('a one-time code that was used before the clock was set back puts off the next one for no longer than a day', async () => {
    const { signIns } = await fresh();
    expect(await signIns.usePeriod('anna', 1_000_000, 2_880)).toBe(true);
    expect(await signIns.usePeriod('anna', 1_000_000 - 2_880, 2_880)).toBe(false);
    expect(await signIns.usePeriod('anna', 1_000_000 - 2_881, 2_880)).toBe(true);
    // From then on each counts once again.
    expect(await signIns.usePeriod('anna', 1_000_000 - 2_881, 2_880)).toBe(false);
  });

  test('failures from before the clock was set back put off the next attempt for no longer than if they were of now', async () => {
    const { signIns } = await fresh();
    const year = 365 * dayMs;
    for (let at = year; at < year + 3; at += 1) expect(await signIns.begin(anna, limits, at)).toMatchObject(begun);
    const now = 1_000;
    expect(await signIns.begin(anna, limits, now)).toEqual(lockedOut);
    expect(await signIns.begin(anna, limits, now + 99)).toEqual(lockedOut);
    expect(await signIns.begin(anna, limits, now + 100)).toMatchObject({ ...begun, waitMs: 200 });
    // Elsewhere, where only names and addresses together count, they are over as soon.
    for (let user = 0; user < 5; user += 1) await signIns.begin({ user: `${user}`, place: 'three' }, limits, year);
    expect(await signIns.begin({ user: 'ben', place: 'three' }, limits, now)).toEqual(lockedOut);
    expect(await signIns.begin({ user: 'ben', place: 'three' }, limits, now + 101)).toMatchObject(begun);
    // And after a day they count nowhere, also where nobody has tried meanwhile.
    for (let at = year; at < year + 3; at += 1) await signIns.begin({ ...anna, place: 'four' }, limits, at);
    await signIns.sweep(now, now - dayMs);
    expect(await signIns.begin({ ...anna, place: 'four' }, limits, now + dayMs)).toMatchObject({ ...begun, waitMs: 0 });
  });

  test('a code to sign in with that was made before the clock was set back works no more', async () => {
    const { signIns } = await fresh();
    const year = 365 * dayMs;
    for (const sha256 of ['a', 'b']) await signIns.offerCode({ sha256, user: 'anna', endsAt: year + 600_000 });
    expect(await signIns.useCode('a', 1_000)).toBeUndefined();
    expect(await signIns.useCode('a', year)).toBe('anna');
    await signIns.sweep(1_000, 0);
    expect(await signIns.useCode('b', year)).toBeUndefined();
  });

  test('a code to sign in with works once, and until its end', async () => {
    const { signIns } = await fresh();
    await signIns.offerCode({ sha256: 'a', user: 'anna', endsAt: 1_000 });
    await signIns.offerCode({ sha256: 'b', user: 'anna', endsAt: 1_000 });
    expect(await signIns.useCode('a', 999)).toBe('anna');
    expect(await signIns.useCode('a', 999)).toBeUndefined();
    expect(await signIns.useCode('b', 1_000)).toBeUndefined();
    expect(await signIns.useCode('c', 1)).toBeUndefined();
  });
}

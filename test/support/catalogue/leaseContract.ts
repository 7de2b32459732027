import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { withLease } from '../../../src/catalogue/jobs/lease.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { callStart } from '../call/calls.ts';
import { clockAt } from './catalogues.ts';

/** Connects to a database as one more process does, by whose clock it then counts. */
export type Connect = (clock: Clock) => Promise<Pick<Catalogue, 'leases'>>;

/**
 * What leases do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function leaseContract(newDatabase: () => Connect): void {
  const me = { host: hostname(), pid: process.pid };
  const elsewhere = { host: 'another-host', pid: 4 };
  const standing = clockAt(callStart);

  test('counts by the clock that nobody can set, where both are of one boot: a set clock gives it to no other', async () => {
    const connect = newDatabase();
    const since = { boot: 'this-boot', ms: 1_000_000 };
    const at = (now: number) => connect({ now: () => now, sinceBoot: () => ({ ...since }) });
    const one = await at(callStart);
    const ahead = await at(callStart + 60 * 86_400_000);
    const behind = await at(callStart - 86_400_000);
    expect(await one.leases.take('upload', me)).toBeUndefined();
    expect(await ahead.leases.take('upload', elsewhere)).toEqual(me);
    await one.leases.noteServing(me);
    expect([await ahead.leases.notServedMs(), await ahead.leases.takeAbandonedServe(elsewhere, 60_000)]).toEqual([
      0,
      false,
    ]);
    since.ms += 60_001;
    // And where it is over, it is so though the clock was put back.
    expect(await behind.leases.take('upload', elsewhere)).toBeUndefined();
    expect(await ahead.leases.otherHolder('upload', me)).toEqual(elsewhere);
    since.boot = 'the next boot';
    expect(await ahead.leases.otherHolder('upload', me)).toBeUndefined();
  });

  test('where each process has a boot of its own, as /proc is hidden from them, one that lives keeps it', async () => {
    const connect = newDatabase();
    const at = (boot: string) => connect({ now: () => callStart, sinceBoot: () => ({ boot, ms: 0 }) });
    const [one, other] = [await at('process one'), await at('process other')];
    await one.leases.take('upload', { ...me, pid: process.ppid });
    expect(await other.leases.take('upload', me)).toEqual({ ...me, pid: process.ppid });
  });

  test('is for one: the second is told who has it, and gets it when it is released', async () => {
    const connect = newDatabase();
    const [one, other] = [await connect(standing), await connect(standing)];
    expect(await one.leases.take('upload', me)).toBeUndefined();
    expect(await other.leases.take('upload', elsewhere)).toEqual(me);
    expect(await other.leases.take('retention', elsewhere)).toBeUndefined();
    await other.leases.release('upload', elsewhere);
    expect(await other.leases.take('upload', elsewhere)).toEqual(me);
    await one.leases.release('upload', me);
    expect(await other.leases.take('upload', elsewhere)).toBeUndefined();
  });

  test('is had by one of several that ask at the same time', async () => {
    const connect = newDatabase();
    const all = await Promise.all([1, 2, 3, 4].map(() => connect(standing)));
    const holders = all.map((_, index) => ({ host: `host-${index}`, pid: 1 }));
    const others = await Promise.all(all.map(({ leases }, index) => leases.take('upload', holders[index] ?? me)));
    const taken = others.indexOf(undefined);
    expect(others).toEqual(others.map((_, index) => (index === taken ? undefined : holders[taken])));
  });

  test('of a dead process on this host is free at once', async () => {
    const { leases } = await newDatabase()(standing);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leases.take('upload', { host: hostname(), pid });
    expect(await leases.take('upload', me)).toBeUndefined();
  });

  test('of a process elsewhere ends a minute after its last renewal', async () => {
    const clock = clockAt(callStart);
    const { leases } = await newDatabase()(clock);
    await leases.take('upload', elsewhere);
    clock.at += 59_000;
    expect(await leases.take('upload', elsewhere)).toBeUndefined();
    clock.at += 59_999;
    expect(await leases.take('upload', me)).toEqual(elsewhere);
    clock.at += 1;
    expect(await leases.take('upload', me)).toBeUndefined();
  });

  test('of a serve is taken when nobody has served for so long, and who held it has died', async () => {
    const clock = clockAt(callStart);
    const { leases } = await newDatabase()(clock);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leases.take('serve', { host: hostname(), pid });
    expect(await leases.notServedMs()).toBeUndefined();
    // Nothing tells how long: it counts from now.
    expect(await leases.takeAbandonedServe(me, 60_000)).toBe(false);
    clock.at += 59_999;
    expect([await leases.notServedMs(), await leases.takeAbandonedServe(me, 60_000)]).toEqual([59_999, false]);
    clock.at += 1;
    expect(await leases.takeAbandonedServe(me, 60_000)).toBe(true);
    expect(await leases.take('serve', elsewhere)).toEqual(me);
  });

  test('is given back when the pass fails', async () => {
    const database = await newDatabase()(standing);
    const pass = withLease(database, 'upload', 0, () => Promise.reject(new Error('broken')));
    await expect(pass).rejects.toThrow('broken');
    expect(await database.leases.take('upload', elsewhere)).toBeUndefined();
  });

  test('that another holds is waited for, then refused with its name', async () => {
    const database = await newDatabase()(standing);
    await database.leases.take('upload', elsewhere);
    const pass = (waitMs: number) => withLease(database, 'upload', waitMs, () => Promise.resolve('done'));
    await expect(pass(0)).rejects.toMatchObject({
      code: 'job_busy',
      message: 'upload is being run by process 4 on another-host',
    });
    const waiting = pass(10_000);
    await database.leases.release('upload', elsewhere);
    expect(await waiting).toBe('done');
  });

  test('keeps a second pass of the same process waiting, and is given back by the last of them', async () => {
    const database = await newDatabase()(standing);
    const steps: string[] = [];
    let end = (): void => undefined;
    const isOver = new Promise<void>((resolve) => {
      end = resolve;
    });
    const first = withLease(database, 'retention', 0, async () => {
      steps.push('first begins');
      await isOver;
      steps.push('first ends');
    });
    const second = withLease(database, 'retention', 10_000, () => {
      steps.push('second');

      return database.leases.otherHolder('retention', elsewhere);
    });
    await expect(withLease(database, 'retention', 0, () => Promise.resolve())).rejects.toMatchObject({
      code: 'job_busy',
    });
    await expect(withLease(database, 'upload', 0, () => Promise.resolve('done'))).resolves.toBe('done');
    end();
    await first;
    expect(await second).toMatchObject({ pid: process.pid });
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
    expect(await database.leases.otherHolder('retention', elsewhere)).toBeUndefined();
  });
}

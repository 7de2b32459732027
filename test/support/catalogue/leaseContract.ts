import { spawnSync } from 'node:child_process';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { withLease } from '../../../src/catalogue/jobs/lease.ts';
import { serveLease, type LeaseHolder, type Taking } from '../../../src/catalogue/jobs/leases.ts';
import { boundTo, whollyBoundTo, type Turn } from '../../../src/catalogue/jobs/turns.ts';
import { thisProcess } from '../../../src/core/processes.ts';
import { eventually } from '../poll.ts';
import { beginning, someFacts } from '../call/calls.ts';
import { saveCall } from './catalogues.ts';
import { beside, elsewhere, onlyServe } from './holders.ts';

/** A database, whose clock can be moved, and whose rows can be changed by hand. */
export type LeaseDatabase = {
  /** Connects as one more process does. */
  connect: () => Promise<Catalogue>;
  /** So much time passes, ms. */
  later: (ms: number) => Promise<void>;
  byHand: (sql: string) => Promise<void>;
};

const taken = (number: number): unknown => ({ kind: 'taken', turn: expect.objectContaining({ number }) as Turn });
const busyWith = (other: LeaseHolder): Taking => ({ kind: 'busy', other });
const lost = { code: 'lease_lost' };

async function turnOf(taking: Promise<Taking>): Promise<Turn> {
  const came = await taking;
  if (came.kind === 'busy') throw new Error('the lease is busy');

  return came.turn;
}

/**
 * What leases do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function leaseContract(newDatabase: () => LeaseDatabase): void {
  const me = thisProcess();
  const other = elsewhere();

  test('is for one: the second is told who has it, and gets it when it is released', async () => {
    const { connect } = newDatabase();
    const [one, two] = [await connect(), await connect()];
    const turn = await turnOf(one.leases.take('upload', me));
    expect(await two.leases.take('upload', other)).toEqual(busyWith(me));
    expect(await two.leases.take('retention', other)).toEqual(taken(1));
    await two.leases.release({ ...turn, holder: other.id });
    expect(await two.leases.take('upload', other)).toEqual(busyWith(me));
    await one.leases.release(turn);
    expect(await two.leases.take('upload', other)).toEqual(taken(2));
  });

  test('knows a holder by its id alone: the same host and number may be another container', async () => {
    const { connect } = newDatabase();
    const { leases } = await connect();
    const twin = { ...other, id: 'another start' };
    await leases.take('upload', other);
    expect(await leases.take('upload', twin)).toEqual(busyWith(other));
    expect(await leases.otherHolder('upload', twin)).toEqual(other);
    expect(await leases.otherHolder('upload', other)).toBeUndefined();
  });

  test('is had by one of several that ask at the same time', async () => {
    const { connect } = newDatabase();
    const all = await Promise.all([1, 2, 3, 4].map(() => connect()));
    const holders = all.map((_, index) => elsewhere(`host-${index}`));
    const takings = await Promise.all(all.map(({ leases }, index) => leases.take('upload', holders[index] ?? me)));
    const had = takings.findIndex(({ kind }) => kind === 'taken');
    expect(takings).toEqual(takings.map((_, index) => (index === had ? taken(1) : busyWith(holders[had] ?? me))));
  });

  test('leaves no mark of a PBX without a name once that has one', async () => {
    const { connect } = newDatabase();
    const { leases } = await connect();
    const north = { pbx: 'north', application: 'preavis' };
    for (const serve of [onlyServe, { ...onlyServe, application: 'other' }, north]) await leases.noteServing(serve, me);
    await leases.forgetUnnamed();
    expect((await leases.served()).map(({ serve }) => serve)).toEqual([north]);
  });

  test('of a process of this machine that has died is free at once', async () => {
    const { leases } = await newDatabase().connect();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leases.take('upload', beside(pid));
    expect(await leases.take('upload', me)).toEqual(taken(2));
  });

  test('is free at once where the number of its holder is that of a process that was started later', async () => {
    const { leases } = await newDatabase().connect();
    await leases.take('upload', { ...beside(process.ppid), started: '1' });
    expect(await leases.take('upload', me)).toEqual(taken(2));
  });

  test('of a process whose number says nothing here, as in another container, is not free before its time', async () => {
    const { leases } = await newDatabase().connect();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const holder = { ...beside(pid), machine: `${me.machine ?? ''} of another container` };
    await leases.take('upload', holder);
    expect(await leases.take('upload', me)).toEqual(busyWith(holder));
  });

  test('ends a minute after its last renewal', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    await later(55_000);
    expect(await leases.renew(turn, other)).toEqual({ kind: 'held' });
    await later(55_000);
    expect(await leases.take('upload', me)).toEqual(busyWith(other));
    await later(10_000);
    expect(await leases.take('upload', me)).toEqual(taken(2));
  });

  test('that nobody had meanwhile is held again by who was late', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    await later(3_600_000);
    expect(await leases.renew(turn, other)).toEqual({ kind: 'held' });
    expect(await leases.take('upload', me)).toEqual(busyWith(other));
  });

  test('that another had meanwhile is lost, whether or not that one still has it', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    await later(60_000);
    const next = await turnOf(leases.take('upload', me));
    expect(await leases.renew(turn, other)).toEqual({ kind: 'lost', to: me });
    await leases.release(turn);
    expect(await leases.take('upload', other)).toEqual(busyWith(me));
    await leases.release(next);
    expect(await leases.renew(turn, other)).toEqual({ kind: 'lost', to: undefined });
    // Of its own later turn, too.
    await leases.take('upload', other);
    expect(await leases.renew(turn, other)).toEqual({ kind: 'lost', to: undefined });
  });

  test('has passed once another has had it, also where that one has let it run out', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    expect(await leases.hasPassed(turn)).toBe(false);
    await later(60_001);
    expect(await leases.hasPassed(turn)).toBe(false);
    await leases.take('upload', me);
    expect(await leases.hasPassed(turn)).toBe(true);
    await later(60_001);
    expect([await leases.otherHolder('upload', other), await leases.hasPassed(turn)]).toEqual([undefined, true]);
  });

  test('whose row somebody removed is held again by the next renewal, unless another had it first', async () => {
    const { connect, byHand } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    await byHand('DELETE FROM leases');
    expect(await leases.renew(turn, other)).toEqual({ kind: 'held' });
    expect(await leases.take('upload', me)).toEqual(busyWith(other));
    await byHand('DELETE FROM leases');
    expect(await leases.take('upload', me)).toEqual(taken(2));
    expect(await leases.renew(turn, other)).toEqual({ kind: 'lost', to: me });
  });

  test('is held again after both tables were emptied, and lost to who took it first', async () => {
    const { connect, byHand } = newDatabase();
    const { leases } = await connect();
    const turn = await turnOf(leases.take('upload', other));
    await byHand('DELETE FROM leases; DELETE FROM lease_turns');
    expect(await leases.renew(turn, other)).toEqual({ kind: 'held' });
    expect(await leases.take('upload', me)).toEqual(busyWith(other));
    await byHand('DELETE FROM leases; DELETE FROM lease_turns');
    await leases.take('upload', me);
    expect(await leases.renew(turn, other)).toEqual({ kind: 'lost', to: me });
  });

  test('of a serve is taken when nobody has served for so long, and who held it has died', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leases.take('serve::preavis', beside(pid));
    expect(await leases.notServedMs(onlyServe)).toBeUndefined();
    // Nothing tells how long: it counts from now.
    expect(await leases.takeAbandonedServe(onlyServe, me, 600_000)).toBeUndefined();
    await later(590_000);
    expect(await leases.takeAbandonedServe(onlyServe, me, 600_000)).toBeUndefined();
    await later(10_000);
    expect(await leases.takeAbandonedServe(onlyServe, me, 600_000)).toMatchObject({ number: 2 });
    expect(await leases.take('serve::preavis', other)).toEqual(busyWith(me));
  });

  test('of a serve is one for each PBX and application, and so is when it served', async () => {
    const { connect, later } = newDatabase();
    const { leases } = await connect();
    const brussels = { pbx: 'brussels', application: 'preavis' };
    await leases.noteServing(brussels, other);
    await later(30_000);
    await leases.noteServing(onlyServe, me);
    expect((await leases.served()).map(({ serve }) => serve)).toEqual([onlyServe, brussels]);
    const [alone = 0, there = 0] = (await leases.served()).map(({ awayMs }) => awayMs);
    expect(there - alone).toBeGreaterThanOrEqual(30_000);
    expect(there - alone).toBeLessThan(60_000);
    expect(await leases.notServedMs({ ...brussels, application: 'other' })).toBeUndefined();
    expect((await leases.notServedMs(brussels)) ?? 0).toBeGreaterThanOrEqual(30_000);
    expect((await leases.lastServed(brussels))?.by).toEqual(other);
  });

  test('is given back when the pass fails', async () => {
    const database = await newDatabase().connect();
    const pass = withLease(database, 'upload', 0, () => Promise.reject(new Error('broken')));
    await expect(pass).rejects.toThrow('broken');
    expect(await database.leases.take('upload', other)).toEqual(taken(2));
  });

  test('that another holds is waited for, then refused with its name', async () => {
    const database = await newDatabase().connect();
    const turn = await turnOf(database.leases.take('upload', other));
    const pass = (waitMs: number) => withLease(database, 'upload', waitMs, () => Promise.resolve('done'));
    await expect(pass(0)).rejects.toMatchObject({
      code: 'job_busy',
      message: 'upload is being run by process 4 on another-host',
    });
    const stop = AbortSignal.abort();
    const stopped = withLease(database, 'upload', 60_000, () => Promise.resolve(), stop);
    await expect(stopped).rejects.toMatchObject({ code: 'job_busy' });
    const waiting = pass(10_000);
    await database.leases.release(turn);
    expect(await waiting).toBe('done');
  });

  test('keeps a second pass of the same process waiting, and is given back by the last of them', async () => {
    const database = await newDatabase().connect();
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

      return database.leases.otherHolder('retention', other);
    });
    await expect(withLease(database, 'retention', 0, () => Promise.resolve())).rejects.toMatchObject({
      code: 'job_busy',
    });
    await expect(withLease(database, 'upload', 0, () => Promise.resolve('done'))).resolves.toBe('done');
    await eventually(() => steps.length === 1);
    end();
    await first;
    expect(await second).toMatchObject({ pid: process.pid });
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
    expect(await database.leases.otherHolder('retention', other)).toBeUndefined();
  });

  describe('that was lost', () => {
    test('lets nothing be written any more by who stood still, and everything be read', async () => {
      const { connect, later } = newDatabase();
      const [one, two] = [await connect(), await connect()];
      const bound = boundTo(one, await turnOf(one.leases.take('serve::preavis', other)));
      const { id, facts } = await saveCall(bound);
      await later(60_000);
      // Late, and still its turn.
      const note = { event: 'test', actor: 'test' };
      await bound.recordings.move(id, 'recording', 'recorded', {}, note);
      await two.leases.take('serve::preavis', me);
      await expect(bound.recordings.move(id, 'recorded', 'archived', {}, note)).rejects.toMatchObject(lost);
      await expect(bound.journal.save(beginning(someFacts()).state)).rejects.toMatchObject(lost);
      await expect(
        bound.journal.addToTimeline(facts.id, { kind: 'change', change: 'unheard', at: undefined, party: 'caller' }),
      ).rejects.toMatchObject(lost);
      await expect(bound.auditTrail.append(id, note)).rejects.toMatchObject(lost);
      await expect(bound.passes.note('upload', 1)).rejects.toMatchObject(lost);
      expect(await bound.recordings.find(id)).toMatchObject({ status: 'recorded' });
      expect(await one.journal.open()).toEqual([]);
      await two.recordings.move(id, 'recorded', 'archived', {}, note);
      expect((await two.auditTrail.of(id)).map(({ to }) => to)).toEqual(['recording', 'recorded', 'archived']);
      expect(await two.passes.last('upload')).toBeUndefined();
    });

    test('of a serve lets it take, renew and note no lease any more; what it has it gives back', async () => {
      const { connect, later } = newDatabase();
      const [one, two] = [await connect(), await connect()];
      const name = { pbx: 'north', application: 'preavis' };
      const serve = whollyBoundTo(one, await turnOf(one.leases.take(serveLease(name), other)));
      const upload = await turnOf(serve.leases.take('upload', other));
      await serve.leases.noteServing(name, other);
      await later(60_000);
      await two.leases.take(serveLease(name), me);
      await expect(serve.leases.take('retention', other)).rejects.toMatchObject(lost);
      await expect(serve.leases.renew(upload, other)).rejects.toMatchObject(lost);
      await expect(serve.leases.noteServing(name, other)).rejects.toMatchObject(lost);
      expect(await two.leases.notServedMs(name)).toBeGreaterThanOrEqual(60_000);
      expect(await two.leases.otherHolder('retention', me)).toBeUndefined();
      await serve.leases.release(upload);
    });

    test('ends a pass within that of a serve by either of the two', async () => {
      const { connect, later } = newDatabase();
      const [one, two] = [await connect(), await connect()];
      const serve = boundTo(one, await turnOf(one.leases.take('serve::preavis', other)));
      const interrupted = (job: string) =>
        withLease(serve, 'retention', 0, async ({ passes }) => {
          await passes.note('retention', 1);
          await later(60_000);
          await two.leases.take(job, elsewhere('a third'));
          await passes.note('retention', 2);
        });
      await expect(interrupted('retention')).rejects.toMatchObject(lost);
      await later(60_000);
      await expect(interrupted('serve::preavis')).rejects.toMatchObject(lost);
      expect(await two.passes.last('retention')).toBe(1);
    });

    test('is not where somebody has emptied the tables: a call that is on is written down', async () => {
      const { connect, byHand } = newDatabase();
      const database = await connect();
      const bound = boundTo(database, await turnOf(database.leases.take('serve::preavis', me)));
      await byHand('DELETE FROM leases; DELETE FROM lease_turns');
      const { id } = await saveCall(bound);
      expect(await database.recordings.find(id)).toMatchObject({ status: 'recording' });
    });
  });
}

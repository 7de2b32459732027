import * as z from 'zod';
import { sinceBootOfMachine, type Clock } from '../../core/clock.ts';
import { isSeenDead, type ProcessIdentity } from '../../core/processes.ts';
import { row } from '../sqlite/rowForm.ts';
import { all, change, one, sql, value, writing, type Step } from '../sql/step.ts';
import { hasPassed, isStillOwn, type Turn } from './turns.ts';

/** Who holds the right to run a job. */
export type LeaseHolder = ProcessIdentity;

/** Which serve: several PBXs may share a catalogue, and one PBX may have several applications. */
export type ServeName = { readonly pbx: string | undefined; readonly application: string };

/** A lease must be renewed within this time, ms; one of a dead process on the same machine is free at once. */
export const leaseMs = 60_000;

/** A process that has not renewed its lease for so long, ms, is another one with the number of one that has died, and not one that was stopped. */
const renumberedMs = 24 * 60 * 60_000;

/** The lease of whoever moves recordings from one archive to another. */
export const moveLease = 'archive move';

/** Of a job that each PBX does for itself. */
export const localLease = (job: string, pbx: string | undefined): string => (pbx === undefined ? job : `${job}:${pbx}`);

/** The lease of a serve: that one has started. Neither name has a colon. */
export const serveLease = ({ pbx = '', application }: ServeName): string => `serve:${pbx}:${application}`;
/** Its mark beside it: that it serves, with its socket open, so that it sees who joins a call. */
const marks = 'serving:';
const servingMark = ({ pbx = '', application }: ServeName): string => `${marks}${pbx}:${application}`;
/** The job of a lease, in words. */
export function jobInWords(job: string): string {
  const [name = job, pbx = ''] = job.split(':');

  return pbx === '' ? name : `${name} of ${pbx}`;
}
/** A mark of when calls were watched last is no work. */
export const isServingMark = (job: string): boolean => job.startsWith(marks);

/** `taken`: it is had from now on. `busy`: by another. */
export type Taking = { kind: 'taken'; turn: Turn } | { kind: 'busy'; other: LeaseHolder };
/** `lost`: it cannot be had any more, since another had it meanwhile; `to`: who has it now, if anybody. */
export type Renewal = { kind: 'held' } | { kind: 'lost'; to: LeaseHolder | undefined };

/** A serve that has served, how long ago its calls were last watched, ms, and by whom: the other worker may have them. */
export type Served = { serve: ServeName; awayMs: number; by: LeaseHolder };

const heldRow = row(
  {
    job: z.string(),
    id: z.string(),
    host: z.string(),
    pid: z.number(),
    machine: z.string().nullable(),
    started: z.string().nullable(),
    /** How long ago it was to be renewed, ms, by the clock that can be set; below 0: it is held. */
    overdueMs: z.number(),
    boot: z.string().nullable(),
    bootUntil: z.number().nullable(),
  },
  { id: 'holder', overdueMs: 'overdue' },
);
type Held = z.output<typeof heldRow>;

/** Milliseconds since 1970 UTC. PostgreSQL's own, since several machines have several clocks; and its transaction may have waited since it began. */
const nowOf = { sqlite: '@now', postgres: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)' };
const byClock = (text: (now: string) => string) => sql({ sqlite: text(nowOf.sqlite), postgres: text(nowOf.postgres) });

const holderOf = ({ id, host, pid, machine, started }: Held): LeaseHolder => ({ id, host, pid, machine, started });

/**
 * The table `leases`: one pass of a job at a time, over all processes that share the catalogue. In SQLite, whose processes are on one machine, a lease
 * counts by the clock that nobody can set: else two would have it while another clock is set. In PostgreSQL it counts by the clock of that alone.
 *
 * The table `lease_turns`: who had each job last, and the how manyth that was. It is kept when a lease ends, and where somebody empties the
 * other one.
 */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeLeases(clock: Clock) {
  const heldWhere = (condition: string) =>
    byClock(
      (now) => `
    SELECT job, coalesce(holder, host || ' ' || pid) AS holder, host, pid, machine, started, ${now} - until AS overdue, boot, boot_until
    FROM leases WHERE ${condition}`,
    );
  const select = heldWhere('job = @job');
  const selectServed = heldWhere(`job LIKE '${marks}%' ORDER BY job`);
  function* find(job: string): Step<Held | undefined> {
    return heldRow.optional().parse(yield* one(select, { job, now: clock.now() }));
  }
  // Another machine's boot says nothing: PostgreSQL keeps none.
  const upsertAs = (now: string, boot: string, bootUntil: string): string => `
    INSERT INTO leases (job, holder, host, pid, machine, started, until, boot, boot_until)
    VALUES (@job, @id, @host, @pid, @machine, @started, ${now} + @heldMs, ${boot}, ${bootUntil})
    ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, host = excluded.host, pid = excluded.pid, machine = excluded.machine,
      started = excluded.started, until = excluded.until, boot = excluded.boot, boot_until = excluded.boot_until`;
  const upsert = sql({
    sqlite: upsertAs(nowOf.sqlite, '@boot', '@bootUntil'),
    postgres: upsertAs(nowOf.postgres, 'NULL', 'NULL'),
  });
  const until = (heldMs: number) => {
    const since = sinceBootOfMachine(clock);

    return {
      heldMs,
      now: clock.now(),
      boot: since?.boot ?? null,
      bootUntil: since === undefined ? null : since.ms + heldMs,
    };
  };
  function* hold(job: string, me: LeaseHolder, heldMs = leaseMs): Step<void> {
    yield* change(upsert, { job, ...me, ...until(heldMs) });
  }
  const extendAs = (now: string, boots: string): string => `
    UPDATE leases SET until = ${now} + @heldMs${boots} WHERE job = @job AND holder = @holder AND ${isStillOwn}`;
  const extend = sql({
    sqlite: extendAs(nowOf.sqlite, ', boot = @boot, boot_until = @bootUntil'),
    postgres: extendAs(nowOf.postgres, ''),
  });
  const selectAhead = byClock((now) => `SELECT CAST(@now AS BIGINT) - ${now} AS ahead`);
  const selectNumber = sql(`SELECT number FROM lease_turns WHERE job = @job`);
  const upsertTurn = sql(`
    INSERT INTO lease_turns (job, holder, number) VALUES (@job, @holder, @number)
    ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, number = excluded.number`);
  const removeUnnamed = sql(`DELETE FROM leases WHERE job LIKE '${marks}:%'`);
  const remove = sql(`DELETE FROM leases WHERE job = @job AND holder = @holder AND ${isStillOwn}`);

  /** Below 0: it is held. */
  const overdueMs = ({ overdueMs: overdue, boot, bootUntil }: Held): number => {
    const since = sinceBootOfMachine(clock);

    return since?.boot !== boot || bootUntil === null ? overdue : since.ms - bootUntil;
  };
  /** Whether it may live. All processes of a SQLite file are on one machine: who was there before it booted is no more. */
  const mayLive = (held: Held): boolean => {
    const boot = sinceBootOfMachine(clock)?.boot;
    const isOfThisBoot = boot === undefined || held.boot === null || boot === held.boot;

    return isOfThisBoot && !isSeenDead(held);
  };
  function* otherHolder(job: string, me: LeaseHolder): Step<LeaseHolder | undefined> {
    const held = yield* find(job);

    return held !== undefined && held.id !== me.id && mayLive(held) && overdueMs(held) < 0 ? holderOf(held) : undefined;
  }
  function* lastNumber(job: string): Step<number> {
    return z
      .number()
      .default(0)
      .parse(yield* value(selectNumber, { job }));
  }
  function* begin(job: string, me: LeaseHolder, heldMs = leaseMs): Step<Turn> {
    const turn = { job, holder: me.id, number: (yield* lastNumber(job)) + 1 };
    yield* change(upsertTurn, turn);
    yield* hold(job, me, heldMs);

    return turn;
  }
  const takeFree = writing(function* (job: string, me: LeaseHolder, heldMs: number): Step<Taking> {
    const other = yield* otherHolder(job, me);

    return other === undefined ? { kind: 'taken', turn: yield* begin(job, me, heldMs) } : { kind: 'busy', other };
  });
  /** Its row is gone, or another's: nobody knows why, unless another has had it. */
  const takeAgain = writing(function* (turn: Turn, me: LeaseHolder, heldMs: number): Step<Renewal> {
    const held = yield* find(turn.job);
    if ((yield* hasPassed(turn)) || (held !== undefined && held.id !== me.id)) {
      return { kind: 'lost', to: held === undefined || held.id === me.id ? undefined : holderOf(held) };
    }
    yield* change(upsertTurn, turn);
    yield* hold(turn.job, me, heldMs);

    return { kind: 'held' };
  });
  function* lastServed(serve: ServeName): Step<{ by: LeaseHolder; agoMs: number } | undefined> {
    const mark = yield* find(servingMark(serve));

    return mark === undefined ? undefined : { by: holderOf(mark), agoMs: overdueMs(mark) + leaseMs };
  }
  function* notServedMs(serve: ServeName): Step<number | undefined> {
    return (yield* lastServed(serve))?.agoMs;
  }
  const takeAbandonedServe = writing(function* (
    serve: ServeName,
    me: LeaseHolder,
    awayMs: number,
  ): Step<Turn | undefined> {
    const job = serveLease(serve);
    const held = yield* find(job);
    // One that was stopped does not renew it, and goes on where it was. Elsewhere nothing can be seen but that.
    const heldForMs = held?.machine !== null && held?.machine === me.machine ? renumberedMs : 0;
    if (held !== undefined && held.id !== me.id && mayLive(held) && overdueMs(held) < heldForMs) return undefined;
    const awayFor = yield* notServedMs(serve);
    // Where nothing tells, as in a catalogue of an older version, or a mark of a clock that was ahead, it counts from now.
    const isTold = awayFor !== undefined && awayFor >= -leaseMs;
    if (!isTold) yield* hold(servingMark(serve), me);

    return isTold && awayFor >= awayMs ? yield* begin(job, me) : undefined;
  });

  return {
    /**
     * Takes it where no other has it: each time anew, with a turn that ends the one before.
     *
     * @param heldMs within this time it must be renewed, ms
     */
    *take(job: string, me: LeaseHolder, heldMs = leaseMs): Step<Taking> {
      // Who must wait asks again and again, and keeps nobody from writing.
      const other = yield* otherHolder(job, me);

      return other === undefined ? yield* takeFree(job, me, heldMs) : { kind: 'busy', other };
    },
    /** Holds it for longer. One that was late, or whose row somebody has removed, holds it again where no other had it meanwhile. */
    *renew(turn: Turn, me: LeaseHolder, heldMs = leaseMs): Step<Renewal> {
      const isHeld = (yield* change(extend, { ...turn, ...until(heldMs) })) === 1;

      return isHeld ? { kind: 'held' } : yield* takeAgain(turn, me, heldMs);
    },
    /** Who else works at it now. */
    otherHolder,
    hasPassed,
    /** Who else has let it run out, and is not seen to have died. */
    *lapsed(job: string, me: LeaseHolder): Step<LeaseHolder | undefined> {
      const held = yield* find(job);

      return held !== undefined && held.id !== me.id && mayLive(held) && overdueMs(held) >= 0
        ? holderOf(held)
        : undefined;
    },
    /** Notes that calls are watched now, whoever has noted it before. */
    *noteServing(serve: ServeName, me: LeaseHolder): Step<void> {
      yield* hold(servingMark(serve), me);
    },
    /** Who noted last that calls are watched, and how long ago, ms; undefined for nobody. */
    lastServed,
    /** How long ago calls were last watched, ms; undefined for never. */
    notServedMs,
    /** All serves that have ever served. */
    *served(): Step<Served[]> {
      const held = z.array(heldRow).parse(yield* all(selectServed, { now: clock.now() }));

      return held.map((mark) => {
        const [, pbx = '', application = ''] = mark.job.split(':');

        return {
          serve: { pbx: pbx === '' ? undefined : pbx, application },
          awayMs: overdueMs(mark) + leaseMs,
          by: holderOf(mark),
        };
      });
    },
    /** No PBX is without a name any more: the marks of one that was are no sign that it is away. */
    *forgetUnnamed(): Step<void> {
      yield* change(removeUnnamed);
    },
    /** How far the clock of this machine is ahead of that of the database, ms; 0 where that has none. */
    *clockAheadMs(): Step<number> {
      return z.number().parse(yield* value(selectAhead, { now: clock.now() }));
    },
    /** Takes the lease of a serve where calls were not watched for so long, ms, and who holds it has died. */
    takeAbandonedServe,
    *release(turn: Turn): Step<void> {
      yield* change(remove, turn);
    },
  };
}

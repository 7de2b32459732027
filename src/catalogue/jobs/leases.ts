import * as z from 'zod';
import { sinceBootOfMachine, type Clock } from '../../core/clock.ts';
import { isAlive } from '../../core/processes.ts';
import { row } from '../sqlite/rowForm.ts';
import { change, one, sql, writing, type Step } from '../sql/step.ts';

/** Who holds the right to run a job. */
export type LeaseHolder = { host: string; pid: number };

/** A lease must be renewed within this time, ms; one of a dead process on the same host is free at once. */
export const leaseMs = 60_000;

/** A process that has not renewed its lease for so long, ms, is another one with the number of one that has died, and not one that was stopped. */
const renumberedMs = 24 * 60 * 60_000;

/** The lease of whoever moves recordings from one archive to another. */
export const moveLease = 'archive move';

/** The lease of a serve: that one has started. */
export const serveLease = 'serve';
/** Its mark beside it: that it serves, with its socket open, so that it sees who joins a call. */
export const servingMark = 'serving';

const heldRow = row({
  host: z.string(),
  pid: z.number(),
  until: z.number(),
  boot: z.string().nullable(),
  bootUntil: z.number().nullable(),
});
type Held = z.output<typeof heldRow>;

/**
 * The table `leases`: one pass of a job at a time, over all processes that share the catalogue. On one machine a lease counts by
 * the clock that nobody can set: else two would have it while another clock is set.
 */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeLeases(clock: Clock) {
  const now = (): number => clock.now();
  const select = sql(`SELECT host, pid, until, boot, boot_until FROM leases WHERE job = @job`);
  function* find(job: string): Step<Held | undefined> {
    return heldRow.optional().parse(yield* one(select, { job }));
  }
  const upsert = sql(`
    INSERT INTO leases (job, host, pid, until, boot, boot_until) VALUES (@job, @host, @pid, @until, @boot, @bootUntil)
    ON CONFLICT (job) DO UPDATE SET host = excluded.host, pid = excluded.pid, until = excluded.until,
      boot = excluded.boot, boot_until = excluded.boot_until`);
  function* hold(job: string, { host, pid }: LeaseHolder): Step<void> {
    const since = sinceBootOfMachine(clock);
    const bootUntil = since === undefined ? null : since.ms + leaseMs;
    yield* change(upsert, { job, host, pid, until: now() + leaseMs, boot: since?.boot ?? null, bootUntil });
  }
  /** How long ago it was to be renewed, ms; below 0: it is held. */
  const overdueMs = ({ until, boot, bootUntil }: Held): number => {
    const since = sinceBootOfMachine(clock);

    return since?.boot !== boot || bootUntil === null ? now() - until : since.ms - bootUntil;
  };
  const remove = sql(`DELETE FROM leases WHERE job = @job AND host = @host AND pid = @pid`);
  /** Whether it may live. A number from before this boot is another process by now; from elsewhere nothing can be seen. */
  const mayLive = ({ host, pid, boot }: Held, me: LeaseHolder): boolean => {
    const now = sinceBootOfMachine(clock)?.boot;
    const isOfThisBoot = now === undefined || boot === null || now === boot;

    return host !== me.host || (isOfThisBoot && isAlive(pid));
  };
  function* otherHolder(job: string, me: LeaseHolder): Step<LeaseHolder | undefined> {
    const held = yield* find(job);
    const mine = held?.host === me.host && held.pid === me.pid;

    return held !== undefined && !mine && mayLive(held, me) && overdueMs(held) < 0
      ? { host: held.host, pid: held.pid }
      : undefined;
  }
  function* notServedMs(): Step<number | undefined> {
    const mark = yield* find(servingMark);

    return mark === undefined ? undefined : overdueMs(mark) + leaseMs;
  }
  const take = writing(function* (job: string, me: LeaseHolder): Step<LeaseHolder | undefined> {
    const other = yield* otherHolder(job, me);
    if (other === undefined) yield* hold(job, me);

    return other;
  });
  const takeAbandonedServe = writing(function* (me: LeaseHolder, awayMs: number): Step<boolean> {
    const held = yield* find(serveLease);
    const isMine = held?.host === me.host && held.pid === me.pid;
    // One that was stopped does not renew it, and goes on where it was. Elsewhere nothing can be seen but that.
    const heldForMs = held?.host === me.host ? renumberedMs : 0;
    if (held !== undefined && !isMine && mayLive(held, me) && overdueMs(held) < heldForMs) return false;
    const awayFor = yield* notServedMs();
    // Where nothing tells, as in a catalogue of an older version, or a mark of a clock that was ahead, it counts from now.
    const isTold = awayFor !== undefined && awayFor >= -leaseMs;
    if (!isTold) yield* hold(servingMark, me);
    const isAbandoned = isTold && awayFor >= awayMs;
    if (isAbandoned) yield* hold(serveLease, me);

    return isAbandoned;
  });

  return {
    /** Takes or renews; the other holder when it cannot be had. */
    take,
    /** Who else works at it now. */
    otherHolder,
    /** Notes that calls are watched now, whoever has noted it before. */
    *noteServing(me: LeaseHolder): Step<void> {
      yield* hold(servingMark, me);
    },
    /** How long ago calls were last watched, ms; undefined for never. */
    notServedMs,
    /** Takes the lease of a serve where calls were not watched for so long, ms, and who holds it has died. */
    takeAbandonedServe,
    *release(job: string, me: LeaseHolder): Step<void> {
      yield* change(remove, { job, host: me.host, pid: me.pid });
    },
  };
}

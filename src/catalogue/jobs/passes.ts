import * as z from 'zod';
import type { Here } from '../here.ts';
import { change, relaxed, sql, value, type Step } from '../sql/step.ts';

/** The jobs that have passes. */
export type PassName = 'upload' | 'retention' | 'reconcile';

/** Times are ms since 1970 UTC, by this machine's clock. */
export type PassTimes = {
  /** When a pass last came to its end well; undefined before the first. */
  doneAt: number | undefined;
  /** The first time that a pass was to begin since then, as serve has planned it; undefined where it has not. */
  dueAt: number | undefined;
};

/** The table `passes`: when each job was begun, and whether it does what it is for, whoever runs it. */
export function makePasses({ pbx }: Here) {
  // Each PBX has its own uploads, and its own folder to compare; what is due anywhere is erased by whoever comes first.
  const nameOf = (pass: PassName): string => (pbx === undefined || pass === 'retention' ? pass : `${pass} of ${pbx}`);
  const doneKey = (pass: PassName): string => `${nameOf(pass)} done`;
  const dueKey = (pass: PassName): string => `${nameOf(pass)} due`;
  const time = z.number().optional();
  const select = sql(`SELECT at FROM passes WHERE job = @job`);
  const upsert = sql(`
    INSERT INTO passes (job, at) VALUES (@job, @at) ON CONFLICT (job) DO UPDATE SET at = excluded.at`);
  // A planned time that has come stands until a pass was made after it: else each restart would put off what is late.
  const plan = sql(`
    INSERT INTO passes (job, at) VALUES (@dueKey, @at) ON CONFLICT (job) DO UPDATE SET at = excluded.at
    WHERE passes.at > @now OR passes.at <= (SELECT done.at FROM passes AS done WHERE done.job = @doneKey)`);

  return {
    /** When the last pass of the job began, ms since 1970 UTC by this machine's clock; undefined before the first. */
    *last(job: string): Step<number | undefined> {
      return time.parse(yield* value(select, { job }));
    },
    *note(job: string, at: number): Step<void> {
      yield* change(upsert, { job, at });
    },
    /** A pass of the job has come to its end, and did what it is for. Lost, it is late for the time of one pass. */
    noteDone: relaxed(function* (pass: PassName, at: number): Step<void> {
      yield* change(upsert, { job: doneKey(pass), at });
    }),
    /** The next pass is to begin then; a plan whose time has come stands until a pass was made after it. */
    plan: relaxed(function* (pass: PassName, at: number, now: number): Step<void> {
      yield* change(plan, { dueKey: dueKey(pass), doneKey: doneKey(pass), at, now });
    }),
    *times(pass: PassName): Step<PassTimes> {
      return {
        doneAt: time.parse(yield* value(select, { job: doneKey(pass) })),
        dueAt: time.parse(yield* value(select, { job: dueKey(pass) })),
      };
    },
  };
}

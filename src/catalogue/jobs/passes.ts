import type Database from 'better-sqlite3';
import * as z from 'zod';
import { relaxedSync } from '../sqlite/relaxedSync.ts';

/** The jobs that have passes. */
export type PassName = 'upload' | 'retention' | 'reconcile';

/** Times are ms since 1970 UTC, by this machine's clock. */
export type PassTimes = {
  /** When a pass last came to its end well; undefined before the first. */
  doneAt: number | undefined;
  /** The first time that a pass was to begin since then, as serve has planned it; undefined where it has not. */
  dueAt: number | undefined;
};

const doneKey = (pass: PassName): string => `${pass} done`;
const dueKey = (pass: PassName): string => `${pass} due`;

/** The table `passes`: when each job was begun, and whether it does what it is for, whoever runs it. */
export function makePasses(database: Database.Database) {
  const time = z.number().optional();
  const select = database.prepare(`SELECT at FROM passes WHERE job = ?`).pluck();
  const upsert = database.prepare(`INSERT OR REPLACE INTO passes (job, at) VALUES (?, ?)`);
  // A planned time that has come stands until a pass was made after it: else each restart would put off what is late.
  const plan = database.prepare(`
    INSERT INTO passes (job, at) VALUES (@dueKey, @at) ON CONFLICT (job) DO UPDATE SET at = excluded.at
    WHERE at > @now OR at <= (SELECT done.at FROM passes AS done WHERE done.job = @doneKey)`);

  return {
    /** When the last pass of the job began, ms since 1970 UTC by this machine's clock; undefined before the first. */
    last: (job: string): number | undefined => time.parse(select.get(job)),
    note: (job: string, at: number): void => {
      upsert.run(job, at);
    },
    /** A pass of the job has come to its end, and did what it is for. */
    noteDone: (pass: PassName, at: number): void => {
      // Lost, it is late for the time of one pass.
      relaxedSync(database, () => upsert.run(doneKey(pass), at));
    },
    /** The next pass is to begin then; a plan whose time has come stands until a pass was made after it. */
    plan: (pass: PassName, at: number, now: number): void => {
      relaxedSync(database, () => plan.run({ dueKey: dueKey(pass), doneKey: doneKey(pass), at, now }));
    },
    times: (pass: PassName): PassTimes => ({
      doneAt: time.parse(select.get(doneKey(pass))),
      dueAt: time.parse(select.get(dueKey(pass))),
    }),
  };
}

import { schedule, validate, type ScheduledTask, type TaskOptions } from 'node-cron';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

export type Job = { name: string; cron: string; run(): Promise<void> };

/** Throws config_invalid for a cron line or time zone that node-cron does not take. */
export function checkSchedule(jobs: readonly { key: string; cron: string }[], timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch (cause) {
    throw new PreavisError(
      'config_invalid',
      `schedule.timezone: is not a time zone (got ${JSON.stringify(timezone)})`,
      {
        cause,
      },
    );
  }
  for (const { key, cron } of jobs) {
    if (!validate(cron)) {
      throw new PreavisError('config_invalid', `${key}: is not a cron line (got ${JSON.stringify(cron)})`);
    }
  }
}

/** Runs jobs by the clock, and when asked. A job that is still running is not started again. */
export class Schedule {
  readonly #tasks: ScheduledTask[];
  readonly #log: Logger;
  readonly #running = new Map<string, Promise<void>>();

  constructor(jobs: readonly Job[], timezone: string, log: Logger) {
    this.#log = log;
    this.#tasks = jobs.map((job) =>
      schedule(job.cron, () => this.run(job), { timezone, name: job.name, logger: cronLog(job.name, log) }),
    );
  }

  /** Runs it now, as if its time had come. Never rejects: what goes wrong is logged. */
  async run(job: Pick<Job, 'name' | 'run'>): Promise<void> {
    if (this.#running.has(job.name)) {
      this.#log.info({ job: job.name }, 'a run of a scheduled job was left out');
      return;
    }
    const run = job.run().catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      // Another process runs it: what this job is for gets done all the same. Or this one is being stopped.
      const level = error.code === 'job_busy' || error.code === 'interrupted' ? 'info' : 'error';
      this.#log[level]({ job: job.name, code: error.code, err: error }, 'a scheduled job did not run to its end');
    });
    this.#running.set(job.name, run);
    await run.finally(() => this.#running.delete(job.name));
  }

  /** No further runs; resolves when those under way have ended. */
  async stop(): Promise<void> {
    for (const task of this.#tasks) await task.destroy();
    await Promise.all(this.#running.values());
  }
}

/** node-cron would write its own lines between ours: a run whose time passed while this process did not get to it. */
function cronLog(job: string, log: Logger): NonNullable<TaskOptions['logger']> {
  const fault = (thrown: string | Error): void => {
    const error = asPreavisError(thrown);
    log.error({ job, code: error.code, err: error }, 'the scheduler failed');
  };

  return {
    info: () => undefined,
    debug: () => undefined,
    warn: (why) => {
      log.info({ job, why }, 'a run of a scheduled job was left out');
    },
    error: fault,
  };
}

import { createTask, validate, type ScheduledTask } from 'node-cron';
import type { PassName } from '../catalogue/jobs/passes.ts';
import type { Config } from '../config/schema.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** The passes by the clock. */
export const scheduledPasses = ['upload', 'retention', 'reconcile'] as const satisfies readonly PassName[];

/** Throws config_invalid for a cron line or time zone of the configuration that cannot be used. */
export function checkJobs({ schedule }: Pick<Config, 'schedule'>): void {
  const jobs = scheduledPasses.map((name) => ({ key: `schedule.${name}`, cron: schedule[name] }));
  checkSchedule(jobs, schedule.timezone);
}

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

/** How often the clock is looked at, ms: a job is no later than this after the clock was set. */
const lookEveryMs = 1_000;

type Planned = { job: Job; task: ScheduledTask; next: number };

/** The next time by its cron line from now on, ms since 1970 UTC. */
const nextOf = (task: ScheduledTask): number => task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;

/**
 * Runs jobs by the clock, and when asked. A job that is still running is not started again. One whose time has passed, since the clock was
 * set forward or this process did not get to it, runs once. node-cron tells when a job is due; its own timers would count up every run that a
 * clock has left out, with nothing else done meanwhile, and after one that was put back wait until it is as late again.
 */
export class Schedule {
  readonly #planned: readonly Planned[];
  readonly #log: Logger;
  readonly #running = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = Date.now();

  constructor(jobs: readonly Job[], timezone: string, log: Logger) {
    this.#log = log;
    this.#planned = jobs.map((job) => {
      const task = createTask(job.cron, () => undefined, { timezone, name: job.name });
      return { job, task, next: nextOf(task) };
    });
    this.#wait();
  }

  #wait(): void {
    const untilNext = Math.min(...this.#planned.map(({ next }) => next)) - Date.now();
    this.#timer = setTimeout(
      () => {
        this.#look();
      },
      Math.min(Math.max(untilNext, 0), lookEveryMs),
    );
  }

  #look(): void {
    const now = Date.now();
    const wasPutBack = now < this.#lookedAt;
    this.#lookedAt = now;
    if (wasPutBack) this.#log.warn('clock set back; scheduled jobs rescheduled');
    for (const each of this.#planned) {
      const isDue = now >= each.next;
      if (isDue || wasPutBack) each.next = nextOf(each.task);
      if (isDue) void this.run(each.job);
    }
    this.#wait();
  }

  /** When the job of this name begins next, ms since 1970 UTC; undefined for none. */
  next(name: string): number | undefined {
    const planned = this.#planned.find(({ job }) => job.name === name);

    return planned === undefined || !Number.isFinite(planned.next) ? undefined : planned.next;
  }

  /** Runs it now, as if its time had come. Never rejects: what goes wrong is logged. */
  async run(job: Pick<Job, 'name' | 'run'>): Promise<void> {
    if (this.#running.has(job.name)) {
      this.#log.info({ job: job.name }, 'scheduled job run skipped');
      return;
    }
    const run = job.run().catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      // Another process runs it: what this job is for gets done all the same. Or this one is being stopped.
      const { code, message } = error;
      if (code === 'job_busy' || code === 'interrupted')
        this.#log.info({ job: job.name, code, problem: message }, 'scheduled job left to another run');
      else this.#log.error({ job: job.name, code, err: error }, 'scheduled job not completed');
    });
    this.#running.set(job.name, run);
    await run.finally(() => this.#running.delete(job.name));
  }

  /** No further runs; resolves when those under way have ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    for (const { task } of this.#planned) await task.destroy();
    await Promise.all(this.#running.values());
  }
}

import { PreavisError } from '../core/errors.ts';
import type { Config } from './schema.ts';
import { workerNames, type WorkerName } from './workerNames.ts';

/** Two serves that share the calls of one Asterisk: each has an application of its own, and the other takes it up. */
export type Workers = {
  /** The application of this one. */
  own: string;
  /** That of the other. */
  peer: string;
};

/** How soon the other one takes up the calls of a worker that says nothing, s. */
export const workerLeaseSeconds = 12;
/** So much later at the earliest the dead-man channel may end recorders, of both workers; it may be a fifth of its time ahead, s. */
const slackSeconds = 13;

/** Of two workers, the one that has what only one of them can have, whoever serves its application. */
export const isFirst = (application: string, { own, peer }: Workers): boolean => application === [own, peer].sort()[0];

/** Under which application a worker serves, where `ari.application` is `base`. */
export const applicationOf = (base: string, worker: WorkerName): string => `${base}-${worker}`;

/** The `ari.application` that these follow from; that of the one serve itself where there are no two. */
export const baseOf = (application: string, workers: Workers | undefined): string =>
  workers === undefined ? application : application.replace(/-[^-]*$/, '');

/** Their applications in the order of their names; undefined where there is one serve. */
export function workersOf({ ari: { application, worker } }: Pick<Config, 'ari'>): Workers | undefined {
  if (worker === undefined) return undefined;
  const peer = workerNames.find((each) => each !== worker) ?? worker;

  return { own: applicationOf(application, worker), peer: applicationOf(application, peer) };
}

/** As the one who serves this application has it. */
export function servingAs<C extends Pick<Config, 'ari'>>(config: C, application: string): C {
  return { ...config, ari: { ...config.ari, application } };
}

/**
 * The configuration of this worker: its application, and the port of its health page, of which b has the next one.
 *
 * @throws PreavisError config_invalid for what does not go with two workers
 */
export function asWorker(config: Config): Config {
  const workers = workersOf(config);
  if (workers === undefined) return config;
  const { recording, health } = config;
  if (recording.spool === 'collected') {
    throw new PreavisError('config_invalid', 'ari.worker: does not go with recording.spool: collected', {
      hint: 'Two workers stand beside their Asterisk and share its recording folder (docs/operations/workers.md).',
    });
  }
  const leastSeconds = workerLeaseSeconds + slackSeconds;
  if (recording.unwatchedSeconds < leastSeconds) {
    throw new PreavisError(
      'config_invalid',
      `recording.unwatchedSeconds: is less than ${leastSeconds}, in which the other worker takes up calls (ari.worker)`,
    );
  }
  const port = config.ari.worker === 'b' && health.port !== 0 ? health.port + 1 : health.port;

  return { ...servingAs(config, workers.own), health: { ...health, port } };
}

import type { CallJournal } from '../call/session/journal.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { serveLease, type ServeName } from '../catalogue/jobs/leases.ts';
import { workerNames } from '../config/workerNames.ts';
import { applicationOf, baseOf, isFirst, type Workers } from '../config/workers.ts';
import { thisProcess } from '../core/processes.ts';

export type OwnCallsPorts = {
  catalogue: CataloguePart<{
    journal: 'save' | 'open' | 'openOfOthers' | 'openApplications' | 'adoptOpen' | 'endUnreadable' | 'addToTimeline';
    leases: 'otherHolder';
  }>;
  serve: ServeName;
  /** Of two workers, this one first; undefined where one serve has all calls. */
  workers: Workers | undefined;
};

/** The calls of one application. Whoever asks something of a call asks that (askServe), so it is written down where it changes. */
export function ownCalls(ports: OwnCallsPorts): CallJournal {
  const {
    catalogue: { journal },
    serve: { application },
    workers,
  } = ports;

  return {
    ...journal,
    save: (state, measured) => journal.save(state, measured, application),
    open: async () => {
      if (workers === undefined || isFirst(application, workers)) await adoptLeft(ports);

      return journal.open({ application });
    },
    openOfOthers: () => journal.openOfOthers(application),
  };
}

/**
 * Calls that were left by the other mode of serving, or by a serve of another application that is no more: one that runs beside this one keeps its own. Of
 * two workers the first has them.
 */
async function adoptLeft({ catalogue: { journal, leases }, serve, workers }: OwnCallsPorts): Promise<void> {
  const { application } = serve;
  const base = baseOf(application, workers);
  const ofMode = workers === undefined ? workerNames.map((worker) => applicationOf(base, worker)) : [base];
  const served = [application, ...(workers === undefined ? [] : [workers.own, workers.peer])];
  for (const of of await journal.openApplications()) {
    if (of !== null && served.includes(of)) continue;
    const isServed = async (): Promise<boolean> =>
      of !== null &&
      !ofMode.includes(of) &&
      (await leases.otherHolder(serveLease({ ...serve, application: of }), thisProcess())) !== undefined;
    if (!(await isServed())) await journal.adoptOpen(of, application);
  }
}

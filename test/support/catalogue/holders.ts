import { hostname } from 'node:os';
import type { LeaseHolder, ServeName } from '../../../src/catalogue/jobs/leases.ts';
import { thisProcess } from '../../../src/core/processes.ts';

/** A process of which nothing can be seen from here. */
export function elsewhere(host = 'another-host', pid = 4): LeaseHolder {
  return { id: `${host} ${pid}`, host, pid, machine: null, started: null };
}

/** Another process of this machine. */
export function beside(pid: number): LeaseHolder {
  return { id: `beside ${pid}`, host: hostname(), pid, machine: thisProcess().machine, started: null };
}

/** The serve of a configuration that names neither. */
export const onlyServe: ServeName = { pbx: undefined, application: 'preavis' };

import type { ServeName } from './jobs/leases.ts';

/**
 * Where this process stands, since what a call leaves first is local to its PBX: the call itself while it is on, the file in the folder of
 * recordings, the lines of the second witness. Only that PBX sees to it. What is in the archive anybody may see to.
 */
export type Here = ServeName;

/** Of a process that nobody has told: the only one, without a name. To it everything is here. */
export const onlyHere: Here = { pbx: undefined, application: 'preavis' };

/** A call of this PBX; its name is the parameter `pbx` of the statement (pbxGiven). */
export const isCallHere = ({ pbx }: Here): string => (pbx === undefined ? 'TRUE' : 'calls.pbx = @pbx');

/** The same for a row that has the id of its call in the column `call`. */
export const isOfCallHere = (call: string, here: Here): string =>
  here.pbx === undefined ? 'TRUE' : `EXISTS (SELECT 1 FROM calls WHERE calls.id = ${call} AND ${isCallHere(here)})`;

/** A recording whose sound is in the archive, or lies at this PBX. */
export const isWithinReach = (here: Here): string =>
  `(recordings.status = 'archived' OR ${isOfCallHere('recordings.call_id', here)})`;

/** The value of the parameter. */
export const pbxGiven = ({ pbx }: Here): { pbx: string | null } => ({ pbx: pbx ?? null });

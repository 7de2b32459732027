import type { ServeName } from './jobs/leases.ts';

/**
 * Where this process stands, since what a call leaves first is local to its PBX: the call itself while it is on, the file in the folder of
 * recordings, the lines of the second witness. Only that PBX sees to it. What is in the archive anybody may see to.
 */
export type Here = ServeName;

/** Of a process that nobody has told: the only one, without a name. */
export const onlyHere: Here = { pbx: undefined, application: 'preavis' };

/** A call of this PBX; `pbx` is a parameter of the statement, null for one without a name. */
export const isCallHere = 'calls.pbx IS NOT DISTINCT FROM @pbx';

/** The same for a row that has the id of its call in the column `call`. */
export const isOfCallHere = (call: string): string =>
  `EXISTS (SELECT 1 FROM calls WHERE calls.id = ${call} AND ${isCallHere})`;

/** A recording whose sound is in the archive, or lies at this PBX. */
export const isWithinReach = `(recordings.status = 'archived' OR ${isOfCallHere('recordings.call_id')})`;

/** The value of the parameter. */
export const pbxGiven = ({ pbx }: Here): { pbx: string | null } => ({ pbx: pbx ?? null });

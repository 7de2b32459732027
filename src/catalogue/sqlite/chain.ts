import { chainStart, entryDigest, linkOf } from '../../core/crypto/hashChain.ts';
import type { Database } from './sqlite.ts';

/** Makes the function that links a line of the audit trail to the one before: once for each connection, before anything is appended. */
export function defineChain(database: Database): void {
  database.function(
    'preavis_link',
    { deterministic: true },
    // SQLite counts the parameters of a function by their names.
    (
      before: unknown,
      at: unknown,
      id: unknown,
      event: unknown,
      from: unknown,
      to: unknown,
      who: unknown,
      why: unknown,
    ) => linkOf(typeof before === 'string' ? before : chainStart, entryDigest([at, id, event, from, to, who, why])),
  );
}

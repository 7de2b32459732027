import type Database from 'better-sqlite3';
import * as z from 'zod';
import { relaxedSync } from '../sqlite/relaxedSync.ts';

/** Where what was signed is kept beside the catalogue. */
export type CopyPlace = 'ledger' | 'archive';

/**
 * What tables of signed texts have in common: the SHA-256 of its JWS as text names each. Decisions have no copy in the archive, and no column
 * for one.
 */
export function makeSignedTable(database: Database.Database, table: 'certificates' | 'chain_heads' | 'decisions') {
  const selectKnown = database.prepare(`SELECT 1 FROM ${table} WHERE sha256 = ?`);
  const count = database.prepare(`SELECT count(*) FROM ${table}`).pluck();
  const remove = database.prepare(`DELETE FROM ${table} WHERE sha256 = ?`);

  /** Within a transaction of the caller. */
  const mark = (sha256: string, place: CopyPlace, isThere: boolean): void => {
    database.prepare(`UPDATE ${table} SET in_${place} = ? WHERE sha256 = ?`).run(Number(isThere), sha256);
  };

  return {
    mark,
    /** Whether a copy of it is there; what is not is copied again. */
    noteCopy: (sha256: string, place: CopyPlace, isThere: boolean): void => {
      const step = (): void => {
        mark(sha256, place, isThere);
      };
      // Lost, the copy is made again.
      if (isThere) relaxedSync(database, step);
      else step();
    },
    isKnown: (sha256: string): boolean => selectKnown.get(sha256) !== undefined,
    count: (): number => z.number().parse(count.get()),
    remove: (sha256: string): void => {
      remove.run(sha256);
    },
  };
}

import type Database from 'better-sqlite3';
import * as z from 'zod';
import { flag, row } from '../row.ts';
import type { CopyPlace } from './certificates.ts';
import { writing } from '../writing.ts';

const headRow = row({
  /** Of the JWS as text. */
  sha256: z.string(),
  number: z.number(),
  signedAt: z.number(),
  jws: z.string(),
  inLedger: flag,
  inArchive: flag,
});
/** A signed head of the audit trail, and where else than in the catalogue it is kept. */
export type HeadRow = z.output<typeof headRow>;
export type NewHead = Omit<HeadRow, 'inLedger' | 'inArchive'>;

/** The table `chain_heads`: what was signed of the audit trail, day by day. */
export function makeChainHeads(database: Database.Database) {
  const insert = database.prepare(`
    INSERT INTO chain_heads (sha256, number, signed_at, jws, in_ledger, in_archive)
    VALUES (@sha256, @number, @signedAt, @jws, @inLedger, @inArchive) ON CONFLICT DO NOTHING`);
  const selectLast = database.prepare(`SELECT * FROM chain_heads ORDER BY number DESC, signed_at DESC, sha256 LIMIT 1`);
  const selectAll = database.prepare(`SELECT * FROM chain_heads ORDER BY number, sha256`);
  const selectAlone = {
    ledger: database.prepare(`SELECT * FROM chain_heads WHERE in_ledger = 0 ORDER BY number, sha256`),
    archive: database.prepare(`SELECT * FROM chain_heads WHERE in_archive = 0 ORDER BY number, sha256`),
  };
  const mark = {
    ledger: database.prepare(`UPDATE chain_heads SET in_ledger = ? WHERE sha256 = ?`),
    archive: database.prepare(`UPDATE chain_heads SET in_archive = ? WHERE sha256 = ?`),
  };
  const selectKnown = database.prepare(`SELECT 1 FROM chain_heads WHERE sha256 = ?`).pluck();
  const remove = database.prepare(`DELETE FROM chain_heads WHERE sha256 = ?`);

  const last = (): HeadRow | undefined => headRow.optional().parse(selectLast.get());
  const keep = writing(database, (head: NewHead, previous: string | null): boolean => {
    if ((last()?.sha256 ?? null) !== previous) return false;
    insert.run({ ...head, inLedger: 0, inArchive: 0 });

    return true;
  });

  return {
    last,
    /** In their order: one a day. */
    list: (): HeadRow[] => z.array(headRow).parse(selectAll.all()),
    isKnown: (sha256: string): boolean => selectKnown.get(sha256) === 1,
    /** Keeps a new one; false when another came before it. */
    keep,
    /** Takes up one that was found outside the catalogue, which an older state of it does not know. */
    takeUp: (head: NewHead, place: CopyPlace): void => {
      insert.run({ ...head, inLedger: Number(place === 'ledger'), inArchive: Number(place === 'archive') });
    },
    withoutCopy: (place: CopyPlace): HeadRow[] => z.array(headRow).parse(selectAlone[place].all()),
    /** Whether a copy of it is there; what is not is copied again. */
    noteCopy: (sha256: string, place: CopyPlace, isThere: boolean): void => {
      mark[place].run(Number(isThere), sha256);
    },
    remove: (sha256: string): void => {
      remove.run(sha256);
    },
  };
}

import * as z from 'zod';
import { yesNo, row } from '../sqlite/rowForm.ts';
import { makeSignedTable, type CopyPlace } from './signedTable.ts';
import { all, change, one, sql, writing, type Step } from '../sql/step.ts';

const headRow = row({
  /** Of the JWS as text. */
  sha256: z.string(),
  number: z.number(),
  signedAt: z.number(),
  jws: z.string(),
  inLedger: yesNo,
  inArchive: yesNo,
});
/** A signed head of the audit trail, and where else than in the catalogue it is kept. */
export type HeadRow = z.output<typeof headRow>;
export type NewHead = Omit<HeadRow, 'inLedger' | 'inArchive'>;

/** The table `chain_heads`: what was signed of the audit trail, day by day. */
export function makeChainHeads() {
  const insert = sql(`
    INSERT INTO chain_heads (sha256, number, signed_at, jws, in_ledger, in_archive)
    VALUES (@sha256, @number, @signedAt, @jws, @inLedger, @inArchive) ON CONFLICT DO NOTHING`);
  const selectLast = sql(`SELECT * FROM chain_heads ORDER BY number DESC, signed_at DESC, sha256 LIMIT 1`);
  const selectAll = sql(`SELECT * FROM chain_heads ORDER BY number, sha256`);
  const selectAlone = {
    ledger: sql(`SELECT * FROM chain_heads WHERE in_ledger = 0 ORDER BY number, sha256`),
    archive: sql(`SELECT * FROM chain_heads WHERE in_archive = 0 ORDER BY number, sha256`),
  };
  const { noteCopy, isKnown, remove } = makeSignedTable('chain_heads');

  function* last(): Step<HeadRow | undefined> {
    return headRow.optional().parse(yield* one(selectLast));
  }
  const keep = writing(function* (head: NewHead, previous: string | null): Step<boolean> {
    if (((yield* last())?.sha256 ?? null) !== previous) return false;
    yield* change(insert, { ...head, inLedger: 0, inArchive: 0 });

    return true;
  });

  return {
    last,
    /** In their order: one a day. */
    *list(): Step<HeadRow[]> {
      return z.array(headRow).parse(yield* all(selectAll));
    },
    isKnown,
    /** Keeps a new one; false when another came before it. */
    keep,
    /** Takes up one that was found outside the catalogue, which an older state of it does not know. */
    *takeUp(head: NewHead, place: CopyPlace): Step<void> {
      yield* change(insert, { ...head, inLedger: Number(place === 'ledger'), inArchive: Number(place === 'archive') });
    },
    *withoutCopy(place: CopyPlace): Step<HeadRow[]> {
      return z.array(headRow).parse(yield* all(selectAlone[place]));
    },
    noteCopy,
    remove,
  };
}

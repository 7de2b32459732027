import * as z from 'zod';
import { change, one, relaxed, sql, value, type Step } from '../sql/step.ts';

/** Where what was signed is kept beside the catalogue. */
export type CopyPlace = 'ledger' | 'archive';

/**
 * What tables of signed texts have in common: the SHA-256 of its JWS as text names each. Decisions have no copy in the archive, and no column
 * for one.
 */
export function makeSignedTable(table: 'certificates' | 'chain_heads' | 'decisions') {
  const selectKnown = sql(`SELECT 1 FROM ${table} WHERE sha256 = @sha256`);
  const countAll = sql(`SELECT count(*) FROM ${table}`);
  const removeOne = sql(`DELETE FROM ${table} WHERE sha256 = @sha256`);

  /** Within a transaction of the caller, or a step of its own. */
  function* mark(sha256: string, place: CopyPlace, isThere: boolean): Step<void> {
    const update = sql(`UPDATE ${table} SET in_${place} = @isThere WHERE sha256 = @sha256`);
    yield* change(update, { isThere: Number(isThere), sha256 });
  }
  const markRelaxed = relaxed(mark);

  function* noteCopy(sha256: string, place: CopyPlace, isThere: boolean): Step<void> {
    // Lost, the copy is made again.
    yield* (isThere ? markRelaxed : mark)(sha256, place, isThere);
  }

  function* isKnown(sha256: string): Step<boolean> {
    return (yield* one(selectKnown, { sha256 })) !== undefined;
  }

  function* count(): Step<number> {
    return z.number().parse(yield* value(countAll));
  }

  function* remove(sha256: string): Step<void> {
    yield* change(removeOne, { sha256 });
  }

  return {
    mark,
    /** Whether a copy of it is there; what is not is copied again. */
    noteCopy,
    isKnown,
    count,
    remove,
  };
}

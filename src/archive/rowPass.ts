import pLimit from 'p-limit';
import { asPreavisError, type PreavisError } from '../core/errors.ts';

/** Rows of the catalogue in memory at a time. */
const batch = 500;

/** Whether nothing further can be done in a pass over recordings: archive or catalogue is away as a whole. */
export function endsPass({ code, wholeArchive }: PreavisError): boolean {
  return wholeArchive === 'away' || code === 'catalogue_unusable';
}

export type RowPass<Row> = {
  /** The next rows behind this id, in its order; fewer than `most` at the end. */
  page(after: string, most: number): Promise<Row[]>;
  idOf(row: Row): string;
  /** Rows that are counted and worked on; all where it is not given. */
  isMeant?: (row: Row) => boolean;
  attempt(row: Row): Promise<void>;
  /** Keeps what came of an attempt that failed; gives what makes going on of no use. */
  failed(row: Row, error: PreavisError): PreavisError | undefined | Promise<PreavisError | undefined>;
  atOnce: number;
  /** How many there are, as far as is known. */
  total: number;
};

export type RowPassOptions = {
  /** Ends the pass between two rows; its reason is thrown. */
  signal: AbortSignal;
  progress?: (done: number, total: number) => void;
};

/** Works on every row, `atOnce` at a time. Throws what makes going on of no use, once what was begun is over. */
export async function overRows<Row>(pass: RowPass<Row>, { signal, progress }: RowPassOptions): Promise<void> {
  const limit = pLimit(pass.atOnce);
  let stoppedBy: PreavisError | undefined;
  const skipped: Row[] = [];
  let done = 0;
  const isOver = (): boolean => stoppedBy !== undefined || signal.aborted;
  const one = async (row: Row): Promise<void> => {
    if (isOver()) {
      skipped.push(row);
      return;
    }
    try {
      await pass.attempt(row);
    } catch (thrown) {
      const stop = signal.aborted ? asPreavisError(signal.reason) : await pass.failed(row, asPreavisError(thrown));
      stoppedBy ??= stop;
    }
    progress?.((done += 1), Math.max(pass.total, done));
  };
  for (let after = ''; ;) {
    const rows = await pass.page(after, batch);
    await Promise.all(rows.filter(pass.isMeant ?? (() => true)).map((row) => limit(() => one(row))));
    if (stoppedBy !== undefined) throw stoppedBy;
    // A signal that comes when the last row has begun leaves nothing undone.
    if (skipped.length > 0) signal.throwIfAborted();
    const last = rows.at(-1);
    if (last === undefined || rows.length < batch) return;
    after = pass.idOf(last);
  }
}

import type Database from 'better-sqlite3';
import * as z from 'zod';

const debtRow = z.object({ erased: z.number(), emptied: z.number() });
const checkpointRow = z.tuple([z.object({ busy: z.number() })]);

/**
 * The write-ahead log. What is erased is overwritten in the file of the catalogue, but the log has pages from before, until it is
 * written over by chance. Triggers count in the table `log_debt` what was erased, so that a killed process forgets nothing of it.
 */
export function makeWriteAheadLog(database: Database.Database) {
  const selectDebt = database.prepare(`SELECT erased, emptied FROM log_debt`);
  const pay = database.prepare(`UPDATE log_debt SET emptied = @erased WHERE emptied < @erased`);

  return {
    /**
     * Brings the log into the file and cuts it to nothing, where something was erased since that was done last. Does not wait: others
     * read the log, as a backup does, or write it.
     */
    emptyLog: (): 'empty' | 'busy' => {
      const { erased, emptied } = debtRow.parse(selectDebt.get());
      if (emptied >= erased) return 'empty';
      const before = z.number().parse(database.pragma('busy_timeout', { simple: true }));
      database.pragma('busy_timeout = 0');
      try {
        const [{ busy }] = checkpointRow.parse(database.pragma('wal_checkpoint(TRUNCATE)'));
        if (busy !== 0) return 'busy';
      } finally {
        database.pragma(`busy_timeout = ${before}`);
      }
      pay.run({ erased });

      return 'empty';
    },
  };
}

import * as z from 'zod';
import { isKept } from './conditions.ts';
import { companiesGiven, ofCompanies } from './figures.ts';
import { row } from './sqlite/rowForm.ts';
import { all, sql, value, type Step } from './sql/step.ts';

const callsRow = z.object({ result: z.string().nullable(), languages: z.string(), calls: z.number() });
const purposeRow = z.object({ purpose: z.string(), recordings: z.number(), bytes: z.number() });
/** Behind every id in the order of the catalogue: they are ULIDs. A bound that may be missing would read to the end for each part. */
const behindAll = '~';
const endRow = row({ callId: z.string(), keepUntil: z.number(), id: z.string() });
/** A recording by the end of its last purpose. */
export type EndOfRecording = z.output<typeof endRow>;

/** Figures for pictures. Each method looks at a bounded part, so that whoever asks for a lot lets others come between. */
export function makePlots() {
  const selectCalls = sql(`
    SELECT result, languages, count(*) AS calls FROM calls INDEXED BY calls_by_start
    WHERE started_at >= @from AND started_at < @to AND ${ofCompanies} GROUP BY result, languages
    ORDER BY result NULLS FIRST, languages`);
  const selectEnd = sql(
    `SELECT id FROM recordings INDEXED BY recordings_kept WHERE ${isKept} AND id > @after ORDER BY id LIMIT 1 OFFSET @limit - 1`,
  );
  const selectStorage = sql(`
    SELECT purpose, count(*) AS recordings, coalesce(sum(bytes), 0) AS bytes
    FROM recordings INDEXED BY recordings_kept CROSS JOIN recording_purposes ON recording_id = recordings.id
    WHERE ${isKept} AND recordings.id > @after AND recordings.id <= @last GROUP BY purpose ORDER BY purpose`);
  const selectUpcoming = sql(`
    SELECT call_id, keep_until, id FROM recordings INDEXED BY recordings_by_end
    WHERE ${isKept} AND (keep_until, id) > (@keepUntil, @id) ORDER BY keep_until, id LIMIT @limit`);

  return {
    /** Calls of a time, ms since 1970 UTC, by what became of them and by languages. `controllers`: of these companies, '' the own; undefined: all. */
    *calls(from: number, to: number, controllers: readonly string[] | undefined): Step<z.output<typeof callsRow>[]> {
      return z.array(callsRow).parse(
        yield* all(selectCalls, {
          from,
          to,
          ...companiesGiven(controllers),
        }),
      );
    },
    /** What so many recordings beyond `after` take, by purpose; one of two purposes counts for both. `next` is undefined after the last part. */
    *storage(
      after: string,
      limit: number,
    ): Step<{ purposes: z.output<typeof purposeRow>[]; next: string | undefined }> {
      const last = z
        .string()
        .optional()
        .parse(yield* value(selectEnd, { after, limit }));
      const purposes = z.array(purposeRow).parse(yield* all(selectStorage, { after, last: last ?? behindAll }));

      return { purposes, next: last };
    },
    /** Recordings in the order of their ends, beyond one of them. */
    *byEnd(after: { keepUntil: number; id: string }, limit: number): Step<EndOfRecording[]> {
      return z.array(endRow).parse(yield* all(selectUpcoming, { ...after, limit }));
    },
  };
}

import * as z from 'zod';
import { isCallHere, pbxGiven, type Here } from '../here.ts';
import { all, sql, type Step } from '../sql/step.ts';

const elsewhereRow = z.object({ pbx: z.string(), recordings: z.number() });
export type UnfinishedElsewhere = z.output<typeof elsewhereRow>;

/** What other PBXs have to see to. */
export function makeUnfinishedElsewhere(here: Here) {
  const select = sql(`
    SELECT calls.pbx AS pbx, count(*) AS recordings FROM recordings JOIN calls ON calls.id = recordings.call_id
    WHERE recordings.status IN ('recording', 'recorded') AND NOT (${isCallHere(here)})
    GROUP BY calls.pbx ORDER BY calls.pbx`);

  return {
    /** How many lie at each other PBX, and are not archived yet; by name. */
    *unfinishedElsewhere(): Step<UnfinishedElsewhere[]> {
      return z.array(elsewhereRow).parse(yield* all(select, pbxGiven(here)));
    },
  };
}

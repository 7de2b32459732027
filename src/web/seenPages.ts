import type { Actor } from '../access/actor.ts';
import type { CallId } from '../core/ids.ts';
import { fittingPage } from '../core/pages.ts';
import type { WebPorts } from './ports.ts';
import { listedCalls, type ListedCall } from './subjects.ts';

export type Listed<Place> = { call: string; place: Place };

/**
 * A page of what an actor may see of a list, as `fittingPage`.
 *
 * @param read rows in their order, beyond a place
 * @param fits which of those that they see are meant
 */
export async function seenPage<Place>(
  actor: Actor,
  ports: WebPorts,
  {
    fits = () => true,
    ...list
  }: {
    after: Place;
    limit: number;
    read: (after: Place, most: number) => Promise<Listed<Place>[]>;
    fits?: (each: ListedCall) => boolean;
  },
): Promise<{ listed: ListedCall[]; next: Place | undefined }> {
  const { shown, next } = await fittingPage<Listed<Place>, Place, ListedCall>({
    ...list,
    placeOf: ({ place }) => place,
    fitting: async (rows) => {
      const seen = await listedCalls(ports, actor, [...new Set(rows.map(({ call }) => call as CallId))]);
      const byCall = new Map<string, ListedCall>(seen.filter(fits).map((each) => [each.call.id, each]));

      return rows.flatMap((row) => {
        const each = byCall.get(row.call);

        return each === undefined ? [] : [{ row, shown: each }];
      });
    },
  });

  return { listed: shown, next };
}

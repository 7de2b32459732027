import { setImmediate as breathe } from 'node:timers/promises';
import type { Actor } from '../access/actor.ts';
import type { CallId } from '../core/ids.ts';
import type { WebPorts } from './ports.ts';
import { listedCalls, type ListedCall } from './subjects.ts';

/** So many rows are looked at for one page of what an actor may see: no list, however little of it is theirs, keeps the process busy. */
const mostLookedAt = 2_000;
/** Looked at together, behind the first part. */
const batch = 100;

export type Listed<Place> = { call: string; place: Place };

/**
 * A page of what an actor may see of a list. `next` is the place of the last one that they see: how many others lie between two of theirs, or
 * behind the last, they learn neither from it nor from the number of pages. Only where `mostLookedAt` in a row are not theirs a page ends before.
 *
 * @param read rows in their order, beyond a place
 * @param fits which of those that they see are meant
 */
export async function seenPage<Place>(
  actor: Actor,
  ports: WebPorts,
  {
    after,
    limit,
    read,
    fits = () => true,
  }: {
    after: Place;
    limit: number;
    read: (after: Place, most: number) => Promise<Listed<Place>[]>;
    fits?: (each: ListedCall) => boolean;
  },
): Promise<{ listed: ListedCall[]; next: Place | undefined }> {
  const found: { each: ListedCall; place: Place }[] = [];
  let last = after;
  for (let looked = 0, most = limit + 1; looked < mostLookedAt; looked += most, most = batch) {
    const rows = await read(last, most);
    const seen = await listedCalls(ports, actor, [...new Set(rows.map(({ call }) => call as CallId))]);
    const byCall = new Map<string, ListedCall>(seen.filter(fits).map((each) => [each.call.id, each]));
    for (const { call, place } of rows) {
      const each = byCall.get(call);
      if (each !== undefined) found.push({ each, place });
    }
    if (found.length > limit) {
      const page = found.slice(0, limit);

      return { listed: page.map(({ each }) => each), next: page.at(-1)?.place };
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < most) return { listed: found.map(({ each }) => each), next: undefined };
    last = end.place;
    await breathe();
  }

  return { listed: found.map(({ each }) => each), next: last };
}

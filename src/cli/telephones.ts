import { otherHalf, type LocalName } from '../ari/events.ts';
import type { Owned } from '../ari/port.ts';
import { isBridged } from '../call/decide/order.ts';
import type { Facts } from '../call/decide/state.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { CallId, ChannelId } from '../core/ids.ts';
import { makeAri } from '../services/ari.ts';

/**
 * Whose telephones are in a call now. Asterisk is asked each time, and nothing of it is kept: the catalogue knows channels by ids while a
 * call lasts, and nobody's telephone (docs/privacy.md).
 */

/** What is in Asterisk now. */
export type Scene = Pick<Owned, 'bridges' | 'localNames'> & {
  /** Of telephones and trunks, by the names that Asterisk has for them. */
  endpoints: ReadonlyMap<ChannelId, string>;
};

/** The endpoints of this call: of its two sides, of who else is in the bridge with them, and of who is behind a Local/ channel there. */
export function endpointsIn(
  { callerChannel, called, order }: Facts,
  { bridges, localNames, endpoints }: Scene,
): string[] {
  const halves = new Map<LocalName, ChannelId>([...localNames].map(([id, name]) => [name, id]));
  const destination = order !== undefined && isBridged(order) ? [order.destination] : [];
  const seen = new Set<ChannelId>();
  const next = [callerChannel, ...(called?.dialler === undefined ? [] : [called.dialler]), ...destination];
  for (let channel = next.pop(); channel !== undefined; channel = next.pop()) {
    if (seen.has(channel)) continue;
    seen.add(channel);
    const bridge = bridges.find(({ members, isHolding }) => isHolding !== true && members.includes(channel));
    const local = localNames.get(channel);
    const behind = local === undefined ? undefined : halves.get(otherHalf(local));
    next.push(...(bridge?.members ?? []), ...(behind === undefined ? [] : [behind]));
  }

  return [...new Set([...seen].flatMap((channel) => endpoints.get(channel) ?? []))].sort();
}

/**
 * The endpoints of each call that goes on.
 *
 * @throws PreavisError ari_unreachable, ari_unauthorized, ari_request_failed
 */
export async function telephonesInCalls(
  config: Config,
  catalogue: CataloguePart<{ journal: 'open' }>,
): Promise<ReadonlyMap<CallId, readonly string[]>> {
  const ari = makeAri(config);
  try {
    const [endpoints, owned] = await Promise.all([ari.commands.endpoints(), ari.commands.owned()]);
    const open = await catalogue.journal.open();
    const calls = open.flatMap((state) => (state.kind === 'unreadable' ? [] : [state.facts]));

    return new Map(calls.map((facts) => [facts.id, endpointsIn(facts, { ...owned, endpoints })]));
  } finally {
    ari.close();
  }
}

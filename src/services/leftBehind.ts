import type { UnfinishedElsewhere } from '../catalogue/calls/unfinishedElsewhere.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';

/** A PBX that nobody has served for so long, ms, has another name now, or is gone. */
const leftMs = 60 * 60_000;

/** What lies at PBXs of names that nobody serves: no Préavis archives or erases it, until one has that name again. */
export async function leftBehind({
  recordings,
  leases,
}: CataloguePart<{ recordings: 'unfinishedElsewhere'; leases: 'served' }>): Promise<UnfinishedElsewhere[]> {
  const unfinished = await recordings.unfinishedElsewhere();
  if (unfinished.length === 0) return [];
  const served = (await leases.served()).filter(({ awayMs }) => awayMs < leftMs).map(({ serve }) => serve.pbx);

  return unfinished.filter(({ pbx }) => !served.includes(pbx));
}

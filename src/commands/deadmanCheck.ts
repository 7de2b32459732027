import { contextMissing, hasContext, requireSoftHangup } from '../ari/deadman.ts';
import type { AriDeadman, AriQueries } from '../ari/port.ts';
import { PreavisError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';

/** Throws deadman_unusable where Asterisk could not end recorders by itself. `trial`: the id of a channel that is made and ended. */
export async function requireDeadman(
  ari: Pick<AriQueries, 'hasModule'>,
  deadman: AriDeadman,
  trial: ChannelId,
): Promise<void> {
  await requireSoftHangup(ari);
  if (!(await hasContext(deadman, trial))) throw contextMissing();
}

/** Throws recorders_foreign where the dead-man channel would end what another application records. */
export async function refuseForeignRecorders(deadman: AriDeadman): Promise<void> {
  const [first, ...others] = await deadman.foreignRecorders();
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new PreavisError(
    'recorders_foreign',
    `another application records, or announces, in the bridge ${first}${more}`,
  );
}

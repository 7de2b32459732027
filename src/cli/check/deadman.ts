import { requireContext, requireSoftHangup } from '../../ari/deadman.ts';
import type { AriDeadman, AriQueries } from '../../ari/port.ts';
import { PreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';

/** Throws deadman_unusable where Asterisk could not end recorders by itself. `trial`: the id of a channel that is made and ended. */
export async function requireDeadman(
  ari: Pick<AriQueries, 'hasModule'>,
  deadman: AriDeadman,
  trial: ChannelId,
): Promise<void> {
  await requireSoftHangup(ari);
  await requireContext(deadman, trial);
}

/** Throws recorders_foreign where the dead-man channel would end what another application records. */
export async function refuseForeignRecorders(deadman: Pick<AriDeadman, 'foreignRecorders'>): Promise<void> {
  const bridges = await deadman.foreignRecorders();
  if (bridges.length === 0) return;
  // How another application names its bridges nobody knows: there may be a number in it.
  throw new PreavisError(
    'recorders_foreign',
    `bridges of other applications in which something is recorded, or announced: ${bridges.length}`,
  );
}

import type { AriQueries } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';
import { sightingOf, type Sighting } from './sources.ts';

/** Where a later process finds what was seen of a leg: it lives as long as the channel, and costs the catalogue nothing. */
export const sourceVariable = 'PREAVIS_SOURCE';

/** See SourceEvent. */
export type SourceAnswer = { sighting: Sighting | 'nothing' | 'noRtp'; before?: Sighting | undefined };

/**
 * What Asterisk tells of the RTP source of a leg; `speaker` is the channel that has the RTP.
 *
 * @param isTakenUp whether an earlier process may have seen it
 * @throws PreavisError as Asterisk's answers do
 */
export async function askAbout(
  { channel, speaker }: { channel: ChannelId; speaker: ChannelId },
  isTakenUp: boolean,
  ari: Pick<AriQueries, 'rtp' | 'variable'>,
): Promise<SourceAnswer> {
  const [traffic, text] = await Promise.all([ari.rtp(speaker), isTakenUp ? ari.variable(channel, sourceVariable) : '']);
  if (traffic === undefined) return { sighting: 'noRtp' };
  const { source, receivedPackets: received } = traffic;

  return source === undefined
    ? { sighting: 'nothing' }
    : { sighting: { ...source, received }, before: sightingOf(text) };
}

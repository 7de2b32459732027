import type { ChannelId } from '../../core/ids.ts';
import { orderOf } from '../decide/parties.ts';
import { isActive } from '../decide/recorder.ts';
import type { In } from '../decide/state.ts';
import { isBridged, type Party } from '../decide/order.ts';

/** `speaker`: the channel whose RTP is looked at: the party's own, or that of who is alone behind their Local/ channel. */
export type Leg = { party: Party; channel: ChannelId; speaker: ChannelId };

/**
 * Whether Asterisk mixes them in a bridge of ours, or for a recorder. Two without a recorder are passed on to each other as Dial() does it;
 * and what the dialplan makes of a followed caller is not ours.
 */
export const isMixed = ({ facts, recorder, others }: In<'talking'>): boolean =>
  isActive(recorder) || (others.length > 0 && isBridged(orderOf(facts)));

export function legsOf({ facts }: In<'talking' | 'dialling'>): Leg[] {
  const leg = (party: Party, channel: ChannelId): Leg => {
    const [behind, ...more] = facts.farEnds?.[party] ?? [];

    return { party, channel, speaker: behind === undefined || more.length > 0 ? channel : behind };
  };

  return [leg('caller', facts.callerChannel), leg('destination', orderOf(facts).destination)];
}

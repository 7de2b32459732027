import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { TalkMeter } from './talkMeter.ts';

/** How long Asterisk needs to forget what listened to a channel, ms: a packet must come without it. */
const forgottenMs = 200;

/**
 * Has Asterisk listen anew to a party whose RTP goes on from another source. Its talk detection is as deaf to that as the bridge was. It
 * stays so until nothing listens to the channel any more, for the time of one packet. Where that cannot be had, how long they talked is
 * not known.
 *
 * @param at Asterisk's time since when they are heard by the other, ms, if it is known
 */
export async function detectAnew(
  channel: ChannelId,
  at: number | undefined,
  { ari, talk }: { ari: Pick<AriCommands, 'setVariable'>; talk: TalkMeter },
): Promise<void> {
  // Asterisk tells no end of what it ceases to listen to.
  if (at !== undefined) talk.hear(channel, false, at);
  try {
    await ari.setVariable(channel, 'TALK_DETECT(remove)', '');
    await new Promise((resolve) => setTimeout(resolve, forgottenMs).unref());
    await ari.setVariable(channel, 'TALK_DETECT(set)', '');
  } catch (thrown) {
    // Who has hung up says nothing more.
    if (asPreavisError(thrown).code !== 'ari_not_found') talk.lose(channel);
  }
}

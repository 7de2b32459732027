import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriQueries } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';

/** How long Asterisk may take to tell the codec, ms: the caller waits for it. */
const codecLimitMs = 500;

/** Asterisk's names of codecs with more than 8000 samples a second. */
const wideband =
  /\b(?:g722|g719|opus|siren(?:7|14)|speex(?:16|32)|silk(?:12|16|24)|slin(?:12|16|24|32|44|48|96|192))\b/;

/** Whether more than 4 kHz of sound comes from this channel. Where Asterisk does not tell, it does not. */
export async function sendsWideband(channel: ChannelId, ari: Pick<AriQueries, 'variable'>): Promise<boolean> {
  const asked = ari.variable(channel, 'CHANNEL(audionativeformat)');

  return wideband.test(await answerInTime(codecLimitMs, asked).catch(() => ''));
}

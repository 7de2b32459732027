import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriQueries } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';

/** How long Asterisk may take to tell the codec, ms: somebody waits for it. */
const codecLimitMs = 500;

/** Asterisk's names of codecs with more than 8000 samples a second. */
const wideband =
  /\b(?:g722|g719|opus|siren(?:7|14)|speex(?:16|32)|silk(?:12|16|24)|slin(?:12|16|24|32|44|48|96|192))\b/;

/** 64,000 bit/s each (RFC 3551, 4.5). */
const steady = /^\W*(?:(?:ulaw|alaw|g722)\b\W*)+$/;
const steadyBytesPerMs = 8;

/** The codecs of this channel, in Asterisk's names; empty where Asterisk does not tell. */
async function codecsOf(channel: ChannelId, ari: Pick<AriQueries, 'variable'>): Promise<string> {
  return await answerInTime(codecLimitMs, ari.variable(channel, 'CHANNEL(audionativeformat)')).catch(() => '');
}

/** Whether more than 4 kHz of sound comes from this channel. Where Asterisk does not tell, it does not. */
export const sendsWideband = async (channel: ChannelId, ari: Pick<AriQueries, 'variable'>): Promise<boolean> =>
  wideband.test(await codecsOf(channel, ari));

/** How many bytes one ms of sound has on this channel; undefined where it depends on the sound, and where Asterisk does not tell. */
export async function bytesPerMsOf(channel: ChannelId, ari: Pick<AriQueries, 'variable'>): Promise<number | undefined> {
  return steady.test(await codecsOf(channel, ari)) ? steadyBytesPerMs : undefined;
}

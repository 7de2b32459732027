import type { AriQueries, RtpTraffic } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import { answerInTime } from '../../ari/answerInTime.ts';
import { audibilityLimitMs } from '../decide/notice.ts';
import { leastPart } from '../decide/verification.ts';
import { bytesPerMsOf } from './codecs.ts';

/**
 * Whether a party can hear what is played to them, as far as Asterisk knows. Its events tell of a hold that begins while the
 * application has the channel; of one that is older it must be asked. chan_pjsip answers from the answer on. Of other kinds of
 * channel Asterisk does not tell who holds, and of those without RTP (Local, DAHDI) no packets: then only the events count.
 */
type Questions = Pick<AriQueries, 'variable' | 'rtp'>;

/** Whether this channel's telephone has put us on hold. CHANNEL(onhold) is not set in a bridge with a recorder. */
export async function holds(channel: ChannelId, ari: Pick<AriQueries, 'variable'>): Promise<boolean> {
  try {
    return (await ari.variable(channel, 'CHANNEL(rtp,hold)')) === '1';
  } catch (thrown) {
    // Asterisk answers so (HTTP 500) for channels of other kinds.
    if (asPreavisError(thrown).code === 'ari_request_failed') return false;
    throw thrown;
  }
}

const hasSentAny = (before: RtpTraffic | undefined, now: RtpTraffic): boolean =>
  now.sentPackets > (before?.sentPackets ?? 0);

/** A frame of RTP holds no more than this, ms: 20 is usual. */
const longestFrameMs = 60;

/**
 * Whether so much was sent to a channel meanwhile as this sound needs. What is whispered goes out only with the sound that it is laid over: to
 * somebody whose other side sends nothing while it is silent, less goes. By codecs of one rate the bytes tell how much, and as much is
 * needed as Asterisk's times must show (P2). Of others only the packets are known, and how long theirs are is not.
 *
 * @param bytesPerMs of the codec (`bytesPerMsOf`)
 */
export function wasSent(before: RtpTraffic, after: RtpTraffic, lengthMs: number, bytesPerMs?: number): boolean {
  if (before.sentBytes !== undefined && after.sentBytes !== undefined && bytesPerMs !== undefined) {
    return after.sentBytes - before.sentBytes >= leastPart * lengthMs * bytesPerMs;
  }

  return after.sentPackets - before.sentPackets >= lengthMs / longestFrameMs;
}

/**
 * Why a notice that was played whole could not be heard; undefined where nothing speaks against it. A telephone that is muted and
 * sends no silence is told from one that is not there by its RTCP reports.
 *
 * @param before the RTP of the caller before its first sentence
 * @param throughMs how much was played to another channel for them to hear, ms: Asterisk tells of that one only; 0 for nothing
 * @throws PreavisError ari_unreachable, also where Asterisk takes longer than audibilityLimitMs
 */
export async function whyUnheard(
  caller: ChannelId,
  before: RtpTraffic | undefined,
  ari: Questions,
  throughMs = 0,
): Promise<'notice_on_hold' | 'notice_not_received' | undefined> {
  const [isHolding, now, bytesPerMs] = await answerInTime(
    audibilityLimitMs,
    Promise.all([holds(caller, ari), ari.rtp(caller), throughMs > 0 ? bytesPerMsOf(caller, ari) : undefined]),
  );
  if (isHolding) return 'notice_on_hold';
  if (now === undefined) return undefined;
  const isSent =
    throughMs > 0 ? before !== undefined && wasSent(before, now, throughMs, bytesPerMs) : hasSentAny(before, now);
  const hasReported = now.reported !== '' && now.reported !== before?.reported;
  // Asterisk counts from 1 again where packets come from another source: a carrier moves the sound, another device sends the keys. Since
  // the first look it may have been another and be the first again.
  const isAnother = now.source?.ssrc !== before?.source?.ssrc;
  const hasReceived = now.receivedPackets > 0 && (isAnother || now.receivedPackets !== before?.receivedPackets);
  const isThere = hasReceived || hasReported;

  return isSent && isThere ? undefined : 'notice_not_received';
}

import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import { pausesMs } from './retryingRequests.ts';
import type { Outcome } from '../decide/state.ts';

export type Return = {
  ari: Pick<AriCommands, 'stopPlayback' | 'setVariable' | 'continueInDialplan'>;
  /** The channel that we have. */
  channel: ChannelId;
  /** What may still play to the caller. */
  playing: PlaybackId | undefined;
  outcome: Outcome;
  /** Whether the dialplan asked for the caller to be told and followed. */
  isFollowed: boolean;
  /** The sounds that a caller hears who is turned away. */
  turnedAway?: readonly string[] | undefined;
  callerLeft: () => boolean;
};

/** P3: the caller must not be left in silence, so this is tried again. Throws what the last try threw. */
export async function returnToDialplan({
  ari,
  channel,
  playing,
  outcome,
  isFollowed,
  turnedAway = [],
  callerLeft,
}: Return): Promise<void> {
  const isTurnedAway = outcome.result === 'unrecorded' && outcome.turnedAway === true;
  const variables: [string, string][] = [['PREAVIS_RESULT', isTurnedAway ? 'turnedAway' : outcome.result]];
  // Asterisk's Playback() says them one after the other.
  if (isTurnedAway && turnedAway.length > 0) variables.push(['PREAVIS_TURNED_AWAY', turnedAway.join('&')]);
  if (isFollowed) variables.push(['PREAVIS_TOLD', 'no']);
  if (outcome.result === 'unrecorded') variables.push(['PREAVIS_REASON', outcome.reason]);
  if (outcome.result === 'notConnected') variables.push(['PREAVIS_DIALSTATUS', outcome.dialStatus ?? '']);
  // Requests on a channel wait in Asterisk for the end of what plays there.
  if (playing !== undefined) await ari.stopPlayback(playing).catch(() => undefined);
  // What the dialplan is told is second to the caller's going on: without it the destination is dialled as well.
  await Promise.allSettled(variables.map(([name, value]) => ari.setVariable(channel, name, value)));
  await goOnInDialplan(ari, channel, callerLeft);
}

/**
 * Tried again for as long as it may help. Throws what the last try threw.
 *
 * @param at where, if not behind Stasis()
 */
export async function goOnInDialplan(
  ari: Pick<AriCommands, 'continueInDialplan'>,
  channel: ChannelId,
  callerLeft: () => boolean,
  at?: { context: string; extension: string },
): Promise<void> {
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      await (at === undefined ? ari.continueInDialplan(channel) : ari.continueInDialplan(channel, at));
      return;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (!error.retryable || pauseMs === undefined || callerLeft()) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

import { isRefusedByAsterisk } from '../../ari/answers.ts';
import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { isBridged } from '../decide/order.ts';
import { partyOf } from '../decide/parties.ts';
import type { CallState } from '../decide/state.ts';
import { goOnInDialplan } from './returnToDialplan.ts';

type ParkingPorts = {
  ari: Pick<AriCommands, 'continueInDialplan' | 'hangUp' | 'setVariable'>;
  log: Logger;
};

export type BlindTransfer = Extract<AriEvent, { type: 'blindTransfer' }>;

/**
 * Whether the destination of a talk of two sends its caller on, who is left in the bridge. Without a recorder there, Asterisk parks them itself
 * (parking_blind_transfer_park of 22.10 counts the channels), and would hang up who is asked for then.
 */
export function isParking({ channelId }: BlindTransfer, state: CallState): boolean {
  const { kind, facts } = state;
  const isRecordedOfTwo = kind === 'talking' && state.others.length === 0 && state.recorder.kind === 'running';
  if (!isRecordedOfTwo || facts.order === undefined || !isBridged(facts.order)) return false;

  return partyOf(channelId, facts) === 'destination';
}

/** Whether Asterisk says that it has no such channel, or not in our application: then somebody else has them. */
function isElsewhere(thrown: unknown): boolean {
  return asPreavisError(thrown).code === 'ari_not_found' || isRefusedByAsterisk(thrown);
}

/**
 * Does what Asterisk has promised to the agent's telephone: the caller goes on at the extension of the parking lot. The telephone hangs up by
 * that promise, or Asterisk does after a minute, so the call is to be over for it at once, before its end would end that of the caller.
 */
export async function park(
  { channelName, context, extension }: BlindTransfer,
  callerChannel: ChannelId,
  { ari, log }: ParkingPorts,
): Promise<void> {
  try {
    // Whom the lot rings when nobody has fetched them (BLINDTRANSFER of Asterisk).
    await ari.setVariable(callerChannel, 'BLINDTRANSFER', channelName).catch(() => undefined);
    await goOnInDialplan({ continueInDialplan: orElsewhere(ari) }, callerChannel, () => false, { context, extension });
  } catch (thrown) {
    const error = asPreavisError(thrown);
    log.warn({ code: error.code, err: error }, 'caller not parked');
    // P3: nobody would be with them.
    await ari.hangUp(callerChannel).catch(() => undefined);
  }
}

/** Asked again, since an answer was lost, Asterisk may have them in the lot already. */
const orElsewhere =
  ({ continueInDialplan }: Pick<AriCommands, 'continueInDialplan'>) =>
  async (channel: ChannelId, at?: { context: string; extension: string }): Promise<void> => {
    try {
      await continueInDialplan(channel, at);
    } catch (thrown) {
      if (!isElsewhere(thrown)) throw thrown;
    }
  };

import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { isBridged } from '../decide/order.ts';
import { partyOf } from '../decide/parties.ts';
import type { FollowedCall } from '../watch/farEndWatch.ts';
import { goOnInDialplan } from './returnToDialplan.ts';

export type ParkingPorts = {
  ari: Pick<AriCommands, 'continueInDialplan' | 'hangUp' | 'setVariable'>;
  log: Logger;
};

type BlindTransfer = Extract<AriEvent, { type: 'blindTransfer' }>;

/** Whether the destination of a talk of two sends its caller on, who stays where they are. */
function isParking({ channelId }: BlindTransfer, { state }: FollowedCall): boolean {
  const { kind, facts } = state;
  if (kind !== 'talking' || state.others.length > 0 || facts.order === undefined || !isBridged(facts.order))
    return false;

  return partyOf(channelId, facts) === 'destination';
}

/**
 * Does what Asterisk has promised to the agent's telephone: the caller goes on at the extension of the parking lot. The telephone hangs up by
 * that promise, or Asterisk does after a minute, so the call is over for it at once, before its end would end that of the caller.
 */
export async function park(transfer: BlindTransfer, session: FollowedCall, { ari, log }: ParkingPorts): Promise<void> {
  if (session.isAbandoned || !isParking(transfer, session)) return;
  const { callerChannel, id: call } = session.state.facts;
  const { at, channelName, context, extension } = transfer;
  // Whom the lot rings when nobody has fetched them (BLINDTRANSFER of Asterisk).
  const told = ari.setVariable(callerChannel, 'BLINDTRANSFER', channelName).catch(() => undefined);
  session.handle({ type: 'callerSentOn', at });
  await told;
  try {
    await goOnInDialplan(ari, callerChannel, () => false, { context, extension });
  } catch (thrown) {
    const error = asPreavisError(thrown);
    log.warn({ call, code: error.code, err: error }, 'caller not parked, hung up');
    // P3: nobody would be with them.
    await ari.hangUp(callerChannel).catch(() => undefined);
  }
}

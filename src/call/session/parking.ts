import { isRefusedByAsterisk } from '../../ari/answers.ts';
import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { CallEvent } from '../decide/events.ts';
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
 * Who parks the caller of a talk of two, whom its destination sends on. With a recorder in their bridge Asterisk (22.10) agrees and does nothing: it is for us to
 * do. Without one it parks them itself (parking_blind_transfer_park counts the channels), and would hang up who is asked for then.
 */
export function parkedBy({ channelId }: BlindTransfer, state: CallState): 'us' | 'Asterisk' | undefined {
  const { kind, facts } = state;
  const isOfTwo =
    kind === 'talking' && state.others.length === 0 && facts.order !== undefined && isBridged(facts.order);
  if (!isOfTwo || partyOf(channelId, facts) !== 'destination') return undefined;

  return state.recorder.kind === 'running' ? 'us' : 'Asterisk';
}

/** Asterisk parks in this time after it has agreed to, or it does not park them any more, ms. */
const parkedWithinMs = 2_000;

/**
 * A caller whom Asterisk parks by itself. The telephone that parks them says the number of the place, and hangs up then: that is not the end of the
 * caller's call. If it hangs up before they have left the bridge, Asterisk (22.10) gives the parking up.
 */
export class ParkedCaller {
  #agreed: BlindTransfer | undefined;
  #isAway = false;

  take(event: AriEvent, state: CallState): void {
    const { order, callerChannel } = state.facts;
    if (event.type === 'blindTransfer' && parkedBy(event, state) === 'Asterisk') this.#agreed = event;
    if (event.type !== 'bridgeLeft' && event.type !== 'bridgeEntered') return;
    if (event.channelId === callerChannel && event.bridgeId === order?.bridge)
      this.#isAway = event.type === 'bridgeLeft';
  }

  /** What this means to the call, and the parking that Asterisk may have given up. */
  read(event: CallEvent): { event: CallEvent; given: BlindTransfer | undefined } {
    const agreed = this.#agreed;
    if (event.type !== 'destinationLeft' || agreed === undefined) return { event, given: undefined };
    const { at } = event;
    const isGivenUp = !this.#isAway && at !== undefined && at - agreed.at <= parkedWithinMs;
    if (!this.#isAway && !isGivenUp) return { event, given: undefined };

    return { event: { type: 'callerSentOn', at }, given: isGivenUp ? agreed : undefined };
  }
}

/** Does it where Asterisk has given it up: who is in the bridge still, when the other one has left it, is not parked any more. */
export async function parkUnlessParked(
  transfer: BlindTransfer,
  callerChannel: ChannelId,
  ports: ParkingPorts & { ari: Pick<AriQueries, 'channelsIn'> },
): Promise<void> {
  const here = await ports.ari.channelsIn(transfer.bridgeId).catch(() => [callerChannel]);
  if (here.includes(callerChannel)) await park(transfer, callerChannel, ports);
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

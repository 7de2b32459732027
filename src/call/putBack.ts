import type { AriCommands, AriQueries } from '../ari/port.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { swapMs } from './leftovers.ts';
import { strandedParties, type Missed } from './missedEvents.ts';
import type { CallEvent } from './events.ts';
import type { CallSession } from './session.ts';
import { within } from './timeLimit.ts';

/** How long it is waited for a party who is being taken out of the bridge and in again, ms. */
const movedWithinMs = 500;

/** What is found by a comparison and leaves others in the bridge than were there, or no recorder. */
export const changesParties: readonly CallEvent['type'][] = [
  'strangerJoined',
  'strangerLeft',
  'partyReplaced',
  'callerLeft',
  'callerSentOn',
  'destinationLeft',
  'recorderFinished',
  'bridgeGone',
];

type Ports = { ari: Pick<AriCommands, 'addToBridge'> & Pick<AriQueries, 'owned'>; log: Logger };

/**
 * What a call has missed. Nobody is taken for gone who is only out of the bridge because this process, or one before it, took them out for a
 * moment (P3): where a move may still be under way, whoever seems to have left is looked for once more; who is in no bridge while the other
 * waits in ours, is put back first.
 */
export async function lookAndPutBack(
  session: Pick<CallSession, 'state' | 'isMovingParty' | 'partiesMoved'>,
  look: (call: { readonly state: CallSession['state'] }) => Promise<Missed>,
  ports: Ports,
): Promise<Missed> {
  if (session.isMovingParty) await within(movedWithinMs, session.partiesMoved()).catch(() => undefined);
  const isInDoubt = session.isMovingParty;
  const missed = await look(session);
  const isOver = missed.events.some(({ type }) => type === 'bridgeGone') && (await putBack(session, ports));
  const hasChanged = missed.events.some(({ type }) => changesParties.includes(type));
  if (!isOver && !(isInDoubt && hasChanged)) return missed;
  await new Promise((resolve) => setTimeout(resolve, swapMs));

  return look(session);
}

/** Whether somebody was to be put back. Whether they came in is for another look to tell. */
async function putBack({ state }: Pick<CallSession, 'state'>, { ari, log }: Ports): Promise<boolean> {
  const { order, callerChannel, id } = state.facts;
  if (state.kind !== 'talking' || order === undefined) return false;
  const scene = await ari.owned();
  const members = scene.bridges.find((bridge) => bridge.id === order.bridge)?.members ?? [];
  const [out, ...more] = strandedParties(state, scene);
  const isOtherHere = members.includes(out === 'caller' ? order.destination : callerChannel);
  if (out === undefined || more.length > 0 || !isOtherHere) return false;
  log.warn({ call: id, party: out }, 'a party was in no bridge, and is put back');
  try {
    await ari.addToBridge(order.bridge, [out === 'caller' ? callerChannel : order.destination]);
  } catch (thrown) {
    log.warn({ call: id, party: out, code: asPreavisError(thrown).code }, 'a party could not be put back');
  }

  return true;
}

import type { AriCommands, AriQueries } from '../../ari/port.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { swapMs } from '../watch/bridgeMap.ts';
import { strandedParties, type Missed } from './resync.ts';
import type { CallEvent } from '../decide/events.ts';
import { isBridged } from '../decide/order.ts';
import { channelOf } from '../decide/parties.ts';
import type { CallSession } from './session.ts';

/** How long it is waited for a party who is being taken out of the bridge and in again, ms. */
const movedWithinMs = 500;

const partyChanges: readonly CallEvent['type'][] = [
  'thirdPartyJoined',
  'thirdPartyLeft',
  'partyReplaced',
  'callerLeft',
  'callerSentOn',
  'destinationLeft',
  'recorderFinished',
  'bridgeGone',
  'joined',
  'parted',
];

/** Whether what is found by a comparison leaves others in the bridge than were there, or no recorder. */
export const changesParties = (found: readonly CallEvent[]): boolean =>
  found.some(({ type }) => partyChanges.includes(type));

type Ports = { ari: Pick<AriCommands, 'addToBridge'> & Pick<AriQueries, 'owned'>; log: Logger };

const strangers: readonly CallEvent['type'][] = ['thirdPartyJoined', 'thirdPartyLeft'];
/** What is found where a party is not in the bridge. */
const missesParty: readonly CallEvent['type'][] = ['partyReplaced', 'bridgeGone'];

/**
 * Gives a call what it has missed, and resolves with that. Nobody is taken for gone whom this process, or one before it, took out of the bridge for a
 * moment (P3). Who is in no bridge while somebody waits in ours is put back first. Where a move may be under way, whoever seems to have left
 * is looked for once more.
 *
 * @param give gives it one event, unless what is known is out of date by now
 * @throws PreavisError as Asterisk's answers do
 */
export async function catchUp(
  session: Pick<CallSession, 'state' | 'isMovingParty' | 'partiesMoved'> & Partial<Pick<CallSession, 'mayBeUnbegun'>>,
  look: (call: Pick<CallSession, 'state'> & Partial<Pick<CallSession, 'mayBeUnbegun'>>) => Promise<Missed>,
  { ari, log, give }: Ports & { give: (event: CallEvent) => void },
): Promise<Missed> {
  if (session.isMovingParty) await settleInTime(movedWithinMs, session.partiesMoved(), () => undefined);
  const isInDoubt = session.isMovingParty;
  const missed = await look(session);
  const has = (types: readonly CallEvent['type'][]): boolean => missed.events.some(({ type }) => types.includes(type));
  const giveAll = (events: readonly CallEvent[]): void => {
    for (const event of events) give(event);
  };
  // Who gave their place to somebody who came meanwhile is not ours to fetch back, unless we have taken them out.
  if (has(['thirdPartyJoined']) && !isInDoubt) {
    giveAll(missed.events);
    return missed;
  }
  // A stranger is given at once, since a recorder has to end (P1).
  const early = has(['thirdPartyJoined']) ? missed.events.filter(({ type }) => strangers.includes(type)) : [];
  giveAll(early);
  const isPutBack = has(missesParty) && (await putBack(session, { ari, log }));
  if (!isPutBack && !(isInDoubt && changesParties(missed.events))) {
    giveAll(missed.events.filter((event) => !early.includes(event)));
    return missed;
  }
  await new Promise((resolve) => setTimeout(resolve, swapMs));
  const later = await look(session);
  giveAll(later.events);

  return { events: [...early, ...later.events], at: later.at };
}

/** Whether somebody was put back, or is gone by now. Whether they came in is for another look to tell. */
async function putBack({ state }: Pick<CallSession, 'state'>, { ari, log }: Ports): Promise<boolean> {
  const { order, id } = state.facts;
  if (state.kind !== 'talking' || order === undefined || !isBridged(order)) return false;
  const scene = await ari.owned();
  const inBridge = scene.bridges.find((bridge) => bridge.id === order.bridge)?.members ?? [];
  // Not those of Asterisk itself, as the recorder.
  const members = inBridge.filter((channel) => scene.listed.has(channel));
  const [out, ...more] = strandedParties(state, scene);
  if (out === undefined || more.length > 0 || members.length === 0) return false;
  log.warn({ call: id, party: out }, 'party found in no bridge; adding again');
  try {
    await ari.addToBridge(order.bridge, [channelOf(out, state.facts)]);
  } catch (thrown) {
    const { code } = asPreavisError(thrown);
    log.warn({ call: id, party: out, code }, 'party not added to bridge');
    if (code === 'ari_unreachable') throw thrown;
  }

  return true;
}

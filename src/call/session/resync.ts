import type { AriQueries, Owned } from '../../ari/port.ts';
import type { BridgeId, ChannelId } from '../../core/ids.ts';
import { holds } from '../watch/audibility.ts';
import type { CallEvent } from '../decide/events.ts';
import {
  isBridged,
  nextPart,
  parties,
  recorderNames,
  recorderOf,
  type Order,
  type Party,
  type RecorderId,
} from '../decide/order.ts';
import { channelOf, partyOf } from '../decide/parties.ts';
import { isActive } from '../decide/recorder.ts';
import { isStray } from '../watch/legMover.ts';
import { channelInHand, type CallState, type Facts, type In } from '../decide/state.ts';

/** What happened to a call while nobody listened, as far as Asterisk's state tells. */

/** What has become of a recorder that was begun, or not, and that the state does not tell of. */
export type Unsaved = 'none' | 'running' | 'ended';

/** The recorder that the process before may have asked for without writing that down. */
export function unsavedOf({ kind, facts: { order } }: CallState): RecorderId | undefined {
  if (order === undefined) return undefined;
  if (kind === 'dialling') return recorderOf(order);
  const isFollowed = !isBridged(order) && (kind === 'releasing' || kind === 'following' || kind === 'talking');

  return isFollowed ? recorderOf(nextPart(order)) : undefined;
}

/**
 * Whether the process before died between asking for the recorder and writing that down, and what has become of the recorder. Then
 * caller and destination were connected.
 */
export async function recorderUnsaved(state: CallState, ari: AriQueries): Promise<Unsaved> {
  const unsaved = unsavedOf(state);
  if (unsaved === undefined) return 'none';
  if (await runs(unsaved, ari)) return 'running';
  const ended = await Promise.all(recorderNames(unsaved).map((name) => ari.hasRecording(name)));

  return ended.includes(true) ? 'ended' : 'none';
}

/** Who is in the bridge now. Asterisk's own channels in a bridge are not among the channels that it lists. */
async function membersOf(bridge: BridgeId, { listed }: Owned, ari: AriQueries): Promise<ChannelId[]> {
  return (await ari.channelsIn(bridge)).filter((id) => listed.has(id));
}

/** Who holds the other now. Where Asterisk cannot tell, nobody does: too much recorded can be erased, too little is lost. */
async function holdsNow({ destination }: Order, { callerChannel }: Facts, ari: AriQueries): Promise<CallEvent> {
  const [caller, whom] = await Promise.all([holds(callerChannel, ari), holds(destination, ari)]);

  return {
    type: 'holdsFound',
    holding: [...(caller ? ['caller' as const] : []), ...(whom ? ['destination' as const] : [])],
  };
}

/** Who is in the bridge now, and what of that is news to the call. */
type Gathering = {
  news: readonly CallEvent[];
  isHere: (party: Party) => boolean;
  /** The others, those that the call knows first: in this order they take the place of who left. */
  others: readonly ChannelId[];
};

async function gathered(
  { facts, others: known }: In<'dialling' | 'talking'>,
  { bridge }: Order,
  scene: Owned,
  ari: AriQueries,
): Promise<Gathering> {
  const members = await membersOf(bridge, scene, ari);
  const listed = scene.bridges.find(({ id }) => id === bridge)?.members ?? [];
  const isMember = (party: Party): boolean => members.includes(channelOf(party, facts));
  // One answer has them in the bridge, the other has not. Who has really left is told of by an event; who has not talks on (P3).
  const inDoubt = parties.filter((party) => !isMember(party) && listed.includes(channelOf(party, facts)));
  const others = members.filter((id) => partyOf(id, facts) === undefined);
  const came = others.filter((id) => !known.includes(id));
  const went = known.filter((id) => !others.includes(id));

  return {
    news: [
      ...came.map((channel): CallEvent => ({ type: 'thirdPartyJoined', channel })),
      ...went.map((channel): CallEvent => ({ type: 'thirdPartyLeft', channel })),
      ...inDoubt.map((party): CallEvent => ({ type: 'farEndLost', party })),
    ],
    isHere: (party) => isMember(party) || inDoubt.includes(party),
    others: [...known.filter((id) => others.includes(id)), ...came],
  };
}

/** The dialplan goes on with the caller, or another application has them: there is nothing to send back. */
const callerSentOn: CallEvent = { type: 'callerSentOn', at: undefined };
const callerLeft: CallEvent = { type: 'callerLeft', at: undefined };
/** Why it is over with a caller who is on, before they talk to anybody. */
const endOf = (facts: Facts, { channels }: Owned): CallEvent =>
  channels.includes(channelInHand(facts)) ? { type: 'interrupted' } : callerSentOn;
const destinationLeft: CallEvent = { type: 'destinationLeft', at: undefined, cause: undefined };
const destinationAnswered: CallEvent = { type: 'destinationAnswered', at: undefined };

const leftBy = (party: Party): CallEvent => (party === 'caller' ? callerLeft : destinationLeft);

/** Who has transferred the call and waits for us is let go; who went elsewhere is not ours to hang up. */
function tookPlace(party: Party, channel: ChannelId, next: ChannelId, scene: Owned): CallEvent {
  return isStray(channel, scene) ? { type: 'partyReplaced', party, channel: next } : leftBy(party);
}

/** Who joined is told first, so that no recorder is asked for. */
async function missedWhileDialling(
  state: In<'dialling'>,
  order: Order,
  scene: Owned,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const { facts } = state;
  const { news, isHere, others } = await gathered(state, order, scene, ari);
  const [next] = isHere('caller') ? [] : others;
  const recorder = await recorderUnsaved(state, ari);
  // It was started before anybody joined; a second one is refused by Asterisk.
  const began: CallEvent[] =
    recorder === 'none' ? [] : [destinationAnswered, { type: 'recorderStarted', at: undefined }];
  if (recorder === 'ended') began.push({ type: 'recorderFinished', at: undefined });
  if (next === undefined && !scene.listed.has(facts.callerChannel)) return [...began, ...news, callerLeft];
  // The dialplan has gone on with the caller, or they never came in: nobody would talk to who answers.
  if (next === undefined && !isHere('caller')) {
    if (began.length > 0) return [...began, ...news, callerLeft];
    return [...news, endOf(facts, scene)];
  }
  const joined = next === undefined ? news : [...news, tookPlace('caller', facts.callerChannel, next, scene)];
  const destination = scene.listed.get(order.destination);
  // In the place of the destination, which must have answered and gone. One that is there has not been dialled, or rings nowhere yet.
  const isReplaced = others.slice(next === undefined ? 0 : 1).some((id) => scene.listed.get(id) === 'Up');
  const answered = destination === undefined && isReplaced;
  if (destination === 'Up') {
    const holds = await holdsNow(order, facts, ari);
    return began.length > 0 ? [holds, ...began, ...joined] : [...joined, holds, destinationAnswered];
  }
  if (destination === 'Ringing') return [...joined, await holdsNow(order, facts, ari)];

  if (began.length > 0) return [...began, ...joined, destinationLeft];
  return answered ? [...joined, destinationAnswered, destinationLeft] : [...joined, { type: 'interrupted' }];
}

type Talk = { state: In<'talking'>; mayBeUnbegun: boolean };

async function missedWhileTalking(
  { state, mayBeUnbegun }: Talk,
  order: Order,
  scene: Owned,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const { facts } = state;
  const { news, isHere, others } = await gathered(state, order, scene, ari);
  const absent = parties.filter((party) => !isHere(party));
  const events = [...news, await recorderNow(order, ari, mayBeUnbegun && absent.length === 0)];
  if (absent.length === 0) return [...events, await holdsNow(order, facts, ari)];
  for (const [index, party] of absent.entries()) {
    const next = others[index];
    if (next !== undefined) events.push(tookPlace(party, channelOf(party, facts), next, scene));
  }
  const left = absent.slice(others.length);
  if (left.length === 0) return events;
  // Who is here has nobody to talk to. Who has left is hung up only where they listen to nothing.
  const isAlone = (party: Party): boolean => !left.includes(party) || isStray(channelOf(party, facts), scene);

  return [...events, { type: 'bridgeGone', alone: parties.filter(isAlone) }];
}

/** With whom a followed caller is in a bridge now. */
function talkNow(
  { callerChannel }: Facts,
  { bridges }: Owned,
): { bridge: BridgeId; others: readonly ChannelId[] } | undefined {
  const found = bridges.find(({ members }) => members.includes(callerChannel));
  const others = found?.members.filter((id) => id !== callerChannel) ?? [];

  return found === undefined || found.isHolding === true || others.length === 0
    ? undefined
    : { bridge: found.id, others };
}

/** The dialplan has them, and may have brought them together with somebody already. */
function releasedInto(facts: Facts, scene: Owned): CallEvent[] {
  const talk = talkNow(facts, scene);

  return [
    { type: 'callerReleased' },
    ...(talk === undefined ? [] : [{ type: 'joined' as const, ...talk, at: undefined }]),
  ];
}

/**
 * The process before may have died after it asked for the recorder of a talk and before it wrote that down: it is stopped. With whom that talk
 * was nobody knows, so that nothing more is recorded.
 */
async function missedWhileFollowed(
  state: In<'following'>,
  order: Order,
  scene: Owned,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const { facts, recorder } = state;
  // That of the talk before was being stopped.
  const events: CallEvent[] = isActive(recorder) ? [await recorderNow(order, ari)] : [];
  const unsaved = await recorderUnsaved(state, ari);
  if (unsaved === 'running') events.push({ type: 'recorderStarted', at: undefined, part: nextPart(order).part });
  if (unsaved !== 'none') events.push({ type: 'farEndLost', party: 'caller' });
  if (!scene.listed.has(facts.callerChannel)) return [...events, callerLeft];
  const talk = unsaved === 'none' ? talkNow(facts, scene) : undefined;

  return talk === undefined ? events : [...events, { type: 'joined', ...talk, at: undefined }];
}

/** The same talk goes on, or another: then a recorder of this one is not to run on. */
async function missedWhileFollowedTalk(
  { state: { facts, others: known }, mayBeUnbegun }: Talk,
  order: Order,
  scene: Owned,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const isHere = scene.listed.has(facts.callerChannel);
  const talk = talkNow(facts, scene);
  const isSame = talk?.bridge === order.bridge && talk.others.includes(order.destination);
  const recorder = await recorderNow(order, ari, mayBeUnbegun && isHere && isSame);
  if (!isHere) return [recorder, callerLeft];
  if (talk === undefined) return [recorder, { type: 'parted', at: undefined }];
  if (!isSame) {
    return [recorder, { type: 'parted', at: undefined }, { type: 'joined', ...talk, at: undefined }];
  }
  const others = talk.others.filter((id) => id !== order.destination);

  return [
    ...others.filter((id) => !known.includes(id)).map((channel): CallEvent => ({ type: 'thirdPartyJoined', channel })),
    ...known.filter((id) => !others.includes(id)).map((channel): CallEvent => ({ type: 'thirdPartyLeft', channel })),
    recorder,
    await holdsNow(order, facts, ari),
  ];
}

/** Where each side is recorded by itself, one of them is enough. */
async function runs(recorder: RecorderId, ari: AriQueries): Promise<boolean> {
  const found = await Promise.all(recorderNames(recorder).map((name) => ari.isRecording(name)));

  return found.includes(true);
}

/** Who of the two is in no bridge, and waits for us: their own was destroyed, by nobody of ours. */
export function strandedParties({ facts }: CallState, scene: Owned): readonly Party[] {
  const { order } = facts;

  return order === undefined ? [] : parties.filter((party) => isStray(channelOf(party, facts), scene));
}

/** Whether Asterisk knows of no recorder of this name, and of none that has ended. */
export async function wasNeverBegun(recorder: RecorderId, ari: AriQueries): Promise<boolean> {
  const names = recorderNames(recorder);
  if (await runs(recorder, ari)) return false;
  const ended = await Promise.all(names.map((name) => ari.hasRecording(name)));

  return !ended.includes(true);
}

async function recorderNow(order: Order, ari: AriQueries, mayBeUnbegun = false): Promise<CallEvent> {
  const ofPart = order.part === undefined ? {} : { part: order.part };
  if (mayBeUnbegun && (await wasNeverBegun(recorderOf(order), ari))) return { type: 'recorderUnbegun', ...ofPart };

  return { type: (await runs(order, ari)) ? 'recorderStarted' : 'recorderFinished', at: undefined, ...ofPart };
}

/** What must have happened to a call, seen from the state of its channels and recorder now. */
async function missedEvents(call: Looked, state: CallState, scene: Owned, ari: AriQueries): Promise<CallEvent[]> {
  const { facts } = state;
  const mayBeUnbegun = call.mayBeUnbegun === true;
  const { order } = facts;
  const isGone = !scene.listed.has(facts.callerChannel);
  switch (state.kind) {
    case 'planning':
    case 'checking':
    case 'answering':
    case 'choosing':
    case 'announcing':
    case 'confirming':
    case 'asking':
    case 'accepting':
    case 'acknowledging':
      return [isGone ? callerLeft : endOf(facts, scene)];
    case 'releasing':
      if (isGone) return [callerLeft];
      return scene.waiting?.has(channelInHand(facts)) === true ? [{ type: 'interrupted' }] : releasedInto(facts, scene);
    case 'following':
      return order === undefined ? [] : missedWhileFollowed(state, order, scene, ari);
    case 'dialling':
      return order === undefined ? [] : missedWhileDialling(state, order, scene, ari);
    case 'talking':
      if (order === undefined) return [];
      if (isBridged(order)) return missedWhileTalking({ state, mayBeUnbegun }, order, scene, ari);
      return missedWhileFollowedTalk({ state, mayBeUnbegun }, order, scene, ari);
    case 'closing':
      return order === undefined ? [] : [await recorderNow(order, ari)];
    case 'ended':
      return [];
  }
}

/** A call that is compared. `mayBeUnbegun`: as of a `CallSession`. */
type Looked = { readonly state: CallState; readonly mayBeUnbegun?: boolean };

/** What a call has missed until `at`, by Asterisk's clock, ms. */
export type Missed = { events: readonly CallEvent[]; at: number };

/**
 * What these calls missed, one by one. Asterisk's list of channels is asked for once, unless a call has moved on since by events of
 * its own: then the list may be older than they, and a channel that is not in it may be new.
 */
export async function makeLook(ari: AriQueries, calls: Iterable<Looked>): Promise<(call: Looked) => Promise<Missed>> {
  const before = new Map([...calls].map((call) => [call, call.state]));
  const first = await ari.owned();

  return async (call) => {
    let state = before.get(call);
    let scene = state === call.state ? first : undefined;
    // A second look at it sees what has happened since.
    before.delete(call);
    for (;;) {
      if (state === undefined || scene === undefined) {
        ({ state } = call);
        scene = await ari.owned();
      }
      const events = await missedEvents(call, state, scene, ari);
      // Behind it: what was seen was so until then at the earliest.
      const at = await ari.time();
      if (call.state === state) return { events, at };
      scene = undefined;
    }
  };
}

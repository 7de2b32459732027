import type { AriQueries } from '../ari/port.ts';
import { asPreavisError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';
import type { CallEvent } from './events.ts';
import { recorderName } from './recorderName.ts';
import type { CallState, Facts, Order } from './state.ts';

/** What happened to a call while nobody listened, as far as Asterisk's state tells. */

/** Whether the process before died between asking for the recorder and writing that down. */
export async function recordsUnsaved({ kind, facts }: CallState, ari: AriQueries): Promise<boolean> {
  return kind === 'dialling' && facts.order !== undefined && ari.isRecording(recorderName(facts.order.recording));
}

/** Whether somebody joined unseen. Asterisk's own channels in a bridge are not among the channels that it lists. */
async function strangersIn(
  { bridge, destination }: Order,
  { callerChannel }: Facts,
  channels: ReadonlyMap<ChannelId, string>,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const parties = [callerChannel, destination];
  const others = (await ari.channelsIn(bridge)).filter((id) => channels.has(id) && !parties.includes(id));

  return others.length > 0 ? [{ type: 'strangerJoined' }] : [];
}

/** As chan_pjsip tells it of the other end; CHANNEL(onhold) is not set in a bridge with a recorder. */
async function holds(channel: ChannelId, ari: AriQueries): Promise<boolean> {
  try {
    return (await ari.variable(channel, 'CHANNEL(rtp,hold)')) === '1';
  } catch (thrown) {
    // Asterisk answers so (HTTP 500) for channels of other kinds.
    if (asPreavisError(thrown).code === 'ari_request_failed') return false;
    throw thrown;
  }
}

/** Who holds the other now. Where Asterisk cannot tell, nobody does: too much recorded can be erased, too little is lost. */
async function holdsNow({ destination }: Order, { callerChannel }: Facts, ari: AriQueries): Promise<CallEvent> {
  const [caller, whom] = await Promise.all([holds(callerChannel, ari), holds(destination, ari)]);

  return {
    type: 'holdsFound',
    holding: [...(caller ? ['caller' as const] : []), ...(whom ? ['destination' as const] : [])],
  };
}

/** What must have happened to a call, seen from the state of its channels and recorder now. */
async function missedEvents(
  state: CallState,
  channels: ReadonlyMap<ChannelId, string>,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const { facts } = state;
  const { order } = facts;
  const callerGone = !channels.has(facts.callerChannel);
  if (order === undefined) return [callerGone ? { type: 'callerLeft', at: undefined } : { type: 'interrupted' }];
  const events: CallEvent[] = [];
  if (state.kind === 'talking' || state.kind === 'closing') {
    const recording = await ari.isRecording(recorderName(order.recording));
    events.push({ type: recording ? 'recorderStarted' : 'recorderFinished', at: undefined });
  }
  if (callerGone) return [...events, { type: 'callerLeft', at: undefined }];
  const destination = channels.get(order.destination);
  const joined =
    state.kind === 'dialling' || state.kind === 'talking' ? await strangersIn(order, facts, channels, ari) : [];
  switch (state.kind) {
    case 'planning':
    case 'checking':
    case 'answering':
    case 'choosing':
    case 'announcing':
    case 'asking':
    case 'accepting':
    case 'acknowledging':
      return [{ type: 'interrupted' }];
    case 'dialling':
      // First, so that no recorder is asked for.
      if (joined.length > 0) return joined;
      if (destination === 'Up') {
        // The recorder may have been started before this process knew of it; a second one is refused by Asterisk.
        if (await recordsUnsaved(state, ari)) events.push({ type: 'recorderStarted', at: undefined });
        return [await holdsNow(order, facts, ari), { type: 'destinationAnswered', at: undefined }, ...events];
      }
      return destination === 'Ringing' ? [await holdsNow(order, facts, ari)] : [{ type: 'interrupted' }];
    case 'talking':
      if (destination === undefined) events.push({ type: 'destinationLeft', at: undefined, cause: undefined });
      else events.push(await holdsNow(order, facts, ari));
      return [...joined, ...events];
    case 'closing':
    case 'ended':
      return events;
  }
}

/**
 * What these calls missed, one by one. Asterisk's list of channels is asked for once, unless a call has moved on since by events of
 * its own: then the list may be older than they, and a channel that is not in it may be new.
 */
export async function makeLook(
  ari: AriQueries,
  calls: Iterable<{ readonly state: CallState }>,
): Promise<(call: { readonly state: CallState }) => Promise<CallEvent[]>> {
  const listed = async (): Promise<ReadonlyMap<ChannelId, string>> =>
    new Map((await ari.channels()).map(({ id, state }) => [id, state]));
  const before = new Map([...calls].map((call) => [call, call.state]));
  const first = await listed();

  return async (call) => {
    let state = before.get(call);
    let channels = state === call.state ? first : undefined;
    for (;;) {
      if (state === undefined || channels === undefined) {
        ({ state } = call);
        channels = await listed();
      }
      const events = await missedEvents(state, channels, ari);
      if (call.state === state) return events;
      channels = undefined;
    }
  };
}
